using System.Globalization;

namespace StatusDaemon.Auth;

/// <summary>When those come back who could not be let in.</summary>
internal static class RetryAfter
{
    private const int MostSeconds = 10;

    /// <summary>A value of the header <c>Retry-After</c>, 1 to 10 s at random: whoever is sent away together does not come back together.</summary>
    public static string Jittered() => Random.Shared.Next(1, MostSeconds + 1).ToString(CultureInfo.InvariantCulture);
}
