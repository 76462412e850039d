using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace StatusDaemon.Protocol;

/// <summary>The answer to a message that was refused: <c>{"error":"bad-json","detail":"…"}</c> (docs/protocol.md §5).</summary>
/// <remarks>Its frame is built once. Every refusal that depends on nothing but the rule it broke is ready here, so a flood of bad messages makes no frames.</remarks>
public sealed class ErrorMessage
{
    /// <summary>Not JSON, not an object, or nested too deep.</summary>
    public static readonly ErrorMessage NotJson = new(ErrorCode.BadJson, $"not one JSON object of at most {MessageReader.MaxDepth} levels");

    /// <summary>An attribute is there twice; which of the two is meant, nobody can know.</summary>
    public static readonly ErrorMessage RepeatedAttribute = new(ErrorCode.BadMessage, "an attribute stands twice");

    /// <summary><c>status</c> is of another type.</summary>
    public static readonly ErrorMessage StatusNotInteger = new(ErrorCode.BadMessage, "status: not an integer");

    /// <summary><c>status</c> is an integer that names no status.</summary>
    public static readonly ErrorMessage UnknownStatus = new(ErrorCode.UnknownStatus, "status: not 1 to 8");

    /// <summary><c>events</c> is of another type.</summary>
    public static readonly ErrorMessage EventsNotObject = new(ErrorCode.BadMessage, "events: not an object");

    /// <summary>A member of <c>events</c> has no UID for a name.</summary>
    public static readonly ErrorMessage EventOfNoUid = new(ErrorCode.BadMessage, "events: a UID is 1 to 128 bytes without control characters");

    /// <summary><c>events</c> has a UID twice.</summary>
    public static readonly ErrorMessage RepeatedUid = new(ErrorCode.BadMessage, "events: a UID stands twice");

    /// <summary>The value of an event is neither subscribe nor unsubscribe.</summary>
    public static readonly ErrorMessage UnknownOperation = new(ErrorCode.UnknownOperation, "events: an operation is neither 9 nor 10");

    /// <summary><c>timestamp</c> is no number.</summary>
    public static readonly ErrorMessage BadTimestamp = new(ErrorCode.BadMessage, "timestamp: not a decimal number of at most 32 characters");

    /// <summary><c>publisher</c> is no UID.</summary>
    public static readonly ErrorMessage BadPublisher = new(ErrorCode.BadMessage, "publisher: not a UID");

    /// <summary><c>publisher</c> is somebody else.</summary>
    public static readonly ErrorMessage NotYourPublisher = new(ErrorCode.NotYourPublisher, "publisher: not your own UID");

    /// <summary>The sender's home is another domain.</summary>
    public static readonly ErrorMessage NotLocal = new(ErrorCode.NotLocal, "status: publish it in your home domain");

    /// <summary>The message would pass the limit of watches.</summary>
    public static readonly ErrorMessage TooManySubscriptions = new(ErrorCode.TooManySubscriptions, "events: too many subscriptions on this connection");

    /// <summary>Messages come too fast.</summary>
    public static readonly ErrorMessage RateLimited = new(ErrorCode.RateLimited, "too many messages a second");

    /// <summary>An answer with a detail of its own.</summary>
    /// <param name="detail">For people, in English; must not repeat what the client sent.</param>
    public ErrorMessage(ErrorCode code, string detail)
    {
        Code = code;
        Detail = detail;
        var escaped = JsonEncodedText.Encode(detail, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
        Frame = ServerFrame.Text(Encoding.UTF8.GetBytes($$"""{"error":"{{ErrorCodes.TextOf(code)}}","detail":"{{escaped}}"}"""));
    }

    /// <summary>Which rule was broken.</summary>
    public ErrorCode Code { get; }

    /// <summary>The same in words: names the attribute, never repeats its value.</summary>
    public string Detail { get; }

    /// <summary>The whole frame, shared by all who get it: never to be written to.</summary>
    public byte[] Frame { get; }
}
