using System.Text;
using StatusDaemon.Protocol;
using ErrorCode = StatusDaemon.Protocol.ErrorCode; // Orleans has one too

namespace StatusDaemon.Tests.Protocol;

public sealed class ServerFrameTests
{
    [Theory]
    [InlineData(0, "8100"), InlineData(125, "817d"), InlineData(126, "817e007e"), InlineData(65_535, "817effff"), InlineData(65_536, "817f0000000000010000")]
    public void A_text_frame_has_the_shortest_header(int length, string header)
    {
        var text = new byte[length];
        text.AsSpan().Fill((byte)'x');

        Assert.Equal([.. Convert.FromHexString(header), .. text], ServerFrame.Text(text));
    }

    [Fact]
    public void A_pong_carries_the_payload_of_the_ping()
    {
        Assert.Equal([0x8A, 2, 1, 2], ServerFrame.Pong([1, 2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => ServerFrame.Pong(new byte[126]));
    }

    [Fact]
    public void A_ping_is_two_bytes() => Assert.Equal([0x89, 0], ServerFrame.Ping);

    [Fact]
    public void A_close_frame_has_code_and_reason() =>
        Assert.Equal([0x88, 9, 0x03, 0xF0, .. "removed"u8], CloseFrame.Of(CloseCode.PolicyViolation, "removed"));

    [Theory, InlineData("x", 123), InlineData("ж", 122), InlineData("€", 123), InlineData("😀", 120)]
    public void A_reason_that_is_too_long_is_cut_between_characters(string character, int bytes)
    {
        var frame = CloseFrame.Of(CloseCode.Normal, string.Concat(Enumerable.Repeat(character, 200)));

        Assert.Equal(2 + 2 + bytes, frame.Length);
        Assert.Equal(bytes + 2, frame[1]);
        Assert.True(System.Text.Unicode.Utf8.IsValid(frame.AsSpan(4)));
    }

    [Fact]
    public void An_error_has_a_code_and_a_detail_that_is_escaped()
    {
        var error = new ErrorMessage(ErrorCode.NotLocal, "go to \"beta\"");

        Assert.Equal("""{"error":"not-local","detail":"go to \"beta\""}""", Encoding.UTF8.GetString(error.Frame.AsSpan(2)));
        Assert.Equal("""{"error":"bad-json","detail":"not one JSON object of at most 32 levels"}""", Encoding.UTF8.GetString(ErrorMessage.NotJson.Frame.AsSpan(2)));
    }

    [Fact]
    public void Every_error_code_has_its_own_text() =>
        Assert.Equal(
            ["bad-json", "bad-message", "unknown-status", "unknown-operation", "not-your-publisher", "not-local", "too-many-subscriptions", "rate-limited", "unavailable"],
            Enum.GetValues<ErrorCode>().Select(ErrorCodes.TextOf));
}
