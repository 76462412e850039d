using CsCheck;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using static StatusDaemon.Privileges.SmallDirectories;
using static StatusDaemon.Routing.Shard;

namespace StatusDaemon.Routing;

/// <summary>How much a changed rule costs: the watches that it can touch are judged, and no others, though the publisher has many.</summary>
public sealed class RuleChangeTests
{
    private const int Watchers = 500;
    private static readonly DirectoryPolicy Policy = new() { Home = DomainOf("home"), AllowsByDefault = true };

    private static readonly Gen<(DirectorySnapshot Start, (int Kind, int Person, Selector[] Selectors, DirectorySnapshot Other)[] Steps)> Histories =
        Gen.Select(SmallDirectories.Any, Gen.Select(Gen.Int[0, 12], Gen.Int[0, 4], Selectors.Array[0, 3], SmallDirectories.Any, (kind, person, selectors, other) => (kind, person, selectors, other)).Array[0, 30]);

    /// <summary>Watchers 0 to 499 with numbers 1000 to 1499; every tenth is of another domain. One more is in the directory and watches nobody, one watches and is not in it.</summary>
    private static readonly DirectorySnapshot Everybody = new(
        [
            new Subscriber { Uid = UidOf("publisher"), Domain = DomainOf("home"), Numbers = [NumberOf("900")] },
            new Subscriber { Uid = UidOf("elsewhere"), Domain = DomainOf("beta"), Numbers = [NumberOf("1999")] },
            .. Enumerable.Range(0, Watchers).Select(number => new Subscriber
            {
                Uid = UidOf($"w{number}"),
                DName = DNameOf($"w{number}@{(number < 5 ? "A" : "B")}"),
                Numbers = [NumberOf($"{1000 + number}")],
                Domain = number % 10 == 0 ? DomainOf("beta") : default,
            }),
        ],
        Policy);

    /// <summary>Everybody watches everybody, by two connections each; the shard is told of some snapshots and misses others.</summary>
    [Fact]
    public void Judging_whom_a_change_speaks_of_is_judging_everybody() => Histories.Sample(history =>
    {
        var shard = Ready(directory: history.Start);
        var latest = history.Start;
        var shown = new Dictionary<(ConnectionId Connection, Uid Publisher), bool>();
        var known = history.Start.Subscribers.Select(subscriber => subscriber.Uid).ToHashSet(Uid.Comparer);
        for (var connection = 0; connection < 2 * Uids.Length; connection++)
        {
            foreach (var publisher in Uids)
            {
                Note(shard.Watch(Uids[connection / 2], publisher, connection, gateway: connection % 2 == 0 ? GatewayA : GatewayB), shown);
            }
        }

        foreach (var (kind, person, selectors, other) in history.Steps)
        {
            var edit = new DirectoryEdit(latest);
            switch (kind)
            {
                case 0:
                    edit.SetLookUp(NumberOf("11"), UidOf(Uids[person % 4]));
                    break;
                case < 6:
                    edit.SetBlack(UidOf(Uids[person]), selectors);
                    break;
                case < 10:
                    edit.SetWhite(UidOf(Uids[person]), selectors);
                    break;
            }

            latest = kind == 12 ? Derived(latest, other) : edit.Apply();
            if (kind != 11)
            {
                var told = shard.FollowDerived(latest);
                known.UnionWith(latest.Subscribers.Select(subscriber => subscriber.Uid));
                Note(told, shown);
                Assert.Equal(told.OfType<Effect.Tell>().OrderBy(tell => tell.IsVisible), told);
            }

            foreach (var ((connection, publisher), isVisible) in shown)
            {
                var watcher = UidOf(Uids[connection.Number / 2]);
                var isGone = known.Contains(publisher) && !shard.Directory.TryGet(publisher, out _); // hidden from everyone (decision 0011)
                Assert.Equal(publisher.Equals(watcher) || (!isGone && shard.Directory.Judge(publisher, watcher).IsVisible), isVisible);
            }
        }
    }, iter: 2_000, threads: 1);

    [Theory]
    [InlineData("w7", 1, 1)]
    [InlineData("nobody", 0, 0)]
    [InlineData("number:1123", 1, 1)]
    [InlineData("number:112*", 10, 10)]
    [InlineData("number:1*7", 50, 50)] // all of a prefix are looked at, those who fit are judged
    [InlineData("number:2*", 0, 0)]
    [InlineData("dname:w3@A", 1, 1)]
    [InlineData("dname:w12*", 11, 11)]
    [InlineData("domain:beta", 50, 50)]
    [InlineData("number:*23", 5, 5)] // no index tells: the watchers are asked
    [InlineData("dname:*@A", 5, 5)]
    [InlineData("domain:home", 450, 450)]
    [InlineData("*", 501, 501)]
    public void A_selector_that_comes_or_goes_costs_verdicts_only_where_it_matches(string selector, int hidden, int verdicts)
    {
        var shard = Watched();
        var before = shard.Router.Verdicts;
        Assert.Equal(hidden, Change(shard, edit => edit.SetBlack(UidOf("publisher"), [SelectorOf(selector), SelectorOf("somebody")])).Count);
        Assert.Equal(hidden, Change(shard, edit => edit.SetBlack(UidOf("publisher"), [SelectorOf("somebody")])).Count);
        Assert.Equal(2 * verdicts, shard.Router.Verdicts - before);
    }

    [Fact]
    public void A_white_list_that_has_entries_costs_verdicts_only_where_they_match()
    {
        var shard = Watched();
        Assert.Equal(Watchers, Change(shard, edit => edit.SetWhite(UidOf("publisher"), [SelectorOf("w1")])).Count); // all but one, and who is in no directory
        var before = shard.Router.Verdicts;
        Assert.Equal(10, Change(shard, edit => edit.SetWhite(UidOf("publisher"), [SelectorOf("w1"), SelectorOf("number:112*")])).Count);
        Assert.Equal(10, shard.Router.Verdicts - before);
        Assert.Equal(Watchers - 10, Change(shard, edit => edit.SetWhite(UidOf("publisher"), [])).Count);
    }

    [Fact]
    public void A_change_of_other_peoples_rules_or_of_the_order_of_selectors_costs_nothing()
    {
        var shard = Watched();
        Change(shard, edit => edit.SetBlack(UidOf("publisher"), [SelectorOf("w1"), SelectorOf("*")]));
        var before = shard.Router.Verdicts;
        Change(shard, edit => edit.SetBlack(UidOf("publisher"), [SelectorOf("*"), SelectorOf("w1")]));
        Change(shard, edit => edit.SetBlack(UidOf("w3"), [SelectorOf("*")]));
        Change(shard, edit => edit.SetDescription(UidOf("publisher"), new Description(Name: "Somebody", Domain: DomainOf("home"))));
        Assert.Equal(before, shard.Router.Verdicts);
    }

    [Fact]
    public void Who_gets_a_number_in_the_moment_in_which_a_rule_begins_to_speak_of_it_is_hidden()
    {
        var shard = Watched();
        var told = Change(shard, edit =>
        {
            edit.SetLookUp(NumberOf("1003"), UidOf("w4"));
            edit.SetBlack(UidOf("publisher"), [SelectorOf("number:1003")]);
        });
        Assert.Equal(Connection(5), Assert.IsType<Effect.Tell>(Assert.Single(told)).Connection);
    }

    private static void Note(List<Effect> told, Dictionary<(ConnectionId Connection, Uid Publisher), bool> shown)
    {
        foreach (var tell in told.Cast<Effect.Tell>())
        {
            shown[(tell.Connection, tell.Publisher)] = tell.IsVisible;
        }
    }

    private static Shard Watched()
    {
        var shard = Ready(directory: Everybody);
        for (var number = 0; number < Watchers; number++)
        {
            shard.Watch($"w{number}", "publisher", connection: 1 + number);
        }

        shard.Watch("stranger", "publisher", connection: 1 + Watchers);
        return shard;
    }

    private static List<Effect> Change(Shard shard, Action<DirectoryEdit> change)
    {
        var edit = new DirectoryEdit(shard.Directory);
        change(edit);
        return shard.FollowDerived(edit.Apply());
    }
}
