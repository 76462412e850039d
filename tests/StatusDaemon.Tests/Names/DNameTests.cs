namespace StatusDaemon.Names;

public sealed class DNameTests
{
    [Theory]
    [InlineData("alice@EXAMPLE.ORG", "alice", "EXAMPLE.ORG")]
    [InlineData("HTTP/host@EXAMPLE.ORG", "HTTP/host", "EXAMPLE.ORG")]
    [InlineData("a@b@C", "a@b", "C")]
    [InlineData("alice@алиса.рф", "alice", "алиса.рф")]
    public void It_has_a_user_and_a_realm(string text, string user, string realm)
    {
        Assert.True(DName.TryParse(text, out var name));
        Assert.Equal((user, realm, text), (name.User.ToString(), name.Realm.ToString(), name.ToString()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("alice")]
    [InlineData("@EXAMPLE.ORG")]
    [InlineData("alice@")]
    [InlineData("al ice@E")]
    [InlineData("alice\u00a0@E")]
    [InlineData("alice\u0085@E")]
    [InlineData("alice\n@E")]
    public void Anything_else_is_refused(string? text) => Assert.False(DName.TryParse(text, out _));

    [Fact]
    public void The_default_names_nobody() => Assert.Equal(("", "", ""), (default(DName).User.ToString(), default(DName).Realm.ToString(), default(DName).ToString()));
}
