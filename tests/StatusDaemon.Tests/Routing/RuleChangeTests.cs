using StatusDaemon.Privileges;
using static StatusDaemon.Privileges.SmallDirectories;
using static StatusDaemon.Routing.Shard;

namespace StatusDaemon.Routing;

/// <summary>How much a changed rule costs: the watches that it can touch are judged, and no others, though the publisher has many.</summary>
public sealed class RuleChangeTests
{
    private const int Watchers = 500;
    private static readonly DirectoryPolicy Policy = new() { Home = DomainOf("home"), AllowsByDefault = true };

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
