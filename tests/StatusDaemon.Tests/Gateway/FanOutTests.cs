using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Gateway;

public sealed class FanOutTests
{
    private static readonly GatewayId Gateway = new(1);
    private static readonly ClientOrigin Origin = new("actor", "test");

    private readonly UidTable uids = new();
    private readonly FanOut fanOut;
    private readonly Dictionary<(ConnectionId, Uid), uint> requests = [];
    private long told;
    private long batches;

    public FanOutTests()
    {
        fanOut = new FanOut(Gateway, uids, shards: 1, new Limits { SubscriptionsPerConnection = 3 });
        fanOut.Links[0].Next();
        fanOut.Links[0].Answered(new ShardAnswer(1, MustDeclare: true, 7, default, DateTimeOffset.UnixEpoch, [], []));
        Pass();
    }

    [Fact]
    public void A_message_that_would_pass_the_limit_is_refused_whole()
    {
        var client = Admit("alice", out _);
        Assert.Null(Take(client, null, ("a", true), ("b", true)));
        Assert.Same(ErrorMessage.TooManySubscriptions, Take(client, Status.Busy, ("b", false), ("c", true), ("d", true), ("e", true)));
        Assert.Equal(2, client.Topics.Count);
        Assert.DoesNotContain(Pass(), input => input is RouterInput.Unwatch or RouterInput.Publish);
        Assert.Null(Take(client, null, ("a", false), ("c", true), ("d", true), ("b", true)));
        Assert.Equal(3, client.Topics.Count);
    }

    [Fact]
    public void The_limit_holds_after_every_event_in_their_order()
    {
        var client = Admit("alice", out _);
        Take(client, null, ("a", true), ("b", true), ("c", true));
        Assert.Same(ErrorMessage.TooManySubscriptions, Take(client, null, ("d", true), ("a", false)));
        Assert.Null(Take(client, null, ("a", false), ("d", true)));
    }

    [Fact]
    public void A_status_of_a_remote_subscriber_is_refused_with_all_that_came_with_it()
    {
        var client = Admit("alice", out _);
        Assert.Same(ErrorMessage.NotLocal, fanOut.Take(client, new ClientWish(Status.Busy, default, [(UidOf("a"), true)]), isLocal: false));
        Assert.Equal(0, client.Topics.Count);
    }

    [Fact]
    public void A_status_goes_to_those_who_may_see_it_and_to_nobody_else()
    {
        var (one, other) = (Watching("alice", out var seen, "p"), Watching("bob", out var hidden, "p"));
        Tell(one, "p", isVisible: true, Status.Enable);
        Tell(other, "p", isVisible: false);
        Deliver("p", Status.Busy);
        fanOut.Flush(default);
        Assert.Equal([("p", Status.Enable), ("p", Status.Busy)], seen.Shown);
        Assert.Equal([("p", Status.Unknown)], hidden.Shown);
    }

    [Fact]
    public void All_who_see_a_status_are_sent_the_same_bytes()
    {
        var (one, other) = (Watching("alice", out var first, "p"), Watching("bob", out var second, "p"));
        Tell(one, "p", isVisible: true, Status.Enable);
        Tell(other, "p", isVisible: true, Status.Enable);
        Assert.Equal(first.Frames, second.Frames);
    }

    [Fact]
    public void Unknown_and_hidden_are_the_same_bytes()
    {
        var (one, other) = (Watching("alice", out var unknown, "p"), Watching("bob", out var hidden, "p"));
        Tell(one, "p", isVisible: true);
        Tell(other, "p", isVisible: false);
        Assert.Equal(unknown.Frames, hidden.Frames);
    }

    [Fact]
    public void A_client_that_does_not_read_is_owed_the_latest_of_each_publisher_what_rings_first()
    {
        var client = Watching("alice", out var sink, "a", "b", "c");
        foreach (var publisher in new[] { "a", "b", "c" })
        {
            Tell(client, publisher, isVisible: true, Status.Enable);
        }

        sink.Shown.Clear();
        sink.Room = 0;
        fanOut.Flush(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.FromSeconds(1), client.BehindSince);
        for (var round = 0; round < 100; round++)
        {
            Deliver("a", Status.Absent);
            Deliver("a", Status.Busy);
            Deliver("b", Status.Enable);
            Deliver("b", Status.Absent);
            Deliver("c", Status.Incoming);
        }

        Assert.Equal(3, client.Backlog.Owed.Count);
        Assert.Empty(sink.Shown);
        sink.Room = int.MaxValue;
        fanOut.Drained(client, default);
        Assert.Equal([("c", Status.Incoming), ("a", Status.Busy), ("b", Status.Absent)], sink.Shown);
        Assert.False(client.HasBacklog);
    }

    [Fact]
    public void A_client_that_reads_a_little_is_owed_the_rest()
    {
        var client = Watching("alice", out var sink, "a", "b", "c");
        sink.Room = 0;
        fanOut.Flush(default);
        Tell(client, "a", isVisible: true, Status.Enable);
        Tell(client, "b", isVisible: true, Status.Busy);
        Tell(client, "c", isVisible: true, Status.Incoming);
        fanOut.Flush(default);
        sink.Room = 1;
        fanOut.Drained(client, default);
        Assert.Equal([("c", Status.Incoming)], sink.Shown);
        Assert.NotNull(client.BehindSince);
        sink.Room = 9;
        fanOut.Drained(client, default);
        Assert.Equal([("c", Status.Incoming), ("a", Status.Enable), ("b", Status.Busy)], sink.Shown);
        Assert.Null(client.BehindSince);
    }

    [Fact]
    public void A_hide_that_waits_is_paid_as_unknown()
    {
        var client = Watching("alice", out var sink, "p");
        Tell(client, "p", isVisible: true, Status.Enable);
        sink.Room = 0;
        fanOut.Flush(default);
        Deliver("p", Status.Busy);
        Tell(client, "p", isVisible: false);
        sink.Room = 9;
        fanOut.Drained(client, default);
        Assert.Equal([("p", Status.Enable), ("p", Status.Unknown)], sink.Shown);
    }

    [Fact]
    public void What_is_owed_of_a_publisher_that_is_watched_no_more_is_forgotten()
    {
        var client = Watching("alice", out var sink, "p");
        Tell(client, "p", isVisible: true, Status.Enable);
        sink.Room = 0;
        fanOut.Flush(default);
        Deliver("p", Status.Busy);
        Take(client, null, ("p", false));
        sink.Room = 9;
        fanOut.Drained(client, default);
        Assert.Equal([("p", Status.Enable)], sink.Shown);
        Assert.Equal(0, fanOut.TopicCount);
    }

    [Fact]
    public void Whoever_subscribes_and_unsubscribes_and_never_reads_is_owed_no_more_than_it_watches()
    {
        var client = Watching("alice", out var sink, "p");
        Tell(client, "p", isVisible: true, Status.Enable);
        sink.Room = 0;
        for (var round = 0; round < 1_000; round++)
        {
            Take(client, null, ($"q{round}", true));
            Pass();
            Tell(client, $"q{round}", isVisible: true, Status.Busy);
            Take(client, null, ($"q{round}", false));
            Assert.InRange(client.Backlog.Owed.Count, 1, 100);
        }
    }

    [Fact]
    public void An_older_stamp_never_follows_a_newer_one()
    {
        var client = Watching("alice", out var sink, "p");
        Tell(client, "p", isVisible: true, Status.Enable);
        Deliver("p", Status.Busy, epoch: 2, counter: 1);
        Deliver("p", Status.Absent, epoch: 1, counter: 99);
        fanOut.Flush(default);
        Assert.Equal([("p", Status.Enable), ("p", Status.Busy)], sink.Shown);
    }

    [Fact]
    public void A_batch_that_arrives_again_says_nothing()
    {
        var client = Watching("alice", out var sink, "p");
        Tell(client, "p", isVisible: true, Status.Enable);
        var request = requests[(client.Id, UidOf("p"))];
        var reveal = new DeliveryBatch(9, 1, [new Effect.Tell(client.Id, UidOf("p"), request, false, default, new DeliveryStamp(1, 90))]);
        Take(reveal);
        Tell(client, "p", isVisible: true, Status.Enable);
        Take(reveal);
        Assert.Equal([("p", Status.Enable), ("p", Status.Unknown), ("p", Status.Enable)], sink.Shown);
    }

    [Fact]
    public void What_a_turn_has_no_room_for_waits_in_a_row_the_latest_of_each_publisher()
    {
        var sinks = Enumerable.Range(0, 3).Select(number => Seeing($"watcher-{number}", "a", "b", "c").Sink).ToArray();

        fanOut.BeginTurn(default, frames: 1);
        fanOut.Take(Batch(Change("a", Status.Busy), Change("b", Status.Busy), Change("c", Status.Busy), Change("b", Status.Absent)));
        Assert.All(sinks, sink => Assert.Equal([("a", Status.Busy)], sink.Taken()));

        fanOut.BeginTurn(default, frames: 1);
        fanOut.Take(Batch(Change("a", Status.Incoming)));
        Assert.All(sinks, sink => Assert.Equal([("b", Status.Absent)], sink.Taken()));
        Assert.True(fanOut.IsOverdue);

        fanOut.BeginTurn(default, frames: 4);
        Assert.All(sinks, sink => Assert.Equal([("c", Status.Busy), ("a", Status.Incoming)], sink.Taken()));
        Assert.False(fanOut.IsOverdue);
    }

    [Fact]
    public void Who_subscribes_to_what_waits_is_answered_with_it_once()
    {
        var (_, early) = Seeing("early", "p");
        var late = Watching("late", out var sink, "p");

        fanOut.BeginTurn(default, frames: 0);
        fanOut.Take(Batch(Change("p", Status.Busy), Answer(late, "p", isVisible: true, Status.Absent)));
        Assert.Empty(sink.Taken());

        fanOut.BeginTurn(default, frames: 1);
        Assert.Equal([("p", Status.Absent)], sink.Taken());
        Assert.Equal([("p", Status.Absent)], early.Taken());
    }

    [Fact]
    public void A_hide_does_not_wait_and_nothing_of_what_waits_follows_it()
    {
        var (client, sink) = Seeing("alice", "p");

        fanOut.BeginTurn(default, frames: 0);
        fanOut.Take(Batch(Change("p", Status.Busy), Answer(client, "p", isVisible: false)));
        fanOut.BeginTurn(default, frames: 1);

        Assert.Equal([("p", Status.Unknown)], sink.Taken());
    }

    [Fact]
    public void Who_reads_again_while_its_publisher_waits_is_sent_the_latest_once()
    {
        var (client, sink) = Seeing("alice", "p");
        sink.Room = 0;
        Deliver("p", Status.Busy);
        fanOut.Flush(default);

        fanOut.BeginTurn(default, frames: 0);
        fanOut.Take(Batch(Change("p", Status.Absent)));
        sink.Room = 9;
        fanOut.Drained(client, default);
        fanOut.BeginTurn(default, frames: 1);

        Assert.Equal([("p", Status.Absent)], sink.Taken());
        Assert.False(client.HasBacklog);
    }

    [Fact]
    public void A_hide_that_is_owed_is_paid_though_its_publisher_waits()
    {
        var (client, sink) = Seeing("alice", "p");
        Seeing("bob", "p");
        sink.Room = 0;
        Deliver("p", Status.Busy);
        fanOut.Flush(default);
        Tell(client, "p", isVisible: false);

        fanOut.BeginTurn(default, frames: 0);
        fanOut.Take(Batch(Change("p", Status.Absent)));
        sink.Room = 9;
        fanOut.Drained(client, default);

        Assert.Equal([("p", Status.Unknown)], sink.Taken());
    }

    [Fact]
    public void A_status_that_passed_a_watch_by_while_its_shard_started_anew_is_sent_with_the_verdict()
    {
        var (one, first) = Seeing("alice", "p");
        var (other, second) = Seeing("bob", "p");
        fanOut.Links[0].Next();
        Assert.True(fanOut.Links[0].Answered(new ShardAnswer(2, MustDeclare: true, 7, default, DateTimeOffset.UnixEpoch, [], [])));
        Pass(2);

        Take(Batch(Answer(one, "p", isVisible: true, Status.Busy, epoch: 2)));
        Take(Batch(Answer(other, "p", isVisible: true, Status.Busy, epoch: 2)));

        Assert.Equal([("p", Status.Busy)], first.Taken());
        Assert.Equal([("p", Status.Busy)], second.Taken());
    }

    [Fact]
    public void What_rings_goes_first_even_if_it_rang_when_it_was_owed_already()
    {
        var (client, sink) = Seeing("alice", "a", "b", "c");
        sink.Room = 0;
        Deliver("a", Status.Busy);
        Deliver("b", Status.Busy);
        Deliver("c", Status.Busy);
        fanOut.Flush(default);
        Deliver("b", Status.Incoming); // and stops
        Deliver("b", Status.Absent);
        Deliver("c", Status.Incoming);

        sink.Room = 1;
        fanOut.Drained(client, default);
        Assert.Equal([("c", Status.Incoming)], sink.Taken());
        sink.Room = 9;
        fanOut.Drained(client, default);
        Assert.Equal([("a", Status.Busy), ("b", Status.Absent)], sink.Taken());
        Assert.False(client.HasBacklog);
    }

    [Fact]
    public void Debts_that_are_paid_use_the_turn_up_as_well()
    {
        var (client, sink) = Seeing("alice", "a", "b");
        var (_, other) = Seeing("bob", "p");
        sink.Room = 0;
        Deliver("a", Status.Busy);
        Deliver("b", Status.Busy);
        fanOut.Flush(default);

        fanOut.BeginTurn(default, frames: 2);
        sink.Room = 9;
        fanOut.Drained(client, default);
        fanOut.Take(Batch(Change("p", Status.Busy)));

        Assert.Empty(other.Taken());
        Assert.True(fanOut.IsOverdue);
    }

    [Fact]
    public void What_waits_of_a_publisher_whom_nobody_watches_any_more_is_forgotten()
    {
        var (client, sink) = Seeing("alice", "p");
        fanOut.BeginTurn(default, frames: 0);
        fanOut.Take(Batch(Change("p", Status.Busy)));
        Take(client, null, ("p", false));

        fanOut.BeginTurn(default, frames: 1);

        Assert.Empty(sink.Taken());
        Assert.Equal(0, fanOut.TopicCount);
    }

    [Fact]
    public void The_answer_to_an_earlier_wish_is_not_taken()
    {
        var client = Watching("alice", out var sink, "p");
        var first = requests[(client.Id, UidOf("p"))];
        Take(client, null, ("p", true));
        Take(new DeliveryBatch(9, 1, [new Effect.Tell(client.Id, UidOf("p"), first, true, Record(Status.Busy), new DeliveryStamp(1, 1))]));
        Assert.Empty(sink.Shown);
        Pass();
        Tell(client, "p", isVisible: false);
        Assert.Equal([("p", Status.Unknown)], sink.Shown);
    }

    [Fact]
    public void A_client_for_which_many_answers_wait_is_not_listened_to_until_it_has_read_some()
    {
        var client = Admit("alice", out var sink);
        sink.Room = 0;
        for (var reply = 0; reply < Client.MaxReplies; reply++)
        {
            Assert.False(sink.IsPaused);
            fanOut.Reply(client, ErrorMessage.RateLimited.Frame);
        }

        Assert.True(sink.IsPaused);
        fanOut.Reply(client, ErrorMessage.RateLimited.Frame); // to what was read already
        sink.Room = 1;
        fanOut.Drained(client, default);
        Assert.True(sink.IsPaused);
        sink.Room = 1;
        fanOut.Drained(client, default);
        Assert.False(sink.IsPaused);
        sink.Room = int.MaxValue;
        fanOut.Drained(client, default);
        Assert.Equal(Client.MaxReplies + 1, sink.Frames.Count);
    }

    [Fact]
    public void When_all_have_left_nothing_is_held()
    {
        var clients = new[] { Watching("alice", out _, "a", "b"), Watching("bob", out _, "b", "c"), Watching("alice", out _, "alice") };
        foreach (var client in clients)
        {
            fanOut.Remove(client);
            fanOut.Remove(client);
        }

        Assert.Equal((0, 0, 0), (fanOut.ClientCount, fanOut.TopicCount, uids.Count));
        Assert.Equal(3, Pass().OfType<RouterInput.Close>().Count());
    }

    [Fact]
    public void Outboxes_of_daemons_that_are_long_gone_are_forgotten()
    {
        var taken = new TakenBatches();
        var alive = new DeliveryBatch(1, 1, []);
        Assert.True(taken.TryTake(alive));
        for (ulong outbox = 2; outbox < 10_000; outbox++)
        {
            Assert.True(taken.TryTake(new DeliveryBatch(outbox, 1, [])));
            Assert.False(taken.TryTake(new DeliveryBatch(outbox, 1, [])));
            Assert.InRange(taken.Count, 1, TakenBatches.Outboxes);
            Assert.True(taken.TryTake(alive with { Number = (long)outbox }));
        }

        Assert.False(taken.TryTake(alive));
    }

    private Client Admit(string subscriber, out CountingSink sink) => fanOut.Admit(UidOf(subscriber), Origin, sink = new CountingSink());

    private Client Watching(string subscriber, out CountingSink sink, params string[] publishers)
    {
        var client = Admit(subscriber, out sink);
        Assert.Null(Take(client, null, [.. publishers.Select(publisher => (publisher, true))]));
        Pass();
        return client;
    }

    private ErrorMessage? Take(Client client, Status? status, params (string Uid, bool IsSubscribe)[] events) =>
        fanOut.Take(client, new ClientWish(status, default, [.. events.Select(one => (UidOf(one.Uid), one.IsSubscribe))]), isLocal: true);

    /// <summary>The shard takes what the gateway has to say.</summary>
    private List<RouterInput> Pass(long activation = 1)
    {
        var inputs = fanOut.Links[0].Next().Inputs.ToList();
        foreach (var watch in inputs.OfType<RouterInput.Watch>())
        {
            requests[(watch.Connection, watch.Publisher)] = watch.Request;
        }

        fanOut.Links[0].Answered(new ShardAnswer(
            activation, MustDeclare: false, 7, default, DateTimeOffset.UnixEpoch, [.. inputs.Where(input => input is RouterInput.Publish or RouterInput.Adopt).Select(_ => default(FeedKey))], []));
        return inputs;
    }

    /// <summary>A client that is shown some publishers, and has been sent what they are.</summary>
    private (Client Client, CountingSink Sink) Seeing(string subscriber, params string[] publishers)
    {
        var client = Watching(subscriber, out var sink, publishers);
        foreach (var publisher in publishers)
        {
            Tell(client, publisher, isVisible: true, Status.Enable);
        }

        sink.Taken();
        return (client, sink);
    }

    private void Tell(Client client, string publisher, bool isVisible, Status? status = null) => Take(Batch(Answer(client, publisher, isVisible, status)));

    private void Deliver(string publisher, Status status) => Take(Batch(Change(publisher, status)));

    private void Deliver(string publisher, Status status, long epoch, long counter) => Take(Batch(Change(publisher, status, epoch, counter)));

    private Effect.Tell Answer(Client client, string publisher, bool isVisible, Status? status = null, long epoch = 1) => new(
        client.Id, UidOf(publisher), requests[(client.Id, UidOf(publisher))], isVisible, status is { } shown ? Record(shown) : default, new DeliveryStamp(epoch, ++told));

    private Effect.Deliver Change(string publisher, Status status) => Change(publisher, status, 1, ++told);

    private Effect.Deliver Change(string publisher, Status status, long epoch, long counter) => new(Gateway, UidOf(publisher), Record(status), new DeliveryStamp(epoch, counter));

    private DeliveryBatch Batch(params Effect[] what) => new(5, ++batches, [.. what.Select(one => one)]);

    private void Take(DeliveryBatch batch)
    {
        fanOut.BeginTurn(default, int.MaxValue);
        fanOut.Take(batch);
    }

    private StatusRecord Record(Status status) =>
        new(status, default, new StatusVersion(7, 1, told + 1), new ChangeSource(SourceKind.Client, "actor", "", DateTimeOffset.UnixEpoch));
}
