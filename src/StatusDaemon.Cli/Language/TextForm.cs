using System.Globalization;

namespace StatusDaemon.Language;

/// <summary>Texts with places to fill, such as <c>{0}</c>.</summary>
internal static class TextForm
{
    /// <summary>Fills the places; numbers keep the invariant form.</summary>
    public static string With(this string text, params ReadOnlySpan<object?> values) => string.Format(CultureInfo.InvariantCulture, text, values);
}
