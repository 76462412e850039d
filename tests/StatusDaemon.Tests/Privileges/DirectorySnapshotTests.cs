using CsCheck;
using StatusDaemon.Names;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Privileges;

public sealed class DirectorySnapshotTests
{
    private static readonly Gen<(DirectorySnapshot Directory, Uid Publisher, Uid Watcher)> Questions =
        Gen.Select(Any, Gen.OneOf(Uids), Gen.OneOf(Uids), (directory, publisher, watcher) => (directory, UidOf(publisher), UidOf(watcher)));

    [Fact]
    public void Everyone_sees_himself() =>
        Any.Sample(directory => Uids.All(uid => directory.Judge(UidOf(uid), UidOf(uid)) == new Verdict(true, VerdictReason.Self)));

    [Fact]
    public void Verdicts_agree_with_the_definition() =>
        Questions.Sample(q => q.Directory.Judge(q.Publisher, q.Watcher).IsVisible == IsVisible(q.Directory, q.Publisher, q.Watcher), iter: 20_000, threads: 1);

    [Fact]
    public void The_rule_that_is_named_is_one_of_the_publisher_and_fits() =>
        Questions.Sample(q => q.Directory.Judge(q.Publisher, q.Watcher) switch
        {
            { Reason: VerdictReason.Black, IsVisible: false, Rule: { } rule } => q.Directory.TryGet(q.Publisher, out var p) && p.Rules.Black.Contains(rule) && Fits(q.Directory, rule, q.Watcher),
            { Reason: VerdictReason.White, IsVisible: true, Rule: { } rule } => q.Directory.TryGet(q.Publisher, out var p) && p.Rules.White.Contains(rule) && Fits(q.Directory, rule, q.Watcher),
            var verdict => verdict.Rule is null,
        });

    [Fact]
    public void Black_wins_over_white()
    {
        var directory = new DirectorySnapshot([Carol(black: ["*"], white: ["u1"])], new DirectoryPolicy());
        Assert.Equal(new Verdict(false, VerdictReason.Black, SelectorOf("*")), directory.Judge(UidOf("carol"), UidOf("u1")));
    }

    [Fact]
    public void An_empty_white_list_leaves_it_to_the_default()
    {
        foreach (var allows in (bool[])[true, false])
        {
            var directory = new DirectorySnapshot([Carol([], [])], new DirectoryPolicy { AllowsByDefault = allows });
            Assert.Equal(new Verdict(allows, VerdictReason.Default), directory.Judge(UidOf("carol"), UidOf("u1")));
        }
    }

    [Fact]
    public void A_white_list_hides_from_all_others()
    {
        var directory = new DirectorySnapshot([Carol([], ["u1"])], new DirectoryPolicy());
        Assert.Equal(VerdictReason.White, directory.Judge(UidOf("carol"), UidOf("u1")).Reason);
        Assert.Equal(new Verdict(false, VerdictReason.NotWhite), directory.Judge(UidOf("carol"), UidOf("u2")));
    }

    [Fact]
    public void An_unknown_publisher_is_hidden_unless_unknown_uids_are_accepted()
    {
        Assert.Equal(new Verdict(false, VerdictReason.UnknownPublisher), DirectorySnapshot.Empty.Judge(UidOf("u1"), UidOf("u2")));
        Assert.True(new DirectorySnapshot([], new DirectoryPolicy { AcceptsUnknown = true }).Judge(UidOf("u1"), UidOf("u2")).IsVisible);
    }

    [Fact]
    public void An_unknown_watcher_belongs_to_the_home_domain_where_unknown_uids_count_as_local()
    {
        var policy = new DirectoryPolicy { Home = DomainOf("home"), AcceptsUnknown = true };
        Assert.False(new DirectorySnapshot([Carol(["domain:home"], [])], policy).Judge(UidOf("carol"), UidOf("u9")).IsVisible);
        Assert.True(new DirectorySnapshot([Carol(["domain:home"], [])], policy with { AcceptsUnknown = false }).Judge(UidOf("carol"), UidOf("u9")).IsVisible);
    }

    [Fact]
    public void A_subscriber_is_found_by_uid_dname_and_number_and_is_local_at_home()
    {
        var directory = new DirectorySnapshot([Carol([], [])], new DirectoryPolicy { Home = DomainOf("beta") });
        Assert.True(directory.TryGet("carol"u8, out var byUid) && directory.TryGet(DNameOf("carol@A"), out var byName) && directory.TryGet(NumberOf("1003"), out var byNumber)
            && byUid == byName && byName == byNumber);
        Assert.False(directory.IsLocal(UidOf("carol")));
        Assert.False(directory.IsLocal(UidOf("u9")));
    }

    private static Subscriber Carol(string[] black, string[] white) => new()
    {
        Uid = UidOf("carol"),
        DName = DNameOf("carol@A"),
        Numbers = [NumberOf("1003")],
        Domain = DomainOf("alpha"),
        Rules = new BlackWhiteRules(black.Select(SelectorOf), white.Select(SelectorOf)),
    };

    // The contract's own words, §3, without short cuts.
    private static bool IsVisible(DirectorySnapshot directory, Uid publisher, Uid watcher)
    {
        if (publisher.Equals(watcher))
        {
            return true;
        }

        if (!directory.TryGet(publisher, out var p))
        {
            return directory.Policy is { AcceptsUnknown: true, AllowsByDefault: true };
        }

        var isBlack = p.Rules.Black.Any(selector => Fits(directory, selector, watcher));
        var isWhite = p.Rules.White.Any(selector => Fits(directory, selector, watcher));
        return !isBlack && (p.Rules.White.Count > 0 ? isWhite : directory.Policy.AllowsByDefault);
    }

    private static bool Fits(DirectorySnapshot directory, Selector selector, Uid watcher)
    {
        var w = directory.Subscribers.FirstOrDefault(subscriber => subscriber.Uid.Equals(watcher));
        var home = directory.Policy.Home.ToString();
        var domain = w is null ? (directory.Policy.AcceptsUnknown ? home : "") : w.Domain.IsEmpty ? home : w.Domain.ToString();
        return selector.ToString().Split(':') switch
        {
            ["*"] => true,
            ["number", "10*"] => w is not null && w.Numbers.Any(number => number.ToString().StartsWith("10", StringComparison.Ordinal)),
            ["number", var number] => w is not null && w.Numbers.Contains(NumberOf(number)),
            ["dname", "*@A"] => w is not null && w.DName.Realm is "A",
            ["dname", "n2@*"] => w is not null && w.DName.User is "n2",
            ["domain", var name] => domain == name,
            [var uid] => uid == watcher.ToString(),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }
}
