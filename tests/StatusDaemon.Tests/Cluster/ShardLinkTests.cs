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
        Assert.Throws<InvalidOperationException>(link.Next);
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
    public void What_waits_is_bounded_and_keeps_the_newest_of_each_status_and_watch_and_all_else_in_order() =>
        Gen.Select(Gen.Int[0, 19], Gen.Int[0, 99]).Array[ShardLink.PatientInputs, ShardLink.PatientInputs * 3].Sample(steps =>
        {
            var link = Declared();
            var newest = new Dictionary<(string, Uid), RouterInput>();
            var others = new List<RouterInput>();
            uint request = 0;
            foreach (var (person, kind) in steps)
            {
                var publisher = People[person];
                RouterInput input = kind switch
                {
                    0 => new RouterInput.Open(new ConnectionId(Gateway, 2 + request++), publisher, "actor", ""),
                    < 20 => new RouterInput.Watch(Connection, People[0], publisher, ++request),
                    < 40 => new RouterInput.Unwatch(Connection, publisher),
                    _ => Publish(person, (Status)(1 + (kind % 8)), kind),
                };
                if (input is RouterInput.Open)
                {
                    others.Add(input);
                }
                else
                {
                    newest[(input is RouterInput.Publish ? "status" : "watch", publisher)] = input;
                }

                link.Add(input);
            }

            var sent = new List<RouterInput>();
            while (link.HasWork)
            {
                var batch = link.Next();
                Assert.InRange(batch.Inputs.Count, 1, ShardLink.BatchInputs);
                sent.AddRange(batch.Inputs);
                link.Answered(Answer(5, accepted: [.. batch.Inputs.OfType<RouterInput.Publish>().Select(_ => default(FeedKey))]));
            }

            Assert.Equal(others, sent.Where(input => input is RouterInput.Open));
            Assert.InRange(sent.Count, 1, ShardLink.PatientInputs);
            foreach (var ((kind, publisher), input) in newest)
            {
                Assert.Equal(input, sent.Last(one => one switch
                {
                    RouterInput.Publish publish => kind == "status" && publish.Publisher.Equals(publisher),
                    RouterInput.Watch watch => kind == "watch" && watch.Publisher.Equals(publisher),
                    RouterInput.Unwatch unwatch => kind == "watch" && unwatch.Publisher.Equals(publisher),
                    _ => false,
                }));
            }
        }, iter: 10, threads: 1);

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
        link.Answered(Answer(4, mustDeclare: true));
        Assert.Equal(5, link.Activation);
        Assert.True(link.IsDeclared);
        Assert.False(link.IsBusy);
        Assert.Same(batch, link.Next());
    }

    [Fact]
    public void An_answer_to_nothing_is_a_fault() => Assert.Throws<InvalidOperationException>(() => NewLink().Answered(Answer(5)));

    private static ShardLink NewLink() => new(
        Gateway,
        shard: 0,
        (_, inputs) => inputs.Add(new RouterInput.Open(Connection, People[0], "actor", "")),
        (_, at) => new ChangeSource(SourceKind.Client, "actor", "", at));

    private static ShardLink Declared()
    {
        var link = NewLink();
        link.Next();
        link.Answered(Answer(5, mustDeclare: true));
        link.Next();
        link.Answered(Answer(5));
        return link;
    }

    private static RouterInput.Publish Publish(int person, Status status, int number = 0) =>
        new(Connection, People[person], status, ClientTimestamp.TryParse(System.Text.Encoding.ASCII.GetBytes($"{number}"), true, out var stamp) ? stamp : default);

    private static ShardAnswer Answer(long activation, bool mustDeclare = false, long saved = 0, params FeedKey[] accepted) =>
        new(activation, mustDeclare, Incarnation, new FeedKey(activation, saved), At, accepted);
}
