using System.Diagnostics;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>One shard of the domain: owns the statuses of its subscribers, knows who watches them, and says who is told what.</summary>
/// <remarks>
/// Pure: the same inputs at the same times give the same effects; only in which order several watchers are told of one change of rules follows from the places that
/// the process gave their connections. One owner calls it, one input after the other (decision 0001).
/// Rules are asked when somebody subscribes and when the directory changes, never for a status. It counts time by an <see cref="AwakeClock"/>, so whoever
/// is connected stays so however long the router itself was away.
/// </remarks>
public sealed class Router
{
    private readonly RouterSettings settings;
    private readonly long activation;
    private readonly RegisterTable registers;
    private readonly GatewayTable gateways = new();
    private readonly ConnectionTable connections;
    private readonly LeaseTable leases;
    private readonly WatchTable watches;
    private readonly OfflineRule offline;
    private readonly ShardHistory history;
    private readonly Recovery recovery;
    private readonly AwakeClock clock;
    private readonly Dictionary<Uid, (RouterInput.Publish Said, Moment At)> early = new(Uid.Comparer); // what people said who are connected and whom the directory here does not know yet
    private DirectorySnapshot directory;
    private TimeSpan always; // when the input is that is taken now, by the clock that counts while nobody is awake too

    /// <summary>A shard that has just been activated and knows nothing of its subscribers yet.</summary>
    /// <param name="uids">Shared by everything in the process.</param>
    /// <param name="directory">As it was read after the activation began, so that no rule of before is in force.</param>
    /// <param name="incarnation">The store's.</param>
    /// <param name="epoch">Taken from the store, durably, for this activation alone.</param>
    public Router(RouterSettings settings, UidTable uids, DirectorySnapshot directory, ulong incarnation, long epoch, Moment activated)
    {
        this.settings = settings;
        this.directory = directory;
        activation = epoch;
        registers = new RegisterTable(uids);
        connections = uids.Connections;
        leases = new LeaseTable(connections);
        watches = new WatchTable(registers, gateways, connections, activation);
        offline = new OfflineRule(settings, registers);
        history = new ShardHistory(registers, incarnation, activation);
        recovery = new Recovery(registers, history, watches, offline, activated.Steady);
        clock = new AwakeClock(activated.Steady);
    }

    /// <summary>The epoch that the activation began with: what its delivery stamps carry, also after <see cref="Raise"/>.</summary>
    public long Activation => activation;

    /// <summary>The last change that this activation made.</summary>
    public FeedKey LastChange => history.LastChange;

    /// <summary>Subscribers that have a status, a watch or a lease here.</summary>
    public int RegisterCount => registers.Count;

    /// <summary>Connections known here, as lease or as watcher; they are counted for it.</summary>
    public int SessionCount => leases.Connections.Union(watches.Connections).Count();

    /// <summary>Verdicts that rules were asked for: one for each new watch, and for each that a change of the directory can touch.</summary>
    public long Verdicts => watches.Verdicts;

    /// <summary>Whether a gateway has declared itself here and has not been given up since.</summary>
    public bool Knows(GatewayId gateway) => gateways.TryGet(gateway, out _);

    /// <summary>Whether all that the store has is known, so that the feed has everybody.</summary>
    public bool HasReadAll => recovery.IsComplete;

    /// <summary>Whether this domain accepts statuses of a subscriber, by the directory that is in force here.</summary>
    public bool IsLocal(Uid uid) => directory.IsLocal(uid);

    /// <summary>Revision of the directory that is in force here.</summary>
    public long DirectoryRevision => directory.Revision;

    /// <summary>Gives later versions a higher epoch, after <see cref="Effect.Outrun"/>.</summary>
    public void Raise(long higher) => history.Raise(higher);

    /// <summary>Gives back what it holds in the table of UIDs; the router is of no use afterwards.</summary>
    public void Close()
    {
        leases.Close();
        watches.Close();
        registers.Close();
    }

    /// <summary>The current record of a subscriber; the default one if it has none or the store was not asked yet.</summary>
    public StatusRecord RecordOf(Uid uid) => registers.TryGet(uid, out var register) ? register.Record : default;

    /// <summary>Under which change this shard holds a record, as itself or taken over; the default value if it holds another one.</summary>
    public FeedKey HeldAs(Uid uid, StatusVersion version) =>
        registers.TryGet(uid, out var register) && (register.Version == version || register.TakenFrom == version)
            ? ShardHistory.KeyOf(register.Version)
            : default;

    /// <summary>Reads what changed since a cursor, each subscriber once, oldest change first.</summary>
    public FeedCursor ReadChanges(FeedCursor cursor, int max, ICollection<(Uid Uid, StatusRecord Record)> changes) => history.Read(cursor, max, changes);

    /// <summary>Takes one input and appends what follows from it.</summary>
    /// <param name="now">Not before that of an earlier input, by its steady clock.</param>
    public void Apply(RouterInput input, Moment now, ICollection<Effect> effects)
    {
        always = now.Steady;
        now = clock.Advance(now);
        switch (input)
        {
            case RouterInput.Publish publish:
                Publish(publish, now with { Steady = always }, now, effects);
                break;
            case RouterInput.Late late:
                if (!IsOvertaken(late))
                {
                    Publish(late.Said, new Moment(now.Utc - late.Age, always - late.Age), now, effects);
                }

                break;
            case RouterInput.Restore restore:
                Restore(restore, now, effects);
                break;
            case RouterInput.Watch watch:
                StartWatch(watch, effects);
                break;
            case RouterInput.Unwatch unwatch:
                if (connections.Find(unwatch.Connection) is var watcher and >= 0 && registers.TryGet(unwatch.Publisher, out var watched))
                {
                    watches.Stop(watched, watcher);
                }

                break;
            case RouterInput.Open open:
                OpenLease(open);
                break;
            case RouterInput.Close close:
                if (connections.Find(close.Connection) is var closed and >= 0)
                {
                    End(closed, close.Connection, now.Steady);
                }

                break;
            case RouterInput.Renew renew:
                if (gateways.TryGet(renew.Gateway, out var alive))
                {
                    alive.LastHeard = now.Steady;
                }

                break;
            case RouterInput.Declare declare:
                Leave(declare.Gateway);
                gateways.Add(declare.Gateway).LastHeard = now.Steady;
                break;
            case RouterInput.Leave leave:
                Leave(leave.Gateway);
                break;
            case RouterInput.Set set:
                Accept(registers.GetOrAdd(set.Publisher), set.Status, set.Timestamp, new ChangeSource(set.Kind, set.Actor, set.Through, now.Utc), always, now, effects);
                break;
            case RouterInput.Adopt adopt:
                Adopt(adopt, now, effects);
                break;
            case RouterInput.WasRead read:
                if (registers.TryGet(read.Publisher, out var asked))
                {
                    recovery.Learn(asked, read.Record, now.Steady, directory, effects);
                    if (recovery.Postponed.GetValueOrDefault(read.Publisher) is { } waiting)
                    {
                        Restore(waiting, now, effects);
                    }

                    registers.RemoveIfIdle(asked);
                }

                break;
            case RouterInput.AllRead all:
                recovery.LearnAll(all, now.Steady, directory, effects);
                foreach (var restore in recovery.Postponed.Values)
                {
                    Restore(restore, now, effects);
                }

                recovery.Postponed.Clear();
                break;
            case RouterInput.DirectoryChanged changed:
                Follow(changed.Change, now, effects);
                break;
            case RouterInput.Tick:
                EndSilentGateways(now.Steady);
                SetOffline(now, effects);
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <param name="said">When, by the clocks that always count.</param>
    private void Publish(RouterInput.Publish publish, Moment said, Moment now, ICollection<Effect> effects)
    {
        // The gateway has refused these two; here it is the owner that makes sure. But the gateway may know of a newcomer sooner.
        if (!directory.MayLogIn(publish.Publisher) || !directory.IsLocal(publish.Publisher))
        {
            if (leases.Find(publish.Connection) >= 0 && connections.SubscriberOf(connections.Find(publish.Connection)).Equals(publish.Publisher))
            {
                early[publish.Publisher] = (publish, said);
            }

            return;
        }

        var register = registers.GetOrAdd(publish.Publisher);
        register.HasSpoken = register.Leases > 0;
        Accept(register, publish.Status, publish.Timestamp, SourceOf(publish.Connection, publish.Publisher, said.Utc), said.Steady, now, effects);
    }

    /// <summary>Whether this activation has accepted a status that was said after one that comes late. What it took over from elsewhere was said before.</summary>
    private bool IsOvertaken(RouterInput.Late late) =>
        registers.TryGet(late.Said.Publisher, out var register)
        && history.IsOfThisActivation(register.Record.Version)
        && register.TakenFrom.IsNone
        && register.WasSaidAfter(always - late.Age);

    private ChangeSource SourceOf(ConnectionId connection, Uid publisher, DateTimeOffset at)
    {
        var lease = leases.Find(connection) is var slot and >= 0 ? leases[slot] : default;
        return new ChangeSource(SourceKind.Client, lease.Actor ?? publisher.ToString(), lease.Through ?? "", at);
    }

    /// <summary>Lets what a client said count again that was taken for gone, if it is still there.</summary>
    private void Restore(RouterInput.Restore restore, Moment now, ICollection<Effect> effects)
    {
        if (leases.Find(restore.Connection) < 0 || !registers.TryGet(restore.Publisher, out var register) || !directory.MayLogIn(restore.Publisher) || !directory.IsLocal(restore.Publisher))
        {
            return;
        }

        register.HasSpoken = true;
        if (!recovery.IsComplete)
        {
            if (!recovery.Postponed.TryGetValue(restore.Publisher, out var other) || leases.Find(other.Connection) < 0 || other.SaidAt <= restore.SaidAt)
            {
                recovery.Postponed[restore.Publisher] = restore;
            }
        }

        if (recovery.IsKnown(register) && (register.Record.Source.Kind == SourceKind.Offline || (register.IsRestored && !register.WasSaidAfter(restore.SaidAt))))
        {
            Accept(register, restore.Status, restore.Timestamp, SourceOf(restore.Connection, restore.Publisher, now.Utc - (always - restore.SaidAt)), restore.SaidAt, now, effects);
            register.IsRestored = true;
        }
    }

    /// <summary>Makes a status the current one: every accepted status is a change, also an equal one.</summary>
    /// <param name="said">When it was said, by the clock that always counts.</param>
    private void Accept(Register register, Status status, ClientTimestamp timestamp, ChangeSource source, TimeSpan said, Moment now, ICollection<Effect> effects)
    {
        history.Put(register, new StatusRecord(status, timestamp, default, source));
        register.NoteSaid(said);
        register.IsRestored = false;
        early.Remove(register.Uid);
        watches.Show(register, effects);
        offline.Start(register, now.Steady, directory);
    }

    private void StartWatch(RouterInput.Watch watch, ICollection<Effect> effects)
    {
        if (!Knows(watch.Connection.Gateway))
        {
            return;
        }

        var register = registers.GetOrAdd(watch.Publisher);
        var connection = connections.Hold(watch.Connection, watch.Watcher);
        watches.Start(register, connection, watch.Request, directory);
        if (recovery.IsKnown(register))
        {
            watches.Answer(register, connection, effects);
        }
        else
        {
            // Also for a watcher who may not see it: hidden and visible must take the same way (docs/protocol.md §4).
            Recovery.Ask(register, effects);
        }
    }

    private void OpenLease(RouterInput.Open open)
    {
        if (!Knows(open.Connection.Gateway))
        {
            return;
        }

        var connection = connections.Hold(open.Connection, open.Subscriber);
        var register = registers.GetOrAdd(connections.SubscriberOf(connection));
        register.Leases += leases.Open(connection, open.Actor, open.Through) ? 1 : 0;
        register.OfflineAt = null;
    }

    /// <summary>Ends a connection's lease and watches.</summary>
    /// <param name="connection">Its place; after this nothing here holds it.</param>
    /// <param name="gone">Since when it has been away.</param>
    private void End(int connection, ConnectionId id, TimeSpan gone)
    {
        watches.StopAll(connection);
        if (leases.Find(id) is var lease and >= 0 && registers.TryGet(connections.SubscriberOf(connection), out var own))
        {
            leases.End(lease);
            if (early.TryGetValue(own.Uid, out var unheard) && unheard.Said.Connection == id)
            {
                early.Remove(own.Uid);
            }

            own.Leases--;
            own.HasSpoken &= own.Leases > 0;
            own.IsAwaitingStore = !recovery.IsComplete;
            own.LeftAt = own.LeftAt > gone ? own.LeftAt : gone; // a gateway that died may be given up after a later connection has gone
            offline.Start(own, own.LeftAt.Value, directory);
            registers.RemoveIfIdle(own);
        }
    }

    private void Leave(GatewayId id)
    {
        if (gateways.TryGet(id, out var gateway))
        {
            foreach (var connection in leases.Connections.Union(watches.Connections).Where(connection => connections.GatewayOf(connection) == id.Value).ToArray())
            {
                End(connection, connections.IdOf(connection), gateway.LastHeard);
            }

            gateways.Remove(gateway);
        }
    }

    private void Adopt(RouterInput.Adopt adopt, Moment now, ICollection<Effect> effects)
    {
        var record = adopt.Record;
        if (!history.IsOurs(record.Version) || !directory.IsLocal(adopt.Publisher))
        {
            return;
        }

        if (history.IsOutrunBy(record.Version))
        {
            effects.Add(new Effect.Outrun(record.Version.Epoch));
            return;
        }

        var register = registers.GetOrAdd(adopt.Publisher);
        recovery.Adopt(register, record, now.Steady, directory, effects);
        registers.RemoveIfIdle(register);
    }

    private void Follow(DirectoryChange change, Moment now, ICollection<Effect> effects)
    {
        if (change.To.Revision <= directory.Revision)
        {
            return;
        }

        if (!ReferenceEquals(change.From, directory))
        {
            change = DirectoryChange.Between(directory, change.To);
        }

        directory = change.To;
        foreach (var uid in change.Removed)
        {
            if (registers.TryGet(uid, out var removed))
            {
                removed.IsRemoved = true;
                removed.OfflineAt = null;
            }
        }

        foreach (var uid in change.Added.Concat(change.AttributesChanged))
        {
            if (registers.TryGet(uid, out var present))
            {
                present.IsRemoved = false;
                offline.Ensure(present, now.Steady, directory);
            }
        }

        watches.Judge(change, effects);
        foreach (var (uid, unheard) in early.ToArray())
        {
            if (directory.MayLogIn(uid) && directory.IsLocal(uid))
            {
                Publish(unheard.Said, unheard.At, now, effects); // after the rules, which it must not pass
            }
        }
    }

    private void SetOffline(Moment now, ICollection<Effect> effects)
    {
        while (recovery.IsComplete && offline.TryNext(now.Steady, directory, out var register))
        {
            Accept(register, settings.OfflineStatus, default, new ChangeSource(SourceKind.Offline, "statusd", "", now.Utc), always, now, effects);
        }
    }

    private void EndSilentGateways(TimeSpan now)
    {
        foreach (var gateway in gateways.SilentSince(now - offline.GatewaySilence))
        {
            Leave(gateway.Id);
        }
    }
}
