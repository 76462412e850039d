using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace StatusDaemon.Fuzzing;

/// <summary>What docs/protocol.md §3 makes of a text, by way of a whole document: slow, short, and judge of the reader that has no document.</summary>
/// <param name="Refusal">The code of the error; null if the text is taken.</param>
/// <param name="Status">1 to 8; null without one.</param>
/// <param name="Timestamp">As it stands in the text, quotes included; null without one.</param>
/// <param name="Publisher">Null without one.</param>
/// <param name="Events">UID and operation, in order.</param>
internal sealed partial record MessageModel(string? Refusal, int? Status = null, string? Timestamp = null, string? Publisher = null, params (string Uid, bool IsSubscribe)[] Events)
{
    private const int MaxDepth = 32;
    private const int MaxUidBytes = 128;
    private const int MaxTimestampLength = 32;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a text.</summary>
    public static MessageModel Of(ReadOnlySpan<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(Strict.GetString(utf8), new JsonDocumentOptions { MaxDepth = MaxDepth });
            ReadStrings(document.RootElement);
            return document.RootElement.ValueKind == JsonValueKind.Object ? Of(document.RootElement) : new("bad-json");
        }
        catch (Exception e) when (e is JsonException or DecoderFallbackException or InvalidOperationException)
        {
            return new("bad-json"); // the last for half a surrogate pair
        }
    }

    private static MessageModel Of(JsonElement message)
    {
        var model = new MessageModel((string?)null);
        HashSet<string> names = [];
        foreach (var attribute in message.EnumerateObject())
        {
            var value = attribute.Value;
            if (!names.Add(attribute.Name))
            {
                return new("bad-message");
            }

            switch (attribute.Name)
            {
                case "status" when value.ValueKind != JsonValueKind.Number || value.GetRawText().AsSpan().ContainsAny(".eE"):
                    return new("bad-message");
                case "status" when value.GetRawText() is not [>= '1' and <= '8']:
                    return new("unknown-status");
                case "status":
                    model = model with { Status = value.GetRawText()[0] - '0' };
                    break;
                case "timestamp" when (value.ValueKind == JsonValueKind.String ? value.GetString() : value.ValueKind == JsonValueKind.Number ? value.GetRawText() : "") is var number:
                    if (number!.Length > MaxTimestampLength || !Number().IsMatch(number))
                    {
                        return new("bad-message");
                    }

                    model = model with { Timestamp = value.ValueKind == JsonValueKind.String ? $"\"{number}\"" : number };
                    break;
                case "publisher" when value.ValueKind != JsonValueKind.String || !IsUid(value.GetString()!):
                    return new("bad-message");
                case "publisher":
                    model = model with { Publisher = value.GetString() };
                    break;
                case "events":
                    if (EventsOf(value, out var events) is { } refusal)
                    {
                        return new(refusal);
                    }

                    model = model with { Events = events };
                    break;
            }
        }

        return model;
    }

    /// <returns>Why they are refused.</returns>
    private static string? EventsOf(JsonElement value, out (string Uid, bool IsSubscribe)[] events)
    {
        events = [];
        if (value.ValueKind != JsonValueKind.Object)
        {
            return "bad-message";
        }

        List<(string Uid, bool IsSubscribe)> found = [];
        foreach (var one in value.EnumerateObject())
        {
            if (!IsUid(one.Name) || found.Any(other => other.Uid == one.Name))
            {
                return "bad-message";
            }

            if (one.Value.ValueKind != JsonValueKind.Number || one.Value.GetRawText() is not ("9" or "10"))
            {
                return "unknown-operation";
            }

            found.Add((one.Name, one.Value.GetRawText() == "9"));
        }

        events = [.. found];
        return null;
    }

    /// <summary>Looks at every text in it; one with half a surrogate pair throws.</summary>
    private static void ReadStrings(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var one in element.EnumerateArray())
                {
                    ReadStrings(one);
                }

                break;
            case JsonValueKind.Object:
                foreach (var one in element.EnumerateObject())
                {
                    _ = one.Name;
                    ReadStrings(one.Value);
                }

                break;
        }
    }

    private static bool IsUid(string text) => Encoding.UTF8.GetByteCount(text) is > 0 and <= MaxUidBytes && !text.Any(char.IsControl);

    [GeneratedRegex(@"\A-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\z")]
    private static partial Regex Number();
}
