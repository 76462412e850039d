using StatusDaemon.Privileges;
using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;
using static StatusDaemon.Routing.Shard;

namespace StatusDaemon.Routing;

/// <summary>docs/protocol.md §10, guarantee 5, clause by clause.</summary>
public sealed class OfflineRuleTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly GatewayId[] Both = [GatewayA, GatewayB];

    [Fact]
    public void Whoever_is_gone_for_the_whole_time_becomes_not_registered_once()
    {
        var shard = WithAlice();
        shard.Watch("bob", "alice", connection: 2);
        shard.Close(1);
        Assert.Empty(shard.After(Grace - Second, Both));
        var told = Assert.IsType<Effect.Deliver>(Assert.Single(shard.After(Second, Both)));
        Assert.Equal(Status.NotRegistered, told.Record.Shown);
        Assert.Equal(SourceKind.Offline, told.Record.Source.Kind);
        Assert.Empty(shard.After(Grace * 10, Both));
    }

    [Fact]
    public void A_reconnect_within_the_time_changes_nothing()
    {
        var shard = WithAlice();
        shard.Close(1);
        shard.After(Grace - Second, Both);
        shard.Open("alice", connection: 9, GatewayB);
        Assert.Empty(shard.After(Grace * 2, Both));
        Assert.Equal(Status.Enable, shard.StatusOf("alice"));
    }

    [Fact]
    public void Who_was_taken_for_gone_and_was_there_all_the_time_is_shown_as_he_was()
    {
        var shard = WithAlice();
        shard.Watch("bob", "alice", connection: 2, gateway: GatewayB);
        shard.After(Grace * 2, GatewayB); // gateway A is cut off
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
        shard.Apply(new RouterInput.Declare(GatewayA));
        shard.Open("alice", connection: 1);
        var told = Assert.IsType<Effect.Deliver>(Assert.Single(shard.Apply(new RouterInput.Restore(Connection(1), UidOf("alice"), Status.Busy, Stamp(7)))));
        Assert.Equal((Status.Busy, SourceKind.Client, Stamp(7)), (told.Record.Shown, told.Record.Source.Kind, told.Record.Timestamp));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Of_two_connections_that_were_there_all_the_time_the_one_counts_that_spoke_last(bool firstIsLast, bool isRead)
    {
        var shard = isRead ? Shard.Ready(null, null, ("alice", Record(Status.NotRegistered, 1, 1, SourceKind.Offline))) : new Shard();
        foreach (var (gateway, said, ago) in new[] { (GatewayA, Status.Busy, firstIsLast ? 5 : 9), (GatewayB, Status.Absent, 7) })
        {
            shard.Apply(new RouterInput.Declare(gateway));
            shard.Open("alice", connection: 1, gateway);
            shard.Apply(new RouterInput.Restore(Connection(1, gateway), UidOf("alice"), said, default, shard.Now.Steady - (Second * ago)));
        }

        if (!isRead)
        {
            shard.Apply(new RouterInput.AllRead([(UidOf("alice"), Record(Status.NotRegistered, 1, 1, SourceKind.Offline))]));
        }

        Assert.Equal(firstIsLast ? Status.Busy : Status.Absent, shard.StatusOf("alice"));
        Assert.Equal(shard.Now.Utc - (Second * (firstIsLast ? 5 : 7)), shard.Router.RecordOf(UidOf("alice")).Source.At);
        shard.Publish("alice", Status.Incoming);
        shard.Apply(new RouterInput.Restore(Connection(1), UidOf("alice"), Status.Busy, default, shard.Now.Steady));
        Assert.Equal(Status.Incoming, shard.StatusOf("alice"));
    }

    [Fact]
    public void What_he_said_does_not_count_over_what_another_hand_has_set_since()
    {
        var shard = WithAlice();
        shard.After(Grace * 2, GatewayB);
        shard.Apply(new RouterInput.Set(UidOf("alice"), Status.Forwarding, default, SourceKind.External, "pbx", "redis"));
        shard.Apply(new RouterInput.Declare(GatewayA));
        shard.Open("alice", connection: 1);
        Assert.Empty(shard.Apply(new RouterInput.Restore(Connection(1), UidOf("alice"), Status.Busy, default)));
        Assert.Equal(Status.Forwarding, shard.StatusOf("alice"));
    }

    [Theory]
    [InlineData(SourceKind.Offline, Status.Busy)]
    [InlineData(SourceKind.Client, Status.NotRegistered)]
    public void After_an_activation_it_counts_when_it_is_known_that_the_rule_has_spoken(SourceKind stored, Status expected)
    {
        var shard = new Shard();
        shard.Apply(new RouterInput.Declare(GatewayA));
        shard.Open("alice", connection: 1);
        shard.Apply(new RouterInput.Restore(Connection(1), UidOf("alice"), Status.Busy, default));
        shard.Apply(new RouterInput.AllRead([(UidOf("alice"), Record(Status.NotRegistered, 1, 1, stored))]));
        Assert.Equal(expected, shard.StatusOf("alice"));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Who_is_connected_is_not_gone_when_another_activation_believed_so_whichever_is_heard_first(bool beliefFirst)
    {
        var shard = Shard.Ready(null, null, ("alice", Record(Status.Busy, 4, 1)));
        shard.Watch("bob", "alice", connection: 2, gateway: GatewayB);
        var belief = new RouterInput.Adopt(UidOf("alice"), Record(Status.NotRegistered, 4, 9, SourceKind.Offline));
        if (beliefFirst)
        {
            shard.Apply(belief);
        }

        shard.Open("alice", connection: 1);
        shard.Apply(new RouterInput.Restore(Connection(1), UidOf("alice"), Status.Busy, Stamp(1)));
        if (!beliefFirst)
        {
            var change = shard.Router.LastChange;
            Assert.All(shard.Apply(belief), told => Assert.Equal(Status.Busy, Assert.IsType<Effect.Deliver>(told).Record.Shown));
            Assert.True(shard.Router.LastChange > change, "the store keeps the belief");
        }

        Assert.Equal(Status.Busy, shard.StatusOf("alice"));
        shard.Close(1);
        shard.After(Grace, Both);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void Who_is_connected_and_has_said_nothing_stays_gone()
    {
        var shard = Shard.Ready(null, null, ("alice", Record(Status.Busy, 4, 1)));
        shard.Open("alice", connection: 1);
        shard.Apply(new RouterInput.Adopt(UidOf("alice"), Record(Status.NotRegistered, 4, 9, SourceKind.Offline)));
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void What_he_said_does_not_count_again_once_he_has_left()
    {
        var shard = new Shard();
        shard.Apply(new RouterInput.Declare(GatewayA));
        shard.Open("alice", connection: 1);
        shard.Apply(new RouterInput.Restore(Connection(1), UidOf("alice"), Status.Busy, default));
        shard.Close(1);
        shard.Apply(new RouterInput.AllRead([(UidOf("alice"), Record(Status.NotRegistered, 1, 1, SourceKind.Offline))]));
        shard.Apply(new RouterInput.Restore(Connection(1), UidOf("alice"), Status.Busy, default));
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void The_scan_may_tell_of_the_belief_after_what_he_said_was_compared_with_the_store()
    {
        var shard = new Shard();
        shard.Apply(new RouterInput.Declare(GatewayA));
        shard.Open("alice", connection: 1);
        shard.Apply(new RouterInput.Restore(Connection(1), UidOf("alice"), Status.Busy, default));
        shard.Watch("bob", "alice", connection: 2);
        shard.Apply(new RouterInput.WasRead(UidOf("alice"), Record(Status.Busy, 4, 1)));
        shard.Apply(new RouterInput.AllRead([(UidOf("alice"), Record(Status.NotRegistered, 4, 9, SourceKind.Offline))]));
        Assert.Equal(Status.Busy, shard.StatusOf("alice"));
    }

    [Fact]
    public void The_time_begins_anew_with_each_departure()
    {
        var shard = WithAlice();
        shard.Close(1);
        shard.After(Grace - Second, Both);
        shard.Open("alice", connection: 9);
        shard.Close(9);
        Assert.Empty(shard.After(Grace - Second, Both));
        shard.After(Second, Both);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void One_connection_of_several_is_enough()
    {
        var shard = WithAlice();
        shard.Open("alice", connection: 2, GatewayB);
        shard.Close(1);
        shard.After(Grace * 2, Both);
        Assert.Equal(Status.Enable, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_connection_that_only_watches_is_no_lease_of_whom_it_watches()
    {
        var shard = WithAlice();
        shard.Watch("bob", "alice", connection: 2);
        shard.Close(1);
        shard.After(Grace, Both);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void The_connections_of_a_silent_gateway_end_when_it_was_heard_last()
    {
        var shard = WithAlice();
        shard.After(Second * 10, Both);
        shard.After(Grace, GatewayB);
        Assert.Equal(Status.Enable, shard.StatusOf("alice"));
        shard.After(TimeSpan.FromTicks(1), GatewayB);
        Assert.False(shard.Router.Knows(GatewayA));
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_gateway_that_comes_back_within_the_time_changes_nothing()
    {
        var shard = WithAlice();
        shard.After(Grace - Second, GatewayB);
        shard.Apply(new RouterInput.Declare(GatewayA));
        shard.Open("alice", connection: 1);
        shard.After(Grace, Both);
        Assert.Equal(Status.Enable, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_gateway_that_is_given_up_does_not_shorten_the_time_of_a_later_connection()
    {
        var shard = WithAlice();
        shard.After(Second * 20, GatewayB); // the gateway of the first connection is dead
        shard.Open("alice", connection: 2, GatewayB);
        shard.Close(2, GatewayB);
        shard.After(Second * 11, GatewayB);
        Assert.False(shard.Router.Knows(GatewayA));
        shard.After(Second * 18, GatewayB);
        Assert.Equal(Status.Enable, shard.StatusOf("alice"));
        shard.After(Second, GatewayB);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_short_time_forgives_three_heartbeats()
    {
        var shard = WithAlice(new RouterSettings { OfflineAfter = Second });
        shard.After(RouterSettings.HeartbeatSilence);
        Assert.Equal(Status.Enable, shard.StatusOf("alice"));
        shard.After(TimeSpan.FromTicks(1));
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_time_of_zero_means_at_once_when_the_connection_closes()
    {
        var shard = WithAlice(new RouterSettings { OfflineAfter = TimeSpan.Zero });
        shard.Close(1);
        shard.After(TimeSpan.Zero, Both);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void Never_means_never()
    {
        var shard = WithAlice(new RouterSettings { OfflineAfter = null });
        shard.Close(1);
        shard.After(TimeSpan.FromHours(25), Both);
        Assert.Equal(Status.Enable, shard.StatusOf("alice"));
    }

    [Fact]
    public void The_status_is_the_one_of_the_settings()
    {
        var shard = WithAlice(new RouterSettings { OfflineStatus = Status.Absent });
        shard.Close(1);
        shard.After(Grace, Both);
        Assert.Equal(Status.Absent, shard.StatusOf("alice"));
    }

    [Fact]
    public void Connections_that_the_shard_could_not_know_end_with_its_activation()
    {
        var shard = Ready(null, null, ("alice", Record(Status.Busy, 1, 1)));
        shard.After(Grace - Second, Both);
        Assert.Equal(Status.Busy, shard.StatusOf("alice"));
        shard.After(Second, Both);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_connection_that_is_declared_after_an_activation_keeps_the_status()
    {
        var shard = Ready(null, null, ("alice", Record(Status.Busy, 1, 1)));
        shard.Open("alice", connection: 1);
        shard.After(Grace * 2, Both);
        Assert.Equal(Status.Busy, shard.StatusOf("alice"));
    }

    [Fact]
    public void Before_all_is_read_nobody_goes_offline()
    {
        var shard = new Shard();
        shard.Apply(new RouterInput.Declare(GatewayA));
        shard.Open("alice", connection: 1);
        shard.Publish("alice", Status.Enable);
        shard.Close(1);
        shard.After(Grace * 2, GatewayA);
        Assert.Equal(Status.Enable, shard.StatusOf("alice"));
        shard.Apply(new RouterInput.AllRead([]));
        shard.After(TimeSpan.Zero, GatewayA);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_connection_that_closes_before_the_store_was_read_has_its_whole_time()
    {
        var shard = new Shard();
        shard.Apply(new RouterInput.Declare(GatewayA));
        shard.After(Grace, GatewayA);
        shard.Open("alice", connection: 1);
        shard.Close(1);
        shard.Apply(new RouterInput.AllRead([(UidOf("alice"), Record(Status.Busy, 1, 1))]));
        shard.After(Grace - Second, GatewayA);
        Assert.Equal(Status.Busy, shard.StatusOf("alice"));
        shard.After(Second, GatewayA);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void Whoever_published_nothing_stays_unknown()
    {
        var shard = Ready();
        shard.Open("alice", connection: 1);
        shard.Close(1);
        Assert.Empty(shard.After(Grace * 2, Both));
        Assert.Equal(Status.Unknown, shard.StatusOf("alice"));
    }

    [Theory, InlineData(SourceKind.Administrator), InlineData(SourceKind.External), InlineData(SourceKind.Peer)]
    public void What_another_hand_has_set_stays(SourceKind kind)
    {
        var shard = WithAlice();
        shard.Apply(new RouterInput.Set(UidOf("alice"), Status.Forwarding, default, kind, "root", ""));
        shard.Close(1);
        shard.After(Grace * 2, Both);
        Assert.Equal(Status.Forwarding, shard.StatusOf("alice"));
    }

    [Theory, InlineData(SourceKind.Administrator), InlineData(SourceKind.External), InlineData(SourceKind.Offline), InlineData(SourceKind.Peer)]
    public void Also_when_only_the_store_remembers_who_it_was(SourceKind kind)
    {
        var shard = Ready(null, null, ("alice", Record(Status.Busy, 1, 1, kind)));
        shard.After(Grace * 2, Both);
        Assert.Equal(Status.Busy, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_remote_subscriber_is_left_to_its_home()
    {
        var shard = Ready(null, null, ("remote", Record(Status.Busy, 1, 1)));
        shard.Open("remote", connection: 1);
        shard.Close(1);
        shard.After(Grace * 2, Both);
        Assert.Equal(Status.Busy, shard.StatusOf("remote"));
    }

    [Fact]
    public void A_removed_subscriber_keeps_what_it_had_and_gets_its_time_when_it_comes_back()
    {
        var shard = WithAlice();
        shard.Close(1);
        shard.Follow(Everyone([], except: "alice"));
        shard.After(Grace * 2, Both);
        Assert.Equal(Status.Enable, shard.StatusOf("alice"));
        shard.Follow(Everyone([]));
        shard.After(Grace - Second, Both);
        Assert.Equal(Status.Enable, shard.StatusOf("alice"));
        shard.After(Second, Both);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_change_of_number_dname_or_domain_does_not_begin_the_time_anew()
    {
        var shard = WithAlice();
        shard.Close(1);
        shard.After(Grace - Second, Both);
        shard.Follow(WithDName("other@TEST"));
        shard.Follow(Everyone([]));
        shard.After(Second, Both);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_change_of_attributes_neither_shortens_nor_lengthens_any_time()
    {
        var shard = WithAlice();
        shard.Close(1);
        shard.After(Second * 10, Both);
        shard.Publish("alice", Status.Busy); // it was under way when the connection closed, and began the time anew
        shard.After(Grace - Second, Both);
        shard.Follow(WithDName("other@TEST"));
        Assert.Equal(Status.Busy, shard.StatusOf("alice"));
        shard.After(Second, Both);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_subscriber_that_moves_to_this_domain_has_its_whole_time()
    {
        var shard = Ready(null, null, ("remote", Record(Status.Busy, 1, 1)));
        shard.After(Grace * 2, Both);
        shard.Follow(new DirectorySnapshot([.. Everyone([], except: "remote").Subscribers, Subscriber("remote", "remote@TEST")], shard.Directory.Policy));
        shard.After(Grace - Second, Both);
        Assert.Equal(Status.Busy, shard.StatusOf("remote"));
        shard.After(Second, Both);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("remote"));
    }

    [Theory, InlineData(-365), InlineData(365)]
    public void Setting_the_wall_clock_takes_nobody_offline_and_keeps_nobody_online(int days)
    {
        var shard = WithAlice();
        shard.Close(1);
        shard.Now = new Moment(shard.Now.Utc.AddDays(days), shard.Now.Steady);
        shard.After(Grace - Second, Both);
        Assert.Equal(Status.Enable, shard.StatusOf("alice"));
        shard.After(Second, Both);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_status_that_is_published_meanwhile_begins_the_time_anew()
    {
        var shard = WithAlice();
        shard.Close(1);
        shard.After(Grace - Second, Both);
        shard.Publish("alice", Status.Busy); // it was under way when the connection closed
        shard.After(Grace - Second, Both);
        Assert.Equal(Status.Busy, shard.StatusOf("alice"));
        shard.After(Second, Both);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Theory, InlineData(2), InlineData(3), InlineData(35), InlineData(86_400)]
    public void A_router_that_was_away_takes_nobody_offline_who_is_connected(int seconds)
    {
        foreach (var after in new[] { TimeSpan.Zero, Second, Second * 3, Grace })
        {
            var shard = WithAlice(new RouterSettings { OfflineAfter = after });
            for (var again = 0; again < 20; again++)
            {
                shard.After(Second, GatewayB); // the last heartbeat of the other gateway was a second ago
                Assert.Empty(shard.Away(TimeSpan.FromSeconds(seconds)));
                Assert.True(shard.Router.Knows(GatewayA));
                Assert.Equal(Status.Enable, shard.StatusOf("alice"));
                shard.Apply(new RouterInput.Renew(GatewayA));
            }
        }
    }

    [Fact]
    public void The_time_of_who_has_gone_goes_on_from_where_it_was_when_the_router_went_away()
    {
        var shard = WithAlice();
        shard.Close(1);
        shard.After(Second * 10, Both);
        shard.Away(TimeSpan.FromHours(1)); // counts one tick
        shard.After(Second * 18, Both);
        Assert.Equal(Status.Enable, shard.StatusOf("alice"));
        shard.After(Second, Both);
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    [Fact]
    public void A_silent_gateway_is_given_its_whole_time_after_the_router_was_away()
    {
        var shard = WithAlice();
        shard.Away(TimeSpan.FromHours(1));
        shard.After(Grace - Second, GatewayB);
        Assert.True(shard.Router.Knows(GatewayA));
        shard.After(Second, GatewayB);
        Assert.False(shard.Router.Knows(GatewayA));
        Assert.Equal(Status.NotRegistered, shard.StatusOf("alice"));
    }

    private static DirectorySnapshot WithDName(string dname)
    {
        var directory = Everyone([], except: "alice");
        return new DirectorySnapshot([.. directory.Subscribers, Subscriber("alice", dname)], directory.Policy);
    }

    private static Subscriber Subscriber(string uid, string dname) => new() { Uid = UidOf(uid), DName = DNameOf(dname), Domain = DomainOf("home") };

    private static Shard WithAlice(RouterSettings? settings = null)
    {
        var shard = Ready(settings);
        shard.Open("alice", connection: 1);
        shard.Publish("alice", Status.Enable);
        return shard;
    }
}
