using CsCheck;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Privileges;

public sealed class StricterDirectoryTests
{
    // The others describe everybody as the own one does, or do not know him.
    private static readonly Gen<(DirectorySnapshot Own, DirectorySnapshot[] Others)> Files = Gen.Select(Any, Any.Array[0, 3], (own, likes) => (own, likes.Select(like => Alike(own, like)).ToArray()));

    [Fact]
    public void Nobody_is_seen_whom_any_of_the_directories_hides() => Files.Sample(files =>
    {
        var strict = StricterDirectory.Of(files.Own, files.Others);
        foreach (var directory in files.Others.Append(files.Own))
        {
            foreach (var watcher in Uids.Select(UidOf).Where(watcher => files.Own.TryGet(watcher, out _) == directory.TryGet(watcher, out _)))
            {
                Assert.All(files.Own.Subscribers, publisher => Assert.True(
                    publisher.Uid.Equals(watcher) || directory.Judge(publisher.Uid, watcher).IsVisible || !strict.Judge(publisher.Uid, watcher).IsVisible, $"{publisher.Uid} to {watcher}"));
            }
        }
    }, iter: 5_000, threads: 1);

    [Fact]
    public void Equal_directories_change_nothing() => Any.Sample(own =>
    {
        var equal = new DirectorySnapshot(own.Subscribers.Reverse(), own.Policy);
        Assert.Same(own, StricterDirectory.Of(own, []));
        Assert.Same(own, StricterDirectory.Of(own, [equal, equal]));
    }, iter: 1_000, threads: 1);

    [Fact]
    public void The_order_of_the_others_does_not_matter() =>
        Files.SelectMany(files => Gen.Shuffle(files.Others).Select(shuffled => (files.Own, files.Others, shuffled))).Sample(sample =>
            Assert.Equal(Verdicts(StricterDirectory.Of(sample.Own, sample.Others)), Verdicts(StricterDirectory.Of(sample.Own, sample.shuffled))), iter: 3_000, threads: 1);

    [Fact]
    public void What_is_strict_already_stays_the_same() => Files.Sample(files =>
    {
        var strict = StricterDirectory.Of(files.Own, files.Others);
        Assert.Same(strict, StricterDirectory.Of(strict, files.Others));
        Assert.Same(strict, StricterDirectory.Of(strict, [strict, files.Own]));
    }, iter: 3_000, threads: 1);

    [Fact]
    public void All_but_rules_is_as_the_own_directory_says_and_only_whom_they_touch_is_compared() => Gen.Select(Any, Any.Array[1, 3]).Sample(sample =>
    {
        var (own, others) = sample;
        var strict = StricterDirectory.Of(own, others);
        var change = DirectoryChange.Between(new DirectorySnapshot(own.Subscribers, own.Policy), strict);
        Assert.Equal((0, 0, 0, false), (change.Added.Count, change.Removed.Count, change.AttributesChanged.Count, change.PolicyChanged));
        Assert.Equal(change.RulesChanged, DirectoryChange.Between(own, strict).RulesChanged);
    }, iter: 3_000, threads: 1);

    [Theory]
    [InlineData("allow", "u1", "", "", "", "u1", "")] // hidden from in one of them
    [InlineData("allow", "u1", "", "u2", "", "u1 u2", "")]
    [InlineData("allow", "", "u1", "", "", "", "u1")] // a white list in one of them
    [InlineData("allow", "", "", "", "u1", "", "u1")]
    [InlineData("allow", "", "u1 u2", "", "u2 u3", "", "u2")]
    [InlineData("allow", "", "u1", "", "u2", "*", "")]
    [InlineData("allow", "", "*", "u3", "u1 u2", "u3", "u1 u2")] // everybody, as far as the other one lets him
    [InlineData("allow", "", "u1", "*", "", "*", "")]
    [InlineData("allow", "* u1", "", "u2", "u3", "* u1", "")]
    [InlineData("deny", "", "u1", "", "", "*", "")] // without a white list nobody sees
    [InlineData("deny", "", "", "", "u1", "*", "")]
    [InlineData("deny", "", "u1 u2", "", "u2", "", "u2")]
    public void Of_two_rules_what_hides_counts(string policy, string black, string white, string otherBlack, string otherWhite, string strictBlack, string strictWhite)
    {
        var own = Snapshot(policy, Rules(black, white));
        Assert.True(StricterDirectory.Of(own, [Snapshot(policy, Rules(otherBlack, otherWhite))]).TryGet(UidOf("u0"), out var strict));
        Assert.Equal(Rules(strictBlack, strictWhite), strict.Rules);
    }

    [Fact]
    public void Whom_another_directory_does_not_know_is_hidden_and_whom_only_that_one_knows_is_not_there()
    {
        var own = Snapshot("allow", Rules("", ""));
        var strict = StricterDirectory.Of(own, [new DirectorySnapshot([new Subscriber { Uid = UidOf("u1") }], own.Policy)]);
        Assert.False(strict.Judge(UidOf("u0"), UidOf("u9")).IsVisible);
        Assert.Single(strict.Subscribers);
        Assert.Equal(own.Revision + 1, strict.Revision);
        Assert.Equal((7, 1), (strict.At(7).Revision, DirectoryChange.Between(own, strict.At(7)).RulesChanged.Count));
    }

    private static DirectorySnapshot Alike(DirectorySnapshot own, DirectorySnapshot like) => new(
        own.Subscribers.Where(subscriber => like.TryGet(subscriber.Uid, out _)).Select(subscriber => subscriber with { Rules = like.RulesOf(subscriber.Uid) }), own.Policy);

    private static DirectorySnapshot Snapshot(string policy, BlackWhiteRules rules) =>
        new([new Subscriber { Uid = UidOf("u0"), Rules = rules }], new DirectoryPolicy { AllowsByDefault = policy == "allow" });

    private static BlackWhiteRules Rules(string black, string white) =>
        new(black.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(SelectorOf), white.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(SelectorOf));

    private static string Verdicts(DirectorySnapshot snapshot) =>
        string.Join(' ', Uids.SelectMany(publisher => Uids.Select(watcher => $"{publisher} {watcher} {snapshot.Judge(UidOf(publisher), UidOf(watcher)).IsVisible}")));
}
