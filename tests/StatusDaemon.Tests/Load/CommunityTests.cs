
namespace StatusDaemon.Load;

public sealed class CommunityTests
{
    private static readonly Scenario Small = new("small", LoadKind.Flood, 50, 7, 0, IsStar: false, 1, 0, 0, 0);

    [Fact]
    public void A_uid_names_its_person_and_nobody_of_another_part()
    {
        var (one, other) = (new Community(Small, 0), new Community(Small, 1));
        Assert.All(Enumerable.Range(0, one.Count), person => Assert.Equal(person, one.NumberOf(one.UidOf(person))));
        Assert.All(Enumerable.Range(0, one.Count), person => Assert.Equal(-1, one.NumberOf(other.UidOf(person))));
    }

    [Fact]
    public void Everybody_watches_so_many_others_and_never_himself()
    {
        var community = new Community(Small, 0);
        for (var person = 0; person < community.Count; person++)
        {
            var watched = community.WatchedBy(person).ToArray();
            Assert.Equal(Small.Watches, watched.Distinct().Count());
            Assert.DoesNotContain(person, watched);
        }

        Assert.Equal(Small.Connections * Small.Watches, Enumerable.Range(0, community.Count).Sum(community.WatchersOf));
    }

    [Theory, InlineData(1), InlineData(3)]
    public void The_parts_of_a_scenario_are_all_of_it(int parts)
    {
        var shares = Enumerable.Range(0, parts).Select(part => Small.Part(part, parts)).ToArray();
        Assert.Equal(Small.Connections, shares.Sum(share => share.Connections));
    }
}
