using StatusDaemon.Protocol;

namespace StatusDaemon.Tests.Protocol;

public sealed class HandshakeKeyTests
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";

    [Fact]
    public void The_example_of_RFC_6455_is_accepted_as_it_says() =>
        Assert.Equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", HandshakeKey.AcceptOf(Key));

    [Theory]
    [InlineData("websocket", "Upgrade")]
    [InlineData("WebSocket", "keep-alive, upgrade")]
    [InlineData("h2c,websocket", "Upgrade,keep-alive")]
    public void A_client_may_ask_in_any_case_and_company(string upgrade, string connection) =>
        Assert.Equal(HandshakeAnswer.SwitchProtocols, HandshakeKey.Check(upgrade, connection, "13", Key));

    [Theory]
    [InlineData(null, null, null, null)]
    [InlineData("h2c", "Upgrade", "13", Key)]
    [InlineData("websocketx", "Upgrade", "13", Key)]
    [InlineData("websocket", "keep-alive", "13", Key)]
    [InlineData("websocket", "Upgrade", null, Key)]
    [InlineData("websocket", "Upgrade", "8", Key)]
    [InlineData("websocket", "Upgrade", "13, 8", Key)]
    public void Who_asks_for_something_else_is_told_what_there_is(string? upgrade, string? connection, string? version, string? key) =>
        Assert.Equal(HandshakeAnswer.UpgradeRequired, HandshakeKey.Check(upgrade, connection, version, key));

    [Theory]
    [InlineData(null), InlineData(""), InlineData("dGhlIHNhbXBsZQ=="), InlineData("dGhlIHNhbXBsZSBub25jZSE="), InlineData("not base64 not base64 !!")]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==,dGhlIHNhbXBsZSBub25jZQ=="), InlineData("dGhlIHNhbXBs ZSBub25jZQ==")]
    public void A_key_that_is_not_16_bytes_of_base64_is_refused(string? key) =>
        Assert.Equal(HandshakeAnswer.BadRequest, HandshakeKey.Check("websocket", "Upgrade", "13", key));
}
