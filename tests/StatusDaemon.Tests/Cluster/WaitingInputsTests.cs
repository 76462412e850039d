using CsCheck;
using StatusDaemon.Gateway;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Cluster;

public sealed class WaitingInputsTests
{
    private const int Own = 10;
    private static readonly GatewayId Gateway = new(1);

    // The first ones belong to the shard; the others only watch.
    private static readonly Uid[] People = [.. Enumerable.Range(0, Own * 2).Select(i => UidOf($"p{i}"))];

    [Fact]
    public void A_shard_that_was_away_comes_to_know_what_it_would_have_known_had_it_been_told_everything() =>
        Gen.Select(Steps(WaitingInputs.PatientInputs / 2), Steps(WaitingInputs.PatientInputs * 3), (before, meanwhile) => (before, meanwhile)).Sample(pair =>
        {
            var client = new Clients();
            var waiting = new WaitingInputs();
            var (all, some) = (new Side(), new Side());
            foreach (var (isAway, steps) in new[] { (false, pair.before), (true, pair.meanwhile) })
            {
                foreach (var step in steps)
                {
                    foreach (var input in client.Take(step))
                    {
                        all.Apply(input);
                        waiting.Add(input);
                    }
                }

                Assert.InRange(waiting.Count, 0, WaitingInputs.PatientInputs);
                while (waiting.Count > 0)
                {
                    foreach (var input in waiting.Take(ShardLink.BatchInputs))
                    {
                        some.Apply(input);
                    }
                }

                Compare(all, some, client);
                for (var second = 0; second < (isAway ? 40 : 5); second++)
                {
                    all.Tick();
                    some.Tick();
                    Compare(all, some, client);
                }
            }
        }, iter: 20, threads: 1);

    [Theory, InlineData(true), InlineData(false)]
    public void Connections_that_come_and_go_while_the_shard_is_away_leave_nothing_but_one_of_each_subscriber(bool isOwn)
    {
        var waiting = new WaitingInputs();
        for (var number = 1; number <= 50_000; number++)
        {
            var connection = new ConnectionId(Gateway, number);
            var subscriber = People[(isOwn ? 0 : Own) + (number % Own)];
            if (isOwn)
            {
                waiting.Add(new RouterInput.Open(connection, subscriber, "actor", ""));
            }

            waiting.Add(new RouterInput.Watch(connection, subscriber, People[0], 1));
            waiting.Add(new RouterInput.Close(connection));
            Assert.InRange(waiting.Count, 1, WaitingInputs.PatientInputs);
        }
    }

    [Fact]
    public void A_connection_of_which_the_shard_has_heard_is_closed_however_many_come_after_it()
    {
        var waiting = new WaitingInputs();
        var first = new ConnectionId(Gateway, 1);
        waiting.Add(new RouterInput.Watch(first, People[Own], People[0], 1));
        waiting.Take(ShardLink.BatchInputs);
        waiting.Add(new RouterInput.Close(first));
        for (var number = 2; number <= WaitingInputs.PatientInputs; number++)
        {
            var connection = new ConnectionId(Gateway, number);
            waiting.Add(new RouterInput.Watch(connection, People[Own], People[0], 1));
            waiting.Add(new RouterInput.Close(connection));
        }

        Assert.Equal(new RouterInput.Close(first), waiting.Take(ShardLink.BatchInputs)[0]);
    }

    [Fact]
    public void Who_came_and_went_while_the_shard_was_away_has_the_whole_time_from_then_before_it_is_offline()
    {
        var side = new Side();
        for (var second = 0; second < 29; second++)
        {
            side.Tick();
        }

        var waiting = new WaitingInputs();
        for (var number = 1; number <= WaitingInputs.PatientInputs / 2; number++)
        {
            var connection = new ConnectionId(Gateway, number);
            waiting.Add(new RouterInput.Open(connection, People[0], "actor", ""));
            waiting.Add(new RouterInput.Close(connection));
        }

        waiting.Add(new RouterInput.Publish(new ConnectionId(Gateway, 0), People[1], Status.Busy, default)); // one more than may wait
        Assert.Equal(3, waiting.Count);
        Assert.All(waiting.Take(ShardLink.BatchInputs), side.Apply);
        for (var second = 0; second < 29; second++)
        {
            side.Tick();
            Assert.Equal(Status.Enable, side.RecordOf(People[0]).Status);
        }

        side.Tick();
        Assert.Equal(Status.NotRegistered, side.RecordOf(People[0]).Status);
    }

    [Fact]
    public void A_gateway_counts_its_connections_up_also_where_a_later_one_takes_an_earlier_ones_place()
    {
        var fanOut = new FanOut(Gateway, new UidTable(), shards: 1, new Limits());
        var last = 0L;
        for (var i = 0; i < 10; i++)
        {
            var client = fanOut.Admit(People[0], new ClientOrigin("actor", ""), new CountingSink());
            Assert.InRange(client.Id.Number, last + 1, long.MaxValue);
            last = client.Id.Number;
            if (i % 3 != 0)
            {
                fanOut.Remove(client);
            }
        }
    }

    private static Gen<(int Kind, int Person, int Publisher)[]> Steps(int most) =>
        Gen.Select(Gen.Int[0, 99], Gen.Int[0, People.Length - 1], Gen.Int[0, Own - 1]).Array[0, most];

    private static void Compare(Side all, Side some, Clients clients)
    {
        Assert.Equal(People.Select(all.RecordOf), People.Select(some.RecordOf));
        Assert.Equal((all.Router.SessionCount, all.Router.RegisterCount), (some.Router.SessionCount, some.Router.RegisterCount));
        Assert.Equal(clients.Watches.Select(watch => all.Shown[watch]), clients.Watches.Select(watch => some.Shown[watch]));
    }

    /// <summary>Makes inputs of steps, as a gateway would give them.</summary>
    private sealed class Clients
    {
        private readonly List<(ConnectionId Id, int Person, HashSet<Uid> Watched)> connected = [];
        private long connections;
        private uint requests;

        public IEnumerable<(ConnectionId, Uid)> Watches => connected.SelectMany(client => client.Watched.Select(publisher => (client.Id, publisher)));

        public IEnumerable<RouterInput> Take((int Kind, int Person, int Publisher) step)
        {
            var at = connected.FindIndex(client => client.Person == step.Person);
            if (at < 0 || step.Kind < 5)
            {
                at = connected.Count;
                connected.Add((new ConnectionId(Gateway, ++connections), step.Person, new HashSet<Uid>(Uid.Comparer)));
                if (step.Person < Own)
                {
                    yield return new RouterInput.Open(connected[at].Id, People[step.Person], $"actor {connections}", "");
                }
            }

            var (id, person, watched) = connected[at];
            var publisher = People[step.Publisher];
            switch (step.Kind)
            {
                case < 40:
                    watched.Add(publisher);
                    yield return new RouterInput.Watch(id, People[person], publisher, ++requests);
                    break;
                case < 60 when watched.Remove(publisher):
                    yield return new RouterInput.Unwatch(id, publisher);
                    break;
                case < 70 when person < Own:
                    yield return new RouterInput.Publish(id, People[person], (Status)(1 + (step.Kind % 8)), default);
                    break;
                case >= 70:
                    connected.RemoveAt(at);
                    if (person < Own || watched.Count > 0)
                    {
                        yield return new RouterInput.Close(id);
                    }

                    break;
            }
        }
    }

    /// <summary>A router, and what its gateway would show each watch.</summary>
    private sealed class Side
    {
        private readonly List<Effect> effects = [];
        private Moment now = new(DateTimeOffset.UnixEpoch, TimeSpan.FromHours(1));

        public Side()
        {
            var directory = new DirectorySnapshot([], new DirectoryPolicy { AcceptsUnknown = true, AdmitsUnknown = true });
            Router = new Router(new RouterSettings(), new UidTable(), directory, incarnation: 7, epoch: 5, now);
            var source = new ChangeSource(SourceKind.Client, "before", "", now.Utc);
            Apply(new RouterInput.AllRead([.. People.Take(Own).Select((person, i) => (person, new StatusRecord(Status.Enable, default, new StatusVersion(7, 4, i + 1), source)))]));
            Apply(new RouterInput.Declare(Gateway));
        }

        public Router Router { get; }

        public Dictionary<(ConnectionId, Uid), (uint Request, Status Status)> Shown { get; } = [];

        /// <summary>The record but for its version: a status that was overtaken takes none.</summary>
        public StatusRecord RecordOf(Uid person) => Router.RecordOf(person) with { Version = default };

        public void Apply(RouterInput input)
        {
            effects.Clear();
            Router.Apply(input, now, effects);
            if (input is RouterInput.Close close)
            {
                foreach (var watch in Shown.Keys.Where(watch => watch.Item1 == close.Connection).ToArray())
                {
                    Shown.Remove(watch);
                }
            }

            foreach (var effect in effects)
            {
                if (effect is Effect.Tell tell)
                {
                    Shown[(tell.Connection, tell.Publisher)] = (tell.Request, tell.Record.Status);
                }
                else if (effect is Effect.Deliver deliver)
                {
                    foreach (var (watch, shown) in Shown.Where(pair => pair.Key.Item2.Equals(deliver.Publisher)).ToArray())
                    {
                        Shown[watch] = (shown.Request, deliver.Record.Status);
                    }
                }
            }
        }

        public void Tick()
        {
            now = new Moment(now.Utc + TimeSpan.FromSeconds(1), now.Steady + TimeSpan.FromSeconds(1));
            Apply(new RouterInput.Renew(Gateway));
            Apply(RouterInput.Tick.Now);
        }
    }
}
