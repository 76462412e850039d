using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>What a router must tell, found the slow way: every verdict is judged from scratch after every input.</summary>
/// <remarks>It has no offline rule; <see cref="OfflineRuleTests"/> are about that.</remarks>
internal sealed class RouterModel(DirectorySnapshot directory, IReadOnlyDictionary<Uid, Status> stored)
{
    private readonly Dictionary<GatewayId, TimeSpan> heard = [];
    private readonly Dictionary<ConnectionId, Uid> leases = [];
    private readonly Dictionary<(ConnectionId Connection, Uid Publisher), Wish> watches = [];
    private readonly Dictionary<Uid, Status> statuses = [];
    private readonly Dictionary<Uid, (ConnectionId Connection, Status Status)> early = [];
    private readonly HashSet<Uid> known = [];
    private readonly HashSet<Uid> asked = [];

    // Whose status a client set last, and who was in the directory and is no more.
    private readonly HashSet<Uid> byClient = [];
    private readonly HashSet<Uid> removed = [];

    // Subscribers that left before the store was read are kept until it is.
    private readonly HashSet<Uid> left = [];
    private bool allRead;

    public int Registers => statuses.Keys.Union(watches.Keys.Select(key => key.Publisher)).Union(leases.Values).Union(left).Count();

    public int Sessions => watches.Keys.Select(key => key.Connection).Union(leases.Keys).Count();

    public Status StatusOf(Uid uid) => statuses.GetValueOrDefault(uid, Status.Unknown);

    /// <summary>Takes an input and says what follows from it, in no order.</summary>
    public Outcome Apply(RouterInput input, TimeSpan now)
    {
        var outcome = new Outcome();
        switch (input)
        {
            case RouterInput.Declare declare:
                Leave(declare.Gateway);
                heard[declare.Gateway] = now;
                break;
            case RouterInput.Renew renew when heard.ContainsKey(renew.Gateway):
                heard[renew.Gateway] = now;
                break;
            case RouterInput.Leave leave:
                Leave(leave.Gateway);
                break;
            case RouterInput.Tick:
                foreach (var (gateway, _) in heard.Where(pair => now - pair.Value > RouterSettings.GatewaySilence).ToArray())
                {
                    Leave(gateway);
                }

                break;
            case RouterInput.Open open when heard.ContainsKey(open.Connection.Gateway):
                leases[open.Connection] = open.Subscriber;
                break;
            case RouterInput.Close close:
                End(close.Connection);
                break;
            case RouterInput.Watch watch when heard.ContainsKey(watch.Connection.Gateway):
                watches[(watch.Connection, watch.Publisher)] = new Wish(watch.Watcher, watch.Request, IsAnswered: false, IsVisible(watch.Publisher, watch.Watcher));
                if (allRead || known.Contains(watch.Publisher))
                {
                    Answer((watch.Connection, watch.Publisher), outcome);
                }
                else if (asked.Add(watch.Publisher))
                {
                    outcome.Reads.Add(watch.Publisher);
                }

                break;
            case RouterInput.Unwatch unwatch:
                watches.Remove((unwatch.Connection, unwatch.Publisher));
                break;
            case RouterInput.Publish publish when directory.MayLogIn(publish.Publisher) && directory.IsLocal(publish.Publisher):
                Accept(publish.Publisher, publish.Status, isByClient: true, outcome);
                break;
            case RouterInput.Publish publish when leases.GetValueOrDefault(publish.Connection)?.Equals(publish.Publisher) == true:
                early[publish.Publisher] = (publish.Connection, publish.Status);
                break;
            case RouterInput.Set set:
                Accept(set.Publisher, set.Status, isByClient: false, outcome);
                break;
            case RouterInput.WasRead read when IsThere(read.Publisher):
                asked.Remove(read.Publisher);
                Learn(read.Publisher, outcome);
                break;
            case RouterInput.AllRead:
                allRead = true;
                left.Clear();
                foreach (var publisher in stored.Keys.Union(statuses.Keys).Union(watches.Keys.Select(key => key.Publisher)).ToArray())
                {
                    Learn(publisher, outcome);
                }

                break;
            case RouterInput.DirectoryChanged changed:
                removed.UnionWith(directory.Subscribers.Select(subscriber => subscriber.Uid).Where(IsThere));
                directory = changed.Change.To;
                removed.ExceptWith(directory.Subscribers.Select(subscriber => subscriber.Uid));
                JudgeAll(outcome);
                foreach (var (publisher, said) in early.Where(pair => directory.MayLogIn(pair.Key) && directory.IsLocal(pair.Key)).ToArray())
                {
                    Accept(publisher, said.Status, isByClient: true, outcome);
                }

                break;
        }

        known.RemoveWhere(uid => !IsThere(uid));
        asked.RemoveWhere(uid => !IsThere(uid));
        removed.RemoveWhere(uid => !IsThere(uid));
        return outcome;
    }

    private bool IsThere(Uid uid) =>
        statuses.ContainsKey(uid) || leases.ContainsValue(uid) || left.Contains(uid) || watches.Keys.Any(key => key.Publisher.Equals(uid));

    private bool IsVisible(Uid publisher, Uid watcher) => publisher.Equals(watcher) || (!removed.Contains(publisher) && directory.Judge(publisher, watcher).IsVisible);

    private void JudgeAll(Outcome outcome)
    {
        foreach (var (key, wish) in watches.ToArray())
        {
            var isVisible = IsVisible(key.Publisher, wish.Watcher);
            watches[key] = wish with { IsVisible = isVisible };
            if (isVisible != wish.IsVisible && wish.IsAnswered)
            {
                outcome.Tells.Add((key.Connection, key.Publisher, wish.Request, isVisible));
            }
        }
    }

    private void Learn(Uid publisher, Outcome outcome)
    {
        known.Add(publisher);
        if (stored.TryGetValue(publisher, out var status) && statuses.TryAdd(publisher, status))
        {
            byClient.Add(publisher);
        }

        if (byClient.Contains(publisher) && !directory.MayLogIn(publisher) && removed.Add(publisher))
        {
            JudgeAll(outcome);
        }

        AnswerWaiting(publisher, outcome);
    }

    private void Accept(Uid publisher, Status status, bool isByClient, Outcome outcome)
    {
        statuses[publisher] = status;
        early.Remove(publisher);
        _ = isByClient ? byClient.Add(publisher) : byClient.Remove(publisher);
        known.Add(publisher);
        foreach (var gateway in watches.Where(pair => pair.Key.Publisher.Equals(publisher) && pair.Value is { IsAnswered: true, IsVisible: true }).Select(pair => pair.Key.Connection.Gateway).Distinct())
        {
            outcome.Delivers.Add((gateway, publisher));
        }

        AnswerWaiting(publisher, outcome);
    }

    private void AnswerWaiting(Uid publisher, Outcome outcome)
    {
        foreach (var (key, wish) in watches.ToArray())
        {
            if (key.Publisher.Equals(publisher) && !wish.IsAnswered)
            {
                Answer(key, outcome);
            }
        }
    }

    private void Answer((ConnectionId Connection, Uid Publisher) key, Outcome outcome)
    {
        var wish = watches[key] = watches[key] with { IsAnswered = true };
        outcome.Tells.Add((key.Connection, key.Publisher, wish.Request, wish.IsVisible));
    }

    private void Leave(GatewayId gateway)
    {
        heard.Remove(gateway);
        foreach (var connection in leases.Keys.Concat(watches.Keys.Select(key => key.Connection)).Where(connection => connection.Gateway == gateway).Distinct().ToArray())
        {
            End(connection);
        }
    }

    private void End(ConnectionId connection)
    {
        if (leases.Remove(connection, out var subscriber))
        {
            if (!allRead)
            {
                left.Add(subscriber);
            }

            if (early.TryGetValue(subscriber, out var said) && said.Connection == connection)
            {
                early.Remove(subscriber);
            }
        }

        foreach (var key in watches.Keys.Where(key => key.Connection == connection).ToArray())
        {
            watches.Remove(key);
        }
    }

    /// <summary>What one input leads to.</summary>
    internal sealed class Outcome
    {
        public HashSet<(GatewayId Gateway, Uid Publisher)> Delivers { get; } = [];

        public HashSet<(ConnectionId Connection, Uid Publisher, uint Request, bool IsVisible)> Tells { get; } = [];

        public HashSet<Uid> Reads { get; } = [];
    }

    private sealed record Wish(Uid Watcher, uint Request, bool IsAnswered, bool IsVisible);
}
