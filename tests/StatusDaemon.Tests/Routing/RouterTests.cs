using CsCheck;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;
using static StatusDaemon.Routing.Shard;

namespace StatusDaemon.Routing;

public sealed class RouterTests
{
    private static readonly Uid[] People = [.. SmallDirectories.Uids.Select(UidOf)];
    private static readonly Dictionary<Uid, Status> Stored = new() { [People[0]] = Status.Busy, [People[1]] = Status.Absent, [People[4]] = Status.Enable };

    private static readonly Gen<(DirectorySnapshot[] Directories, (int Kind, int Gateway, int Person, int Other)[] Steps)> Histories =
        Gen.Select(SmallDirectories.Any.Array[4], Gen.Select(Gen.Int[0, 19], Gen.Int[1, 2], Gen.Int[0, 4], Gen.Int[0, 4]).Array[0, 80], (directories, steps) => (directories, steps));

    [Fact]
    public void It_tells_exactly_what_a_naive_model_tells() => Histories.Sample(history =>
    {
        var shard = new Shard(new RouterSettings { OfflineAfter = null }, history.Directories[0]);
        var model = new RouterModel(history.Directories[0], Stored);
        foreach (var input in InputsOf(history, shard))
        {
            var before = People.ToDictionary(person => person, shard.Router.RecordOf);
            var effects = shard.Apply(input);
            var expected = model.Apply(input, shard.Now.Steady);

            // When the directory changes, verdicts go before what was said early.
            StatusRecord[] RecordsOf(Uid person) => input is RouterInput.DirectoryChanged ? [before[person], shard.Router.RecordOf(person)] : [shard.Router.RecordOf(person)];
            Assert.Equal(expected.Delivers, effects.OfType<Effect.Deliver>().Select(deliver => (deliver.Gateway, deliver.Publisher)).ToHashSet());
            Assert.Equal(expected.Tells, effects.OfType<Effect.Tell>().Select(tell => (tell.Connection, tell.Publisher, tell.Request, tell.IsVisible)).ToHashSet());
            Assert.Equal(expected.Reads, effects.OfType<Effect.Read>().Select(read => read.Publisher).ToHashSet());
            Assert.Equal(expected.Delivers.Count + expected.Tells.Count + expected.Reads.Count, effects.Count);
            Assert.All(effects.OfType<Effect.Deliver>(), deliver => Assert.Equal(shard.Router.RecordOf(deliver.Publisher), deliver.Record));
            Assert.All(effects.OfType<Effect.Tell>(), tell => Assert.Contains(tell.Record, tell.IsVisible ? RecordsOf(tell.Publisher) : [default]));
            Assert.All(People, person => Assert.Equal(model.StatusOf(person), shard.Router.RecordOf(person).Shown));
            Assert.Equal((model.Registers, model.Sessions), (shard.Router.RegisterCount, shard.Router.SessionCount));
        }
    }, iter: 500, threads: 1);

    [Fact]
    public void Stamps_and_versions_grow_and_hides_come_before_reveals() => Histories.Sample(history =>
    {
        var shard = new Shard(new RouterSettings(), history.Directories[0]);
        var last = default(DeliveryStamp);
        var version = default(StatusVersion);
        foreach (var input in InputsOf(history, shard))
        {
            var wasRevealed = false;
            Effect? before = null;
            foreach (var effect in shard.Apply(input))
            {
                switch (effect)
                {
                    // One status goes to several gateways under one stamp.
                    case Effect.Deliver deliver when before is Effect.Deliver same && same.Stamp == deliver.Stamp:
                        Assert.Equal(same with { Gateway = deliver.Gateway }, deliver);
                        break;
                    case Effect.Deliver deliver:
                        Assert.True(deliver.Stamp > last);
                        Assert.True(deliver.Record.Version.IsNewerThan(version));
                        (last, version) = (deliver.Stamp, deliver.Record.Version);
                        break;
                    case Effect.Tell tell:
                        Assert.True(tell.Stamp > last);
                        last = tell.Stamp;
                        Assert.False(input is RouterInput.DirectoryChanged && wasRevealed && !tell.IsVisible);
                        wasRevealed |= tell.IsVisible;
                        break;
                }

                before = effect;
            }
        }
    }, iter: 200, threads: 1);

    [Fact]
    public void The_same_inputs_have_the_same_effects() => Histories.Sample(history =>
    {
        var (one, other) = (new Shard(null, history.Directories[0]), new Shard(null, history.Directories[0]));
        foreach (var input in InputsOf(history, one))
        {
            other.Now = one.Now;
            Assert.Equal(one.Apply(input), other.Apply(input));
        }
    }, iter: 100, threads: 1);

    [Fact]
    public void Being_away_for_however_long_has_no_effects() => Gen.Select(Histories, Gen.Int[0, 200_000].Array[1, 5]).Sample((history, absences) =>
    {
        var (one, other) = (new Shard(null, history.Directories[0]), new Shard(null, history.Directories[0]));
        var (steps, away) = (0, TimeSpan.Zero);
        foreach (var input in InputsOf(history, one))
        {
            away += TimeSpan.FromSeconds(absences[steps++ % absences.Length]);
            other.Now = one.Now with { Steady = one.Now.Steady + away };
            Assert.Equal(one.Apply(input), other.Apply(input));
        }
    }, iter: 200, threads: 1);

    [Fact]
    public void When_all_have_gone_and_it_is_closed_no_uid_is_held() => Histories.Sample(history =>
    {
        var shard = new Shard(null, history.Directories[0]);
        foreach (var input in InputsOf(history, shard))
        {
            shard.Apply(input);
        }

        shard.Apply(new RouterInput.Leave(GatewayOf(1)));
        shard.Apply(new RouterInput.Leave(GatewayOf(2)));
        Assert.Equal(0, shard.Router.SessionCount);
        shard.Router.Close();
        Assert.Equal(0, shard.Uids.Count);
    }, iter: 100, threads: 1);

    [Fact]
    public void Invented_uids_are_forgotten_with_their_watches()
    {
        var shard = Ready();
        for (uint i = 1; i <= 100; i++)
        {
            shard.Watch("alice", $"invented-{i}", connection: 1, i);
        }

        Assert.Equal(100, shard.Router.RegisterCount);
        shard.Close(1);
        Assert.Equal((0, 0, 0), (shard.Router.RegisterCount, shard.Router.SessionCount, shard.Uids.Count));
    }

    [Fact]
    public void A_status_is_one_effect_for_each_gateway_that_may_show_it()
    {
        var shard = Ready(null, Everyone([("alice", "carol")]));
        shard.Watch("bob", "alice", connection: 1);
        shard.Watch("bob", "alice", connection: 2);
        shard.Watch("carol", "alice", connection: 1, 1, GatewayB);
        var told = Assert.IsType<Effect.Deliver>(Assert.Single(shard.Publish("alice", Status.Busy)));
        Assert.Equal((GatewayA, Status.Busy), (told.Gateway, told.Record.Shown));
    }

    [Fact]
    public void After_a_hide_nothing_of_the_publisher_is_told_until_it_is_revealed()
    {
        var shard = Ready();
        shard.Publish("alice", Status.Busy);
        shard.Watch("bob", "alice", connection: 1);
        var hide = Assert.IsType<Effect.Tell>(Assert.Single(shard.Follow(Everyone([("alice", "bob")]))));
        Assert.Equal((false, Status.Unknown), (hide.IsVisible, hide.Record.Shown));
        Assert.Empty(shard.Publish("alice", Status.Absent));
        Assert.Empty(shard.Follow(Everyone([("alice", "bob"), ("alice", "carol")])));
        var reveal = Assert.IsType<Effect.Tell>(Assert.Single(shard.Follow(Everyone([]))));
        Assert.Equal((true, Status.Absent), (reveal.IsVisible, reveal.Record.Shown));
    }

    [Fact]
    public void A_repeated_subscription_is_answered_again_and_counts_once()
    {
        var shard = Ready();
        shard.Watch("bob", "alice", connection: 1, request: 1);
        var again = Assert.IsType<Effect.Tell>(Assert.Single(shard.Watch("bob", "alice", connection: 1, request: 2)));
        Assert.Equal(2u, again.Request);
        Assert.Single(shard.Publish("alice", Status.Busy));
        shard.Apply(new RouterInput.Unwatch(Connection(1), UidOf("alice")));
        Assert.Empty(shard.Publish("alice", Status.Enable));
    }

    [Theory, InlineData("alice"), InlineData("carol"), InlineData("nobody")]
    public void Visible_hidden_and_unknown_take_the_same_way(string publisher)
    {
        var shard = new Shard(null, Everyone([("carol", "bob")]));
        shard.Apply(new RouterInput.Declare(GatewayA));
        Assert.Equal(new Effect.Read(UidOf(publisher)), Assert.Single(shard.Watch("bob", publisher, connection: 1)));
        Assert.Empty(shard.Watch("bob", publisher, connection: 1, request: 2));
        var told = Assert.IsType<Effect.Tell>(Assert.Single(shard.Apply(new RouterInput.WasRead(UidOf(publisher), default))));
        Assert.Equal((2u, Status.Unknown), (told.Request, told.Record.Shown));
    }

    [Fact]
    public void A_gateway_that_did_not_declare_itself_is_told_nothing()
    {
        var shard = new Shard();
        shard.Apply(new RouterInput.AllRead([]));
        Assert.Empty(shard.Watch("bob", "alice", connection: 1));
        Assert.Empty(shard.Open("bob", connection: 1));
        Assert.Empty(shard.Publish("alice", Status.Busy));
        Assert.Equal(0, shard.Router.SessionCount);
    }

    [Fact]
    public void A_status_of_a_remote_subscriber_is_not_taken_from_a_client()
    {
        var shard = Ready();
        Assert.Empty(shard.Publish("remote", Status.Busy));
        Assert.Equal(Status.Unknown, shard.StatusOf("remote"));
    }

    [Fact]
    public void A_removed_subscriber_is_hidden_from_everyone_but_itself_and_comes_back()
    {
        var shard = Ready();
        shard.Publish("alice", Status.Busy);
        shard.Watch("bob", "alice", connection: 1);
        shard.Watch("alice", "alice", connection: 2);
        var hidden = Assert.IsType<Effect.Tell>(Assert.Single(shard.Follow(Everyone([], except: "alice"))));
        Assert.Equal((Connection(1), false), (hidden.Connection, hidden.IsVisible));
        var shown = Assert.IsType<Effect.Tell>(Assert.Single(shard.Follow(Everyone([]))));
        Assert.Equal(Status.Busy, shown.Record.Shown);
    }

    [Fact]
    public void Who_is_removed_is_hidden_also_where_unknown_uids_are_accepted_and_a_new_activation_does_not_undo_it()
    {
        var shard = Ready(null, Accepting(Everyone([])));
        shard.Publish("alice", Status.Busy);
        shard.Watch("bob", "alice", connection: 1);
        Assert.False(Assert.IsType<Effect.Tell>(Assert.Single(shard.Follow(Accepting(Everyone([], except: "alice"))))).IsVisible);
        Assert.Empty(shard.Publish("alice", Status.Absent)); // it was under way

        var next = Ready(null, Accepting(Everyone([], except: "alice")), ("alice", shard.Router.RecordOf(UidOf("alice"))));
        Assert.False(Assert.IsType<Effect.Tell>(Assert.Single(next.Watch("bob", "alice", connection: 1))).IsVisible);
        var shown = Assert.IsType<Effect.Tell>(Assert.Single(next.Follow(Accepting(Everyone([])))));
        Assert.Equal((true, Status.Busy), (shown.IsVisible, shown.Record.Shown));
    }

    [Fact]
    public void A_directory_that_arrives_late_is_not_followed()
    {
        var shard = Ready();
        shard.Watch("bob", "alice", connection: 1);
        var old = shard.Directory;
        shard.Follow(Everyone([("alice", "bob")]));
        Assert.Empty(shard.Apply(new RouterInput.DirectoryChanged(DirectoryChange.Between(shard.Directory, old))));
        Assert.Empty(shard.Publish("alice", Status.Busy));
    }

    [Fact]
    public void A_change_between_other_directories_is_compared_anew()
    {
        var shard = Ready();
        shard.Watch("bob", "alice", connection: 1);
        var missed = new DirectorySnapshot(Everyone([("alice", "bob")]).Subscribers, shard.Directory.Policy) { Revision = 8 };
        var next = new DirectorySnapshot(missed.Subscribers, missed.Policy) { Revision = 9 };
        Assert.Single(shard.Apply(new RouterInput.DirectoryChanged(DirectoryChange.Between(missed, next))));
    }

    private static DirectorySnapshot Accepting(DirectorySnapshot directory) => new(directory.Subscribers, directory.Policy with { AcceptsUnknown = true });

    private static GatewayId GatewayOf(int number) => new((ulong)number);

    /// <summary>Turns numbers into inputs; a connection belongs to one person, as gateways make sure.</summary>
    private static IEnumerable<RouterInput> InputsOf(
        (DirectorySnapshot[] Directories, (int Kind, int Gateway, int Person, int Other)[] Steps) history, Shard shard)
    {
        var current = history.Directories[0];
        var isAllRead = false;
        uint request = 0;
        foreach (var (kind, gateway, person, other) in history.Steps)
        {
            var connection = new ConnectionId(GatewayOf(gateway), person);
            var uid = People[person];
            shard.Now = shard.Now.After(RouterSettings.TickInterval);
            switch (kind)
            {
                case 0 or 1:
                    yield return new RouterInput.Declare(GatewayOf(gateway));
                    break;
                case 2:
                    yield return new RouterInput.Leave(GatewayOf(gateway));
                    break;
                case 3:
                    yield return RouterInput.Tick.Now;
                    for (var second = 0; second < person * 5; second++)
                    {
                        shard.Now = shard.Now.After(RouterSettings.TickInterval);
                        yield return RouterInput.Tick.Now;
                    }

                    break;
                case 4:
                    yield return new RouterInput.Renew(GatewayOf(gateway));
                    break;
                case 5:
                    yield return new RouterInput.Close(connection);
                    break;
                case 6 or 7:
                    yield return new RouterInput.Open(connection, uid, "actor", "through");
                    break;
                case 8:
                    yield return new RouterInput.Unwatch(connection, People[other]);
                    break;
                case 9 when !isAllRead:
                    isAllRead = true;
                    yield return new RouterInput.AllRead([.. Stored.Select((pair, i) => (pair.Key, Record(pair.Value, 1, i + 1)))]);
                    break;
                case 10 or 11:
                    yield return new RouterInput.WasRead(People[other], Stored.TryGetValue(People[other], out var status) ? Record(status, 1, other + 1) : default);
                    break;
                case 12:
                    var next = new DirectorySnapshot(history.Directories[other % history.Directories.Length].Subscribers, history.Directories[other % history.Directories.Length].Policy) { Revision = current.Revision + 1 };
                    yield return new RouterInput.DirectoryChanged(DirectoryChange.Between(current, next));
                    current = next;
                    break;
                case 13:
                    var like = history.Directories[other % history.Directories.Length];
                    var derived = gateway == 1 ? Derived(current, like) : WithRules(current, uid, like);
                    yield return new RouterInput.DirectoryChanged(DirectoryChange.Between(current, derived));
                    current = derived;
                    break;
                case 14 or 15:
                    yield return new RouterInput.Publish(connection, uid, (Status)(1 + other), default);
                    break;
                case 16:
                    yield return new RouterInput.Set(uid, (Status)(1 + other), default, SourceKind.Administrator, "root", "");
                    break;
                default:
                    yield return new RouterInput.Watch(connection, uid, People[other], ++request);
                    break;
            }
        }
    }
}
