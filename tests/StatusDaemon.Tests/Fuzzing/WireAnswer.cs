using System.Text;
using System.Text.Json;
using StatusDaemon.Tests.Protocol;

namespace StatusDaemon.Fuzzing;

/// <summary>How a client sees on the wire what the server has found in its stream: the one place that says what stands for an echo.</summary>
/// <remarks>
/// A ping is seen as its pong, a close as the same code, a broken rule as the code that it is closed with. A text that is refused is seen as its error, one that is
/// taken as a notification of each publisher that it subscribes to; what is taken and subscribes to nobody is not seen, nor is a pong.
/// </remarks>
internal static class WireAnswer
{
    /// <summary>What a client gets for an event of <c>ClientFrames.Read</c>.</summary>
    public static IEnumerable<string> To(string found)
    {
        var (what, value) = (found[..found.IndexOf(':')], found[(found.IndexOf(':') + 1)..]);
        return what switch
        {
            "ping" => [$"pong:{value}"],
            "pong" => [],
            "text" => To(MessageModel.Of(Convert.FromHexString(value))),
            _ => [$"close:{value}"],
        };
    }

    /// <summary>A frame of the server, in the same words.</summary>
    public static string Of(int opcode, byte[] payload) => opcode switch
    {
        ClientFrames.Pong => $"pong:{Convert.ToHexStringLower(payload)}",
        ClientFrames.Close => $"close:{(payload[0] << 8) | payload[1]}",
        ClientFrames.Text => OfText(payload),
        _ => $"opcode {opcode}",
    };

    /// <summary>Whether it comes from the router, and so at another time than what the gateway answers itself.</summary>
    public static bool IsTold(string answer) => answer.StartsWith("told:", StringComparison.Ordinal);

    // No case names the publisher that it runs as.
    private static IEnumerable<string> To(MessageModel message) => (message.Refusal ?? (message.Publisher is null ? null : "not-your-publisher")) is { } refusal
        ? [$"error:{refusal}"]
        : message.Events.Where(one => one.IsSubscribe).Select(one => $"told:{one.Uid}");

    private static string OfText(byte[] payload)
    {
        using var json = JsonDocument.Parse(Encoding.UTF8.GetString(payload));
        return json.RootElement.TryGetProperty("error", out var error) ? $"error:{error.GetString()}" : $"told:{json.RootElement.GetProperty("publisher").GetString()}";
    }
}
