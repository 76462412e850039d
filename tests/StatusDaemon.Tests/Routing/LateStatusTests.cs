using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;
using static StatusDaemon.Routing.Shard;

namespace StatusDaemon.Routing;

/// <summary>Statuses that had to wait on their way, because a gateway hung or was cut off.</summary>
public sealed class LateStatusTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly Shard shard = Shard.Ready();

    public LateStatusTests()
    {
        shard.Apply(new RouterInput.Declare(GatewayA));
        shard.Apply(new RouterInput.Declare(GatewayB));
        shard.Open("alice", connection: 1);
        shard.Open("alice", connection: 2, GatewayB);
    }

    [Fact]
    public void One_that_was_said_before_what_counts_now_does_not_count()
    {
        shard.After(Second * 10, GatewayA, GatewayB);
        shard.Apply(Publish(Status.Busy, connection: 2));
        shard.After(Second * 2, GatewayA, GatewayB);
        Assert.Empty(Late(Status.Absent, age: 3));
        Assert.Equal(Status.Busy, shard.StatusOf("alice"));
    }

    [Fact]
    public void One_that_was_said_after_it_does()
    {
        shard.Apply(Publish(Status.Busy, connection: 2));
        shard.After(Second * 10, GatewayA, GatewayB);
        Late(Status.Absent, age: 3);
        Assert.Equal(Status.Absent, shard.StatusOf("alice"));
    }

    [Fact]
    public void Those_that_come_late_together_count_in_their_order()
    {
        shard.After(Second * 10, GatewayA, GatewayB);
        Late(Status.Absent, age: 5);
        Late(Status.Incoming, age: 5);
        Late(Status.Busy, age: 4);
        Assert.Equal(Status.Busy, shard.StatusOf("alice"));
    }

    [Theory, InlineData(-3600), InlineData(3600)]
    public void Whoever_sets_the_wall_clock_meanwhile_makes_no_difference(int seconds)
    {
        shard.After(Second * 10, GatewayA, GatewayB);
        shard.Apply(Publish(Status.Busy, connection: 2));
        shard.Now = shard.Now with { Utc = shard.Now.Utc + (Second * seconds) };
        shard.After(Second * 5, GatewayA, GatewayB);
        Late(Status.Absent, age: 6);
        Assert.Equal(Status.Busy, shard.StatusOf("alice"));
        Late(Status.Incoming, age: 4);
        Assert.Equal(Status.Incoming, shard.StatusOf("alice"));
    }

    [Fact]
    public void What_was_said_while_the_shard_was_away_counts_by_when_it_was_said()
    {
        shard.Apply(Publish(Status.Busy, connection: 2));
        shard.Away(Second * 60);
        Late(Status.Absent, age: 20);
        Assert.Equal(Status.Absent, shard.StatusOf("alice"));
        Late(Status.Incoming, age: 30);
        Assert.Equal(Status.Absent, shard.StatusOf("alice"));
    }

    [Fact]
    public void What_was_taken_over_from_elsewhere_was_said_before()
    {
        var other = new Shard();
        other.Apply(new RouterInput.Declare(GatewayA));
        other.Apply(new RouterInput.AllRead([]));
        other.Open("alice", connection: 1);
        other.Apply(new RouterInput.Adopt(UidOf("alice"), Record(Status.Busy, 1, 1) with { Source = new ChangeSource(SourceKind.Client, "alice", "", other.Now.Utc + (Second * 600)) }));
        other.Apply(new RouterInput.Late(new RouterInput.Publish(Connection(1), UidOf("alice"), Status.Absent, default), Second * 3));
        Assert.Equal(Status.Absent, other.StatusOf("alice"));
    }

    [Theory, InlineData(true), InlineData(false)]
    public void What_a_newcomer_says_before_the_directory_here_knows_him_counts_from_then_on_if_he_is_still_there(bool stays)
    {
        var early = Shard.Ready(directory: Everyone([], except: "alice"));
        early.Open("alice", connection: 1);
        early.Watch("bob", "alice", connection: 2, gateway: GatewayB);
        Assert.Empty(early.Publish("alice", Status.Busy));
        Assert.Empty(early.Publish("alice", Status.Absent));
        early.Open("alice", connection: 3);
        early.Close(stays ? 3 : 1);
        early.After(Second, GatewayA, GatewayB);
        var told = early.Follow(Everyone([]));
        Assert.Equal(stays ? Status.Absent : Status.Unknown, early.StatusOf("alice"));
        Assert.Equal(stays, told.OfType<Effect.Deliver>().Any(deliver => deliver.Record.Shown == Status.Absent));
        Assert.Equal(stays, early.Router.RecordOf(UidOf("alice")).Source.At == early.Now.Utc - Second);
    }

    private static RouterInput.Publish Publish(Status status, long connection) => new(Connection(connection, connection == 2 ? GatewayB : GatewayA), UidOf("alice"), status, default);

    private List<Effect> Late(Status status, int age) => shard.Apply(new RouterInput.Late(Publish(status, connection: 1), Second * age));
}
