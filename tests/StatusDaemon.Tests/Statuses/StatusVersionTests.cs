using CsCheck;

namespace StatusDaemon.Statuses;

public sealed class StatusVersionTests
{
    private static readonly Gen<StatusVersion> Any =
        Gen.Select(Gen.ULong[1, ulong.MaxValue], Gen.Long[1, long.MaxValue], Gen.Long[1, long.MaxValue], (incarnation, epoch, seq) => new StatusVersion(incarnation, epoch, seq));

    // Few values, so that equal ones meet; the default stands for "nothing was ever accepted".
    private static readonly Gen<StatusVersion> OfOneStore =
        Gen.Select(Gen.Long[0, 3], Gen.Long[1, 3], (epoch, seq) => epoch == 0 ? default : new StatusVersion(7, epoch, seq));

    [Fact]
    public void What_is_written_is_read_the_same() =>
        Any.Sample(version => StatusVersion.TryParse(version.ToString(), out var read) && read == version);

    [Theory]
    [InlineData("")]
    [InlineData("1.1.1")]
    [InlineData("000000000000000a.1")]
    [InlineData("000000000000000a.1.1.1")]
    [InlineData("000000000000000a.-1.1")]
    [InlineData("000000000000000a.1. 1")]
    [InlineData("000000000000000g.1.1")]
    [InlineData("000000000000000a.9223372036854775808.1")]
    public void Anything_else_is_refused(string text) => Assert.False(StatusVersion.TryParse(text, out _));

    [Fact]
    public void Any_text_gives_a_version_or_false() => Gen.String.Sample(text => { _ = StatusVersion.TryParse(text, out _); });

    [Fact]
    public void Newer_is_a_strict_order_within_a_store() =>
        Gen.Select(OfOneStore, OfOneStore, OfOneStore).Sample((a, b, c) =>
            (a.IsNewerThan(b) ? 1 : 0) + (b.IsNewerThan(a) ? 1 : 0) + (a == b ? 1 : 0) == 1
            && (!(a.IsNewerThan(b) && b.IsNewerThan(c)) || a.IsNewerThan(c)));

    [Fact]
    public void Versions_of_two_stores_have_no_order()
    {
        var (a, b) = (new StatusVersion(1, 1, 1), new StatusVersion(2, 9, 9));
        Assert.False(a.IsNewerThan(b) || b.IsNewerThan(a));
        Assert.True(a.IsNewerThan(default) && !default(StatusVersion).IsNewerThan(a));
    }

    [Fact]
    public void Where_nothing_was_accepted_unknown_is_shown() => Assert.Equal(Status.Unknown, default(StatusRecord).Shown);
}
