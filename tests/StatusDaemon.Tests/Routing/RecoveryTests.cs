using StatusDaemon.Privileges;
using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;
using static StatusDaemon.Routing.Shard;

namespace StatusDaemon.Routing;

public sealed class RecoveryTests
{
    [Fact]
    public void A_record_that_the_store_lost_becomes_a_change_of_this_activation_and_is_told()
    {
        var shard = Ready(null, null, ("alice", Record(Status.Busy, 1, 1)));
        shard.Watch("bob", "alice", connection: 1);
        var held = Record(Status.Absent, 4, 9);
        var told = Assert.IsType<Effect.Deliver>(Assert.Single(Adopt(shard, "alice", held)));
        Assert.Equal(held with { Version = new StatusVersion(Incarnation, Epoch, 1) }, told.Record);
        Assert.Equal(new FeedKey(Epoch, 1), shard.Router.HeldAs(UidOf("alice"), held.Version));
    }

    [Theory, InlineData(1, 1), InlineData(1, 2)]
    public void One_that_is_not_newer_changes_nothing(long epoch, long seq)
    {
        var shard = Ready(null, null, ("alice", Record(Status.Busy, 1, 2)));
        Assert.Empty(Adopt(shard, "alice", Record(Status.Absent, epoch, seq)));
        Assert.Equal(Status.Busy, shard.StatusOf("alice"));
    }

    [Fact]
    public void Of_two_gateways_the_newest_record_wins_whichever_comes_first()
    {
        foreach (var order in new long[][] { [8, 9], [9, 8] })
        {
            var shard = Ready();
            Adopt(shard, "alice", Record((Status)(order[0] - 7), 4, order[0]));
            Adopt(shard, "alice", Record((Status)(order[1] - 7), 4, order[1]));
            Assert.Equal(Status.Busy, shard.StatusOf("alice"));
        }
    }

    [Fact]
    public void The_same_record_of_two_gateways_is_taken_over_once()
    {
        var shard = Ready();
        Adopt(shard, "alice", Record(Status.Busy, 4, 9));
        var change = shard.Router.LastChange;
        Assert.Empty(Adopt(shard, "alice", Record(Status.Busy, 4, 9)));
        Assert.Equal(change, shard.Router.LastChange);
    }

    [Theory, InlineData(8, Status.Absent, 1), InlineData(10, Status.Busy, 0)]
    public void Before_the_store_is_read_it_waits_for_the_answer_and_the_newer_wins(long storedSeq, Status winner, long changes)
    {
        var shard = new Shard();
        shard.Apply(new RouterInput.Declare(GatewayA));
        Assert.IsType<Effect.Read>(Assert.Single(Adopt(shard, "alice", Record(Status.Absent, 4, 9))));
        Assert.Equal(0, shard.Router.LastChange.Seq);
        shard.Apply(new RouterInput.WasRead(UidOf("alice"), Record(Status.Busy, 4, storedSeq)));
        Assert.Equal((winner, changes), (shard.StatusOf("alice"), shard.Router.LastChange.Seq));
    }

    [Fact]
    public void What_the_store_has_too_is_no_change()
    {
        var shard = new Shard();
        shard.Apply(new RouterInput.Declare(GatewayA));
        Adopt(shard, "alice", Record(Status.Busy, 4, 9));
        shard.Apply(new RouterInput.AllRead([(UidOf("alice"), Record(Status.Busy, 4, 9))]));
        Assert.Equal(Record(Status.Busy, 4, 9), shard.Router.RecordOf(UidOf("alice")));
        Assert.Equal(0, shard.Router.LastChange.Seq);
    }

    [Fact]
    public void A_status_of_this_activation_is_newer_than_any_that_is_held()
    {
        var shard = new Shard();
        shard.Apply(new RouterInput.Declare(GatewayA));
        Adopt(shard, "alice", Record(Status.Absent, 4, 9));
        shard.Publish("alice", Status.Enable);
        shard.Apply(new RouterInput.WasRead(UidOf("alice"), Record(Status.Busy, 4, 8)));
        Assert.Empty(Adopt(shard, "alice", Record(Status.Forwarding, 4, 10)));
        Assert.Equal(Status.Enable, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_record_of_a_later_epoch_says_that_the_store_was_restored()
    {
        var shard = Ready();
        var ahead = Record(Status.Busy, Epoch + 3, 9);
        Assert.Equal(new Effect.Outrun(Epoch + 3), Assert.Single(Adopt(shard, "alice", ahead)));
        Assert.Equal(0, shard.Router.RegisterCount);
        shard.Router.Raise(Epoch + 4);
        Adopt(shard, "alice", ahead);
        Assert.Equal(new StatusVersion(Incarnation, Epoch + 4, 1), shard.Router.RecordOf(UidOf("alice")).Version);
        Assert.Equal(Epoch, shard.Router.Activation);
        Assert.Throws<ArgumentOutOfRangeException>(() => shard.Router.Raise(Epoch + 4));
    }

    [Theory]
    [InlineData(SourceKind.Client, false, false), InlineData(SourceKind.Offline, false, false)]
    [InlineData(SourceKind.External, false, true), InlineData(SourceKind.Administrator, false, true)]
    [InlineData(SourceKind.Client, true, true), InlineData(SourceKind.Offline, true, true)]
    public void A_status_that_only_a_client_can_have_set_is_hidden_where_the_directory_does_not_know_the_client_any_more(SourceKind kind, bool mayAnyoneLogIn, bool isVisible)
    {
        var directory = new DirectorySnapshot([], new DirectoryPolicy { AcceptsUnknown = true, AdmitsUnknown = mayAnyoneLogIn });
        var record = Record(Status.Busy, 1, 1, kind);
        RouterInput[] ways =
        [
            new RouterInput.WasRead(UidOf("alice"), record),
            new RouterInput.AllRead([(UidOf("alice"), record)]),
            new RouterInput.Adopt(UidOf("alice"), record),
        ];
        foreach (var way in ways)
        {
            var shard = new Shard(null, directory);
            shard.Apply(new RouterInput.Declare(GatewayA));
            shard.Watch("bob", "alice", connection: 1);
            shard.Watch("alice", "alice", connection: 2);
            var effects = shard.Apply(way);
            if (way is RouterInput.Adopt)
            {
                effects = shard.Apply(new RouterInput.WasRead(UidOf("alice"), default));
            }

            Assert.Equal([isVisible, true], effects.Cast<Effect.Tell>().Select(tell => tell.IsVisible));
        }
    }

    [Fact]
    public void A_record_of_another_store_or_of_a_remote_subscriber_is_left()
    {
        var shard = Ready();
        var record = Record(Status.Busy, 1, 1);
        Adopt(shard, "alice", record with { Version = record.Version with { Incarnation = 8 } });
        Adopt(shard, "remote", record);
        Assert.Equal(0, shard.Router.RegisterCount);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void What_another_program_wrote_into_the_store_is_newer_than_all_that_was_before_and_becomes_a_change(bool all)
    {
        var shard = new Shard();
        shard.Apply(new RouterInput.Declare(GatewayA));
        shard.Watch("bob", "alice", connection: 1);
        Adopt(shard, "alice", Record(Status.Absent, 4, 9));
        var external = Record(Status.Incoming, 1, 1, SourceKind.External) with { Version = default };

        var told = Assert.IsType<Effect.Tell>(Assert.Single(shard.Apply(all
            ? new RouterInput.AllRead([(UidOf("alice"), external)])
            : new RouterInput.WasRead(UidOf("alice"), external))));

        Assert.Equal(external with { Version = new StatusVersion(Incarnation, Epoch, 1) }, told.Record);
        List<(Names.Uid Uid, StatusRecord Record)> changes = [];
        shard.Router.ReadChanges(default, 10, changes);
        Assert.Equal(told.Record, Assert.Single(changes).Record);
    }

    [Fact]
    public void But_not_newer_than_what_this_activation_has_accepted_nor_for_whom_others_may_not_set()
    {
        var shard = new Shard();
        shard.Publish("alice", Status.Enable);
        var external = Record(Status.Incoming, 1, 1, SourceKind.External) with { Version = default };
        shard.Apply(new RouterInput.AllRead([(UidOf("alice"), external), (UidOf("remote"), external), (UidOf("nobody"), external)]));
        Assert.Equal((Status.Enable, 1), (shard.StatusOf("alice"), shard.Router.LastChange.Seq));
        Assert.True(shard.Router.RecordOf(UidOf("remote")).IsNone);
        Assert.True(shard.Router.RecordOf(UidOf("nobody")).IsNone);
    }

    [Fact]
    public void A_record_of_an_earlier_life_of_the_store_gets_a_version_of_this_one_and_a_remote_ones_is_its_homes()
    {
        var shard = new Shard();
        var earlier = Record(Status.Busy, Epoch + 100, 7);
        earlier = earlier with { Version = earlier.Version with { Incarnation = Incarnation + 1 } };
        shard.Apply(new RouterInput.AllRead([(UidOf("alice"), earlier), (UidOf("remote"), earlier)]));
        Assert.Equal(earlier with { Version = new StatusVersion(Incarnation, Epoch, 1) }, shard.Router.RecordOf(UidOf("alice")));
        Assert.Equal(earlier, shard.Router.RecordOf(UidOf("remote")));
    }

    [Fact]
    public void Changes_are_read_as_they_came_with_what_the_store_remembers_first()
    {
        var shard = new Shard();
        shard.Publish("bob", Status.Busy);
        shard.Apply(new RouterInput.AllRead([(UidOf("alice"), Record(Status.Enable, 1, 1)), (UidOf("bob"), Record(Status.Enable, 1, 2)), (UidOf("carol"), Record(Status.Absent, 2, 1))]));
        shard.Publish("alice", Status.Forwarding);
        List<(Names.Uid Uid, StatusRecord Record)> changes = [];
        shard.Router.ReadChanges(default, 10, changes);
        Assert.Equal(["carol", "bob", "alice"], changes.Select(change => change.Uid.ToString()));
    }

    [Fact]
    public void The_store_is_read_once() =>
        Assert.Throws<InvalidOperationException>(() => Ready().Apply(new RouterInput.AllRead([])));

    private static List<Effect> Adopt(Shard shard, string publisher, StatusRecord record) => shard.Apply(new RouterInput.Adopt(UidOf(publisher), record));
}
