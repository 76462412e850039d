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

    private static RouterInput.Publish Publish(Status status, long connection) => new(Connection(connection, connection == 2 ? GatewayB : GatewayA), UidOf("alice"), status, default);

    private List<Effect> Late(Status status, int age) => shard.Apply(new RouterInput.Late(Publish(status, connection: 1), Second * age));
}
