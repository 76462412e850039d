using CsCheck;
using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Cluster;

public sealed class ShardLinkTests
{
    private const ulong Incarnation = 7;
    private static readonly GatewayId Gateway = new(1);
    private static readonly ConnectionId Connection = new(Gateway, 1);
    private static readonly Uid[] People = [.. Enumerable.Range(0, 20).Select(i => UidOf($"p{i}"))];
    private static readonly DateTimeOffset At = DateTimeOffset.UnixEpoch;

    [Fact]
    public void The_first_batch_asks_who_is_there_and_the_second_declares()
    {
        var link = NewLink();
        Assert.Empty(link.Next().Inputs);
        link.Answered(Answer(5, mustDeclare: true));
        Assert.False(link.IsDeclared);
        Assert.True(link.HasWork); // at once, not with the next heartbeat
        Assert.False(link.IsReached);
        var declaration = link.Next();
        Assert.True(declaration.Declares);
        Assert.Equal(5, declaration.Activation);
        Assert.Contains(new RouterInput.Open(Connection, People[0], "actor", ""), declaration.Inputs);
        Assert.True(link.IsDeclared);
    }

    [Fact]
    public void One_batch_is_outstanding_and_goes_again_unchanged_until_it_is_answered()
    {
        var link = Declared();
        link.Add(Publish(0, Status.Busy));
        var first = link.Next();
        Assert.True(link.IsBusy);
        Assert.Throws<InvalidOperationException>(() => link.Next());
        link.Add(Publish(0, Status.Enable));
        link.Failed();
        Assert.True(link.HasWork);
        Assert.Same(first, link.Next());
        link.Answered(Answer(5, accepted: new FeedKey(5, 1)));
        var second = link.Next();
        Assert.Equal(first.Number + 1, second.Number);
        Assert.Equal(Publish(0, Status.Enable), Assert.Single(second.Inputs));
    }

    [Fact]
    public void A_batch_that_goes_again_says_when_it_goes()
    {
        var link = Declared();
        link.Add(new RouterInput.Publish(Connection, UidOf("alice"), Status.Busy, default, SaidAt: TimeSpan.FromSeconds(1)));
        var first = link.Next(TimeSpan.FromSeconds(2));
        link.Failed();
        var second = link.Next(TimeSpan.FromSeconds(5));
        Assert.Equal(first with { At = TimeSpan.FromSeconds(5) }, second);
    }

    [Fact]
    public void With_nothing_to_say_the_batch_is_empty() => Assert.Empty(Declared().Next().Inputs);

    [Fact]
    public void Before_the_declaration_only_statuses_are_kept_and_they_follow_it()
    {
        var link = NewLink();
        link.Add(new RouterInput.Close(Connection));
        link.Add(Publish(0, Status.Busy));
        link.Next();
        link.Answered(Answer(5, mustDeclare: true));
        var inputs = link.Next().Inputs;
        Assert.Equal(Publish(0, Status.Busy), inputs[^1]);
        Assert.DoesNotContain(inputs, input => input is RouterInput.Close);
    }

    [Fact]
    public void A_shard_that_must_be_told_anew_gets_the_statuses_that_it_did_not_answer()
    {
        var link = Declared();
        link.Add(Publish(0, Status.Busy));
        link.Add(Publish(1, Status.Busy));
        link.Next();
        link.Add(Publish(0, Status.Enable));
        link.Answered(Answer(6, mustDeclare: true));
        var declaration = link.Next();
        Assert.True(declaration.Declares);
        Assert.Equal(6, declaration.Activation);
        Assert.Equal([Publish(1, Status.Busy), Publish(0, Status.Enable)], declaration.Inputs.OfType<RouterInput.Publish>());
    }

    [Fact]
    public void Accepted_statuses_are_declared_again_until_they_are_saved()
    {
        var link = Declared();
        link.Add(Publish(0, Status.Busy));
        link.Add(Publish(1, Status.Absent));
        link.Next();
        link.Answered(Answer(5, saved: 1, accepted: [new FeedKey(5, 1), new FeedKey(5, 2)]));
        link.Next();
        link.Answered(Answer(6, mustDeclare: true));
        var declaration = link.Next();
        var held = Assert.Single(declaration.Inputs.OfType<RouterInput.Adopt>());
        Assert.Equal((People[1], Status.Absent, new StatusVersion(Incarnation, 5, 2)), (held.Publisher, held.Record.Status, held.Record.Version));
        Assert.Equal(new ChangeSource(SourceKind.Client, "actor", "", At), held.Record.Source);

        // The declaration itself is not answered by an activation that lives on: the next one must hear of it too.
        link.Answered(Answer(7, mustDeclare: true));
        Assert.Equal(held, Assert.Single(link.Next().Inputs.OfType<RouterInput.Adopt>()));
        link.Answered(Answer(7, accepted: new FeedKey(7, 1)));
        link.Next();
        link.Answered(Answer(8, mustDeclare: true, saved: 9));
        Assert.Equal(held with { Record = held.Record with { Version = new StatusVersion(Incarnation, 7, 1) } }, Assert.Single(link.Next().Inputs.OfType<RouterInput.Adopt>()));
    }

    [Fact]
    public void A_status_that_became_no_change_is_not_kept()
    {
        var link = Declared();
        link.Add(Publish(0, Status.Busy));
        link.Next();
        link.Answered(Answer(5, accepted: default(FeedKey)));
        link.Next();
        link.Answered(Answer(6, mustDeclare: true));
        Assert.DoesNotContain(link.Next().Inputs, input => input is RouterInput.Adopt);
    }

    [Fact]
    public void An_answer_of_an_earlier_activation_is_no_answer()
    {
        var link = Declared();
        link.Add(Publish(0, Status.Busy));
        var batch = link.Next();
        Assert.False(link.Answered(Answer(4, mustDeclare: true)));
        Assert.Equal(5, link.Activation);
        Assert.True(link.IsDeclared);
        Assert.False(link.IsBusy);
        Assert.Same(batch, link.Next());
    }

    [Theory, InlineData(0), InlineData(2)]
    public void An_answer_that_does_not_fit_the_batch_is_no_answer(int accepted)
    {
        var link = Declared();
        link.Add(Publish(0, Status.Busy));
        var batch = link.Next();
        Assert.False(link.Answered(Answer(5, accepted: [.. Enumerable.Repeat(new FeedKey(5, 1), accepted)])));
        Assert.False(link.IsBusy);
        Assert.Same(batch, link.Next());
        Assert.True(link.Answered(Answer(5, accepted: new FeedKey(5, 1))));
        Assert.False(link.HasWork);
    }

    [Fact]
    public void While_the_store_is_away_only_the_newest_status_of_each_publisher_is_kept()
    {
        var link = Declared();
        for (var seq = 1; seq <= 50_000; seq++)
        {
            link.Add(Publish(seq % 3, seq > 49_000 ? Status.Absent : Status.Busy));
            link.Next();
            link.Answered(Answer(5, accepted: new FeedKey(5, seq)));
        }

        link.Next();
        link.Answered(Answer(6, mustDeclare: true));
        var kept = link.Next().Inputs.OfType<RouterInput.Adopt>().ToList();
        Assert.InRange(kept.Count, 3, UnsavedRecords.PatientRecords);
        Assert.Equal([49_998, 49_999, 50_000], kept.GroupBy(adopt => adopt.Publisher).Select(same => same.Max(adopt => adopt.Record.Version.Seq)).Order());
        Assert.Equal(kept.OrderBy(adopt => adopt.Record.Version.Seq), kept);
    }

    [Fact]
    public void An_answer_to_nothing_is_a_fault() => Assert.Throws<InvalidOperationException>(() => NewLink().Answered(Answer(5)));

    [Fact]
    public void What_an_answer_tells_is_passed_on_unless_it_answers_something_else()
    {
        var passed = new List<Effect.Deliver>();
        var link = Declared(passed.Add);
        var told = new Effect.Deliver(Gateway, People[0], default, new DeliveryStamp(5, 1));
        link.Add(Publish(0, Status.Busy));
        link.Next();
        Assert.False(link.Answered(Answer(4, accepted: new FeedKey(4, 1)) with { Told = [told] }));
        link.Next();
        Assert.False(link.Answered(Answer(5) with { Told = [told] }));
        Assert.Empty(passed);
        link.Next();
        Assert.True(link.Answered(Answer(5, accepted: new FeedKey(5, 1)) with { Told = [told] }));
        Assert.Same(told, Assert.Single(passed));
    }

    private static ShardLink NewLink(Action<Effect.Deliver>? pass = null) => new(
        Gateway,
        shard: 0,
        (_, inputs) => inputs.Add(new RouterInput.Open(Connection, People[0], "actor", "")),
        (_, at) => new ChangeSource(SourceKind.Client, "actor", "", at),
        pass ?? (static _ => { }));

    private static ShardLink Declared(Action<Effect.Deliver>? pass = null)
    {
        var link = NewLink(pass);
        link.Next();
        link.Answered(Answer(5, mustDeclare: true));
        link.Next();
        link.Answered(Answer(5));
        return link;
    }

    private static RouterInput.Publish Publish(int person, Status status, int number = 0) =>
        new(Connection, People[person], status, ClientTimestamp.TryParse(System.Text.Encoding.ASCII.GetBytes($"{number}"), true, out var stamp) ? stamp : default);

    private static ShardAnswer Answer(long activation, bool mustDeclare = false, long saved = 0, params FeedKey[] accepted) =>
        new(activation, mustDeclare, Incarnation, new FeedKey(activation, saved), At, accepted, []);
}
