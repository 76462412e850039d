using System.Text;
using CsCheck;

namespace StatusDaemon.Redis;

public sealed class RedisKeyPatternTests
{
    [Fact]
    public void What_is_put_into_a_key_is_read_from_it() => Gen.String[1, 30].Sample(value =>
    {
        var pattern = RedisKeyPattern.Parse("a:{uid}:z", "uid");
        var key = pattern.Key(value);
        return pattern.TryRead(key, out var values) && values[0] == value;
    });

    [Theory]
    [InlineData("status:{uid}", "status:u", "u")]
    [InlineData("{uid}", "u", "u")]
    [InlineData("ст:{uid}!", "ст:ю!", "ю")]
    [InlineData("s:{uid}", "s:", null)]
    [InlineData("s:{uid}", "t:u", null)]
    [InlineData("s:{uid}:x", "s:u", null)]
    [InlineData("s:{uid}:x", "s:x", null)]
    public void Bytes_are_read_as_text_is(string text, string key, string? expected)
    {
        var pattern = RedisKeyPattern.Parse(text, "uid");
        Assert.Equal(expected is not null, pattern.TryReadOne(Encoding.UTF8.GetBytes(key), out var value));
        Assert.Equal(expected ?? "", Encoding.UTF8.GetString(value));
        Assert.Equal(expected is not null, pattern.TryRead(key, out _));
    }

    [Fact]
    public void Fields_may_stand_in_any_order()
    {
        var pattern = RedisKeyPattern.Parse("d/{realm}/{user}", "dname", "user", "realm");
        Assert.Equal(["realm", "user"], pattern.Fields);
        Assert.Equal("d/A/alice", pattern.Key(field => field == "user" ? "alice" : "A"));
        Assert.True(pattern.TryRead("d/A/alice/admin", out var values));
        Assert.Equal(["A", "alice/admin"], values);
    }

    [Theory]
    [InlineData("status:{uid}", "status:*")]
    [InlineData("[s]*?{uid}^\\", "\\[s\\]\\*\\?*\\^\\\\")]
    [InlineData("{user}@{realm}", "*@*")]
    public void The_glob_means_the_literals_as_they_are(string text, string glob) =>
        Assert.Equal(glob, RedisKeyPattern.Parse(text, "uid", "user", "realm").Glob);

    [Theory]
    [InlineData("")]
    [InlineData("status")]
    [InlineData("{id}")]
    [InlineData("{uid}{uid}")]
    [InlineData("{user}{realm}")]
    [InlineData("a\n{uid}")]
    [InlineData("{uid}}")]
    public void A_pattern_that_could_not_be_read_back_is_refused(string text) =>
        Assert.Throws<ArgumentException>(() => RedisKeyPattern.Parse(text, "uid", "user", "realm"));

    [Theory]
    [InlineData("KA", true)]
    [InlineData("AK", true)]
    [InlineData("AKE", true)]
    [InlineData("g$lshzxetK", true)]
    [InlineData("Kg$lshzxe", false)]
    [InlineData("A", false)]
    [InlineData("EA", false)]
    [InlineData("K$", false)]
    [InlineData("", false)]
    public void Flags_are_compared_as_a_set(string flags, bool suffice) => Assert.Equal(suffice, RedisNotifications.Suffice(flags));
}
