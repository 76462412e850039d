using StatusDaemon.Cluster;
using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Gateway;

/// <summary>Each number of <see cref="GatewayLoad"/> moves for its reason, and comes back when that is gone.</summary>
public sealed class GatewayLoadTests
{
    private static readonly GatewayId Gateway = new(1);
    private readonly FanOut fanOut = new(Gateway, new UidTable(), shards: 1, new Limits());
    private long told;

    private ShardLink Link => fanOut.Links[0];

    [Fact]
    public void A_shard_is_away_until_it_answers_and_while_it_does_not()
    {
        Assert.Equal(1, fanOut.Load.Away);
        Reach();
        Assert.Equal(0, fanOut.Load.Away);
        Link.Next();
        Link.Failed();
        Assert.Equal(1, fanOut.Load.Away);
        Answer();
        Assert.Equal(0, fanOut.Load.Away);
    }

    [Fact]
    public void What_a_client_says_waits_for_its_shard_and_then_for_the_store()
    {
        Reach();
        var client = fanOut.Admit(UidOf("alice"), default, new CountingSink());
        fanOut.Take(client, new ClientWish(Status.Busy, default, []), isLocal: true);
        Assert.Equal((1, 2, 0), (fanOut.Load.Clients, fanOut.Load.Waiting, fanOut.Load.Unsaved));
        Link.Next();
        Assert.Equal(2, fanOut.Load.Waiting);
        Answer(accepted: new FeedKey(1, 5));
        Assert.Equal((0, 1), (fanOut.Load.Waiting, fanOut.Load.Unsaved));
        Link.Next();
        Answer(saved: new FeedKey(1, 5));
        Assert.Equal(0, fanOut.Load.Unsaved);
    }

    [Fact]
    public void Who_does_not_read_is_behind_and_what_is_overtaken_for_it_is_counted()
    {
        var (client, sink) = Seeing("p");
        sink.Room = 0;
        foreach (var status in (Status[])[Status.Busy, Status.Absent, Status.Enable])
        {
            Deliver("p", status);
        }

        Assert.Equal((1, 2L), (fanOut.Load.Behind, fanOut.Load.Conflated));
        sink.Room = 9;
        fanOut.Drained(client, default);
        Assert.Equal(0, fanOut.Load.Behind);

        sink.Room = 0;
        Deliver("p", Status.Busy);
        Assert.Equal(1, fanOut.Load.Behind);
        fanOut.Remove(client);
        Assert.Equal((0, 0), (fanOut.Load.Behind, fanOut.Load.Clients));
    }

    [Fact]
    public void What_a_turn_has_no_room_for_is_overdue_and_what_is_overtaken_there_is_counted()
    {
        Seeing("p");
        fanOut.BeginTurn(default, frames: 0);
        fanOut.Take(new DeliveryBatch(1, ++told, [Change("p", Status.Busy), Change("p", Status.Absent)]));
        Assert.Equal((1, 1L), (fanOut.Load.Overdue, fanOut.Load.Conflated));
        fanOut.BeginTurn(default, int.MaxValue);
        Assert.Equal(0, fanOut.Load.Overdue);
    }

    private void Reach()
    {
        Link.Next();
        Answer(mustDeclare: true);
        Link.Next();
        Answer();
    }

    private void Answer(bool mustDeclare = false, FeedKey? accepted = null, FeedKey saved = default) =>
        Link.Answered(new ShardAnswer(1, mustDeclare, 7, saved, DateTimeOffset.UnixEpoch, accepted is { } key ? [key] : [], []));

    private (Client Client, CountingSink Sink) Seeing(string publisher)
    {
        Reach();
        var sink = new CountingSink();
        var client = fanOut.Admit(UidOf("alice"), default, sink);
        fanOut.Take(client, new ClientWish(null, default, [(UidOf(publisher), true)]), isLocal: true);
        var request = Link.Next().Inputs.OfType<RouterInput.Watch>().Single().Request;
        Answer();
        Take(new Effect.Tell(client.Id, UidOf(publisher), request, IsVisible: true, default, new DeliveryStamp(1, ++told)));
        return (client, sink);
    }

    private void Deliver(string publisher, Status status) => Take(Change(publisher, status));

    private void Take(Effect effect)
    {
        fanOut.BeginTurn(default, int.MaxValue);
        fanOut.Take(new DeliveryBatch(1, ++told, [effect]));
        fanOut.Flush(default);
    }

    private Effect.Deliver Change(string publisher, Status status) => new(
        Gateway, UidOf(publisher), new StatusRecord(status, default, new StatusVersion(7, 1, ++told), new ChangeSource(SourceKind.Client, "", "", DateTimeOffset.UnixEpoch)), new DeliveryStamp(1, told));
}
