using CsCheck;
using StatusDaemon.Names;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Privileges;

public sealed class DirectoryChangeTests
{
    private static readonly Gen<(DirectorySnapshot Old, DirectorySnapshot Next)> Pairs = Gen.Select(Any, Any);

    [Fact]
    public void It_agrees_with_a_comparison_of_each_subscriber() =>
        Pairs.Sample(pair =>
        {
            var change = DirectoryChange.Between(pair.Old, pair.Next);
            return Same(change.Added, uid => !Has(pair.Old, uid) && Has(pair.Next, uid))
                && Same(change.Removed, uid => Has(pair.Old, uid) && !Has(pair.Next, uid))
                && Same(change.RulesChanged, uid => Both(pair, uid) && Rules(pair.Old, uid) != Rules(pair.Next, uid))
                && Same(change.AttributesChanged, uid => Both(pair, uid) && Attributes(pair.Old, uid) != Attributes(pair.Next, uid))
                && change.PolicyChanged == (pair.Old.Policy != pair.Next.Policy);
        }, iter: 5_000, threads: 1);

    [Fact]
    public void A_verdict_differs_only_where_the_change_says_so() =>
        Pairs.Sample(pair =>
        {
            var change = DirectoryChange.Between(pair.Old, pair.Next);
            return change.PolicyChanged || Uids.All(p => Uids.All(w =>
                pair.Old.Judge(UidOf(p), UidOf(w)).IsVisible == pair.Next.Judge(UidOf(p), UidOf(w)).IsVisible
                || Publisher(change, UidOf(p)) || Watcher(change, UidOf(w))));
        }, iter: 5_000, threads: 1);

    [Fact]
    public void A_directory_does_not_differ_from_itself() => Any.Sample(directory => IsEmpty(DirectoryChange.Between(directory, directory)));

    [Fact]
    public void The_order_of_numbers_and_a_display_name_change_nothing()
    {
        var alice = new Subscriber { Uid = UidOf("u0"), DName = DNameOf("alice@A"), Numbers = [NumberOf("1"), NumberOf("2")] };
        var other = alice with { Numbers = [NumberOf("2"), NumberOf("1")], Name = "Alice" };
        Assert.True(IsEmpty(DirectoryChange.Between(new([alice], new()), new([other], new()))));
        var moved = alice with { Numbers = [NumberOf("1"), NumberOf("3")] };
        Assert.Equal([alice.Uid], DirectoryChange.Between(new([alice], new()), new([moved], new())).AttributesChanged);
    }

    private static bool IsEmpty(DirectoryChange change) =>
        change is { Added.Count: 0, Removed.Count: 0, RulesChanged.Count: 0, AttributesChanged.Count: 0, PolicyChanged: false };

    private static bool Publisher(DirectoryChange change, Uid uid) => change.Added.Contains(uid) || change.Removed.Contains(uid) || change.RulesChanged.Contains(uid);

    private static bool Watcher(DirectoryChange change, Uid uid) => change.Added.Contains(uid) || change.Removed.Contains(uid) || change.AttributesChanged.Contains(uid);

    private static bool Same(IReadOnlySet<Uid> set, Func<string, bool> belongs) =>
        set.Select(uid => uid.ToString()).Order(StringComparer.Ordinal).SequenceEqual(Uids.Where(belongs));

    private static bool Has(DirectorySnapshot directory, string uid) => directory.Subscribers.Any(subscriber => subscriber.Uid.ToString() == uid);

    private static bool Both((DirectorySnapshot Old, DirectorySnapshot Next) pair, string uid) => Has(pair.Old, uid) && Has(pair.Next, uid);

    private static string Rules(DirectorySnapshot directory, string uid)
    {
        var rules = directory.Subscribers.Single(subscriber => subscriber.Uid.ToString() == uid).Rules;
        return $"{string.Join(',', rules.Black)} {string.Join(',', rules.White)}";
    }

    private static string Attributes(DirectorySnapshot directory, string uid)
    {
        var subscriber = directory.Subscribers.Single(subscriber => subscriber.Uid.ToString() == uid);
        return $"{subscriber.DName} {subscriber.Domain} {string.Join(',', subscriber.Numbers.Select(number => number.ToString()).Order(StringComparer.Ordinal))}";
    }
}
