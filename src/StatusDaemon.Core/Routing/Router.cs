using System.Diagnostics;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>One shard of the domain: owns the statuses of its subscribers, knows who watches them, and says who is told what.</summary>
/// <remarks>
/// Pure: the same inputs at the same times give the same effects. One owner calls it, one input after the other (decision 0001).
/// Rules are asked when somebody subscribes and when the directory changes, never for a status.
/// </remarks>
public sealed class Router
{
    private readonly RouterSettings settings;
    private readonly ulong incarnation;
    private readonly Moment activated;
    private readonly RegisterTable registers;
    private readonly SessionTable sessions;
    private readonly ChangeFeed feed;

    // Whom to look at again, and when: one wake a register, more only if an earlier one is needed. The register says whether it is true then, so nothing is taken out when a connection comes.
    private readonly PriorityQueue<Uid, TimeSpan> wakes = new();
    private DirectorySnapshot directory;
    private readonly long activation;
    private long epoch;
    private long seq;
    private long told;
    private bool allRead;

    /// <summary>A shard that has just been activated and knows nothing of its subscribers yet.</summary>
    /// <param name="uids">Shared by everything in the process.</param>
    /// <param name="directory">As it was read after the activation began, so that no rule of before is in force.</param>
    /// <param name="incarnation">The store's.</param>
    /// <param name="epoch">Taken from the store, durably, for this activation alone.</param>
    public Router(RouterSettings settings, UidTable uids, DirectorySnapshot directory, ulong incarnation, long epoch, Moment activated)
    {
        this.settings = settings;
        this.directory = directory;
        this.incarnation = incarnation;
        activation = epoch;
        this.epoch = epoch;
        this.activated = activated;
        registers = new RegisterTable(uids);
        sessions = new SessionTable(uids);
        feed = new ChangeFeed(incarnation);
    }

    /// <summary>The epoch that the activation began with: what its delivery stamps carry, also after <see cref="Raise"/>.</summary>
    public long Activation => activation;

    /// <summary>The last change that this activation made.</summary>
    public FeedKey LastChange => new(epoch, seq);

    /// <summary>Subscribers that have a status, a watch or a lease here.</summary>
    public int RegisterCount => registers.Count;

    /// <summary>Connections known here, as lease or as watcher.</summary>
    public int SessionCount => sessions.Count;

    /// <summary>Whether a gateway has declared itself here and has not been given up since.</summary>
    public bool Knows(GatewayId gateway) => sessions.Knows(gateway);

    /// <summary>Gives later versions a higher epoch, after <see cref="Effect.Outrun"/>.</summary>
    public void Raise(long higher) => epoch = higher > epoch ? higher : throw new ArgumentOutOfRangeException(nameof(higher));

    /// <summary>Gives back what it holds in the table of UIDs; the router is of no use afterwards.</summary>
    public void Close()
    {
        sessions.Close();
        registers.Close();
    }

    /// <summary>The current record of a subscriber; the default one if it has none or the store was not asked yet.</summary>
    public StatusRecord RecordOf(Uid uid) => registers.TryGet(uid, out var register) ? register.Record : default;

    /// <summary>Under which change this shard holds a record, as itself or taken over; the default value if it holds another one.</summary>
    public FeedKey HeldAs(Uid uid, StatusVersion version) =>
        registers.TryGet(uid, out var register) && (register.Record.Version == version || register.TakenFrom == version)
            ? new FeedKey(register.Record.Version.Epoch, register.Record.Version.Seq)
            : default;

    /// <summary>Reads what changed since a cursor, each subscriber once, oldest change first.</summary>
    public FeedCursor ReadChanges(FeedCursor cursor, int max, ICollection<(Uid Uid, StatusRecord Record)> changes)
    {
        var slots = new List<int>();
        var next = feed.Read(cursor, max, slots);
        foreach (var slot in slots)
        {
            changes.Add((registers[slot].Uid, registers[slot].Record));
        }

        return next;
    }

    /// <summary>Takes one input and appends what follows from it.</summary>
    /// <param name="now">Not before that of an earlier input, by its steady clock.</param>
    public void Apply(RouterInput input, Moment now, ICollection<Effect> effects)
    {
        switch (input)
        {
            case RouterInput.Publish publish:
                Publish(publish, now, effects);
                break;
            case RouterInput.Watch watch:
                StartWatch(watch, effects);
                break;
            case RouterInput.Unwatch unwatch:
                StopWatch(unwatch);
                break;
            case RouterInput.Open open:
                OpenLease(open);
                break;
            case RouterInput.Close close:
                if (sessions.TryGet(close.Connection, out var closed))
                {
                    End(closed, now.Steady);
                }

                break;
            case RouterInput.Renew renew:
                if (sessions.Knows(renew.Gateway))
                {
                    sessions.Hear(renew.Gateway, now.Steady);
                }

                break;
            case RouterInput.Declare declare:
                Leave(declare.Gateway);
                sessions.Hear(declare.Gateway, now.Steady);
                break;
            case RouterInput.Leave leave:
                Leave(leave.Gateway);
                break;
            case RouterInput.Set set:
                Accept(registers.GetOrAdd(set.Publisher), set.Status, set.Timestamp, new ChangeSource(set.Kind, set.Actor, set.Through, now.Utc), now, effects);
                break;
            case RouterInput.Adopt adopt:
                Adopt(adopt, now, effects);
                break;
            case RouterInput.WasRead read:
                if (registers.TryGet(read.Publisher, out var asked))
                {
                    Learn(asked, read.Record, now.Steady, effects);
                }

                break;
            case RouterInput.AllRead all:
                LearnAll(all, now, effects);
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

    private void Publish(RouterInput.Publish publish, Moment now, ICollection<Effect> effects)
    {
        // The gateway has refused these two; here it is the owner that makes sure.
        if (!directory.IsLocal(publish.Publisher))
        {
            return;
        }

        sessions.TryGet(publish.Connection, out var session);
        var source = new ChangeSource(SourceKind.Client, session?.Actor ?? publish.Publisher.ToString(), session?.Through ?? "", now.Utc);
        Accept(registers.GetOrAdd(publish.Publisher), publish.Status, publish.Timestamp, source, now, effects);
    }

    /// <summary>Makes a status the current one: every accepted status is a change, also an equal one.</summary>
    private void Accept(Register register, Status status, ClientTimestamp timestamp, ChangeSource source, Moment now, ICollection<Effect> effects)
    {
        Replace(register, new StatusRecord(status, timestamp, default, source), effects);
        WaitForConnection(register, now.Steady);
    }

    /// <summary>Puts a record into the register as the newest change, into the feed, and on the way to everyone who is shown it.</summary>
    private void Replace(Register register, StatusRecord record, ICollection<Effect> effects)
    {
        record = record with { Version = new StatusVersion(incarnation, epoch, ++seq) };
        register.Record = record;
        register.IsRead = true;
        register.IsHeld = false;
        register.TakenFrom = default;
        feed.Touch(register.Slot, new FeedKey(epoch, seq));
        if (register.Gateways.Length > 0)
        {
            var stamp = NextStamp();
            foreach (var (gateway, _) in register.Gateways)
            {
                effects.Add(new Effect.Deliver(gateway, register.Uid, record, stamp));
            }
        }

        AnswerWaiting(register, effects);
    }

    private void StartWatch(RouterInput.Watch watch, ICollection<Effect> effects)
    {
        if (!sessions.Knows(watch.Connection.Gateway))
        {
            return;
        }

        var register = registers.GetOrAdd(watch.Publisher);
        var session = sessions.GetOrAdd(watch.Connection, watch.Watcher);
        var at = register.Watches.Find(session.Slot);
        if (at < 0)
        {
            at = ~at;
            register.Watches.Insert(at, new Watch(session.Slot, watch.Request, IsVisible(register, session.Subscriber), isAnswered: false));
            session.Watched.Add(register.Slot);
        }
        else
        {
            Change(register, at, new Watch(session.Slot, watch.Request, register.Watches.Items[at].IsVisible, isAnswered: false));
        }

        if (IsKnown(register))
        {
            Answer(register, at, effects);
        }
        else
        {
            // Also for a watcher who may not see it: hidden and visible must take the same way (docs/protocol.md §4).
            Ask(register, effects);
        }
    }

    private void StopWatch(RouterInput.Unwatch unwatch)
    {
        if (sessions.TryGet(unwatch.Connection, out var session)
            && registers.TryGet(unwatch.Publisher, out var register)
            && session.Watched.Remove(register.Slot))
        {
            RemoveWatch(register, session);
            RemoveIfIdle(session);
        }
    }

    private void OpenLease(RouterInput.Open open)
    {
        if (!sessions.Knows(open.Connection.Gateway))
        {
            return;
        }

        var session = sessions.GetOrAdd(open.Connection, open.Subscriber);
        session.IsLease = true;
        session.Actor = open.Actor;
        session.Through = open.Through;
        var register = registers.GetOrAdd(open.Subscriber);
        register.Leases.Add(session.Slot);
        register.OfflineAt = null;
    }

    /// <summary>Ends a connection's lease and watches.</summary>
    /// <param name="gone">Since when it has been away.</param>
    private void End(Session session, TimeSpan gone)
    {
        while (session.Watched.Count > 0)
        {
            var register = registers[session.Watched.Items[^1]];
            session.Watched.Remove(register.Slot);
            RemoveWatch(register, session);
        }

        if (session.IsLease && registers.TryGet(session.Subscriber, out var own))
        {
            session.IsLease = false;
            own.Leases.Remove(session.Slot);
            WaitForConnection(own, gone);
            registers.RemoveIfIdle(own);
        }

        RemoveIfIdle(session);
    }

    private void Leave(GatewayId gateway)
    {
        if (sessions.Knows(gateway))
        {
            var heard = sessions.LastHeard(gateway);
            foreach (var session in sessions.Of(gateway))
            {
                End(session, heard);
            }

            sessions.Remove(gateway);
        }
    }

    private void RemoveWatch(Register register, Session session)
    {
        var at = register.Watches.Find(session.Slot);
        if (register.Watches.Items[at].IsShown)
        {
            register.CountShown(session.Id.Gateway, -1);
        }

        register.Watches.RemoveAt(at);
        registers.RemoveIfIdle(register);
    }

    private void RemoveIfIdle(Session session)
    {
        if (session.IsIdle)
        {
            sessions.Remove(session);
        }
    }

    private void Adopt(RouterInput.Adopt adopt, Moment now, ICollection<Effect> effects)
    {
        var record = adopt.Record;
        if (record.Version.Incarnation != incarnation || !directory.IsLocal(adopt.Publisher))
        {
            return;
        }

        if (record.Version.Epoch > epoch)
        {
            effects.Add(new Effect.Outrun(record.Version.Epoch));
            return;
        }

        var register = registers.GetOrAdd(adopt.Publisher);
        if (record.Version.IsNewerThan(register.TakenFrom.IsNone ? register.Record.Version : register.TakenFrom))
        {
            // What the store has may be newer still: until it is read, this record only waits.
            register.Record = record;
            register.IsHeld = true;
            if (IsKnown(register))
            {
                TakeOver(register, now.Steady, effects);
            }
            else
            {
                Ask(register, effects);
            }
        }

        registers.RemoveIfIdle(register);
    }

    /// <summary>Makes a gateway's record our own: a change of this activation, so that every reader of the feed, the store first, meets it.</summary>
    private void TakeOver(Register register, TimeSpan since, ICollection<Effect> effects)
    {
        var original = register.Record.Version;
        Replace(register, register.Record, effects);
        register.TakenFrom = original;
        WaitForConnection(register, since);
    }

    private static void Ask(Register register, ICollection<Effect> effects)
    {
        if (!register.IsAsked)
        {
            register.IsAsked = true;
            effects.Add(new Effect.Read(register.Uid));
        }
    }

    /// <summary>Takes what the store has of one publisher, and answers the watches that waited for it.</summary>
    private void Learn(Register register, StatusRecord stored, TimeSpan now, ICollection<Effect> effects)
    {
        register.IsAsked = false;
        register.IsRead = true;
        Compare(register, stored);
        if (register.IsHeld)
        {
            TakeOver(register, now, effects);
        }

        AnswerWaiting(register, effects);
        registers.RemoveIfIdle(register);
    }

    private void LearnAll(RouterInput.AllRead all, Moment now, ICollection<Effect> effects)
    {
        if (allRead)
        {
            throw new InvalidOperationException("The store of a shard is read once an activation.");
        }

        var remembered = new List<(FeedKey, int)>(all.Records.Count);
        foreach (var (publisher, record) in all.Records)
        {
            var register = registers.GetOrAdd(publisher);
            Compare(register, record);
            if (register.Record.Version == record.Version && record.Version.Epoch < activation)
            {
                remembered.Add((new FeedKey(record.Version.Epoch, record.Version.Seq), register.Slot));
            }
        }

        feed.Prepend(remembered);
        allRead = true;
        foreach (var register in registers.All)
        {
            register.IsRead = true;
            if (register.IsHeld)
            {
                TakeOver(register, now.Steady, effects);
            }

            AnswerWaiting(register, effects);
            if (register.OfflineAt is null)
            {
                WaitForConnection(register, activated.Steady);
            }
        }
    }

    /// <summary>Keeps the newer of what the register and the store have.</summary>
    private static void Compare(Register register, StatusRecord stored)
    {
        if (register.Record.IsNone || stored.Version.IsNewerThan(register.Record.Version))
        {
            register.Record = stored;
            register.IsHeld = false;
        }
        else if (register.IsHeld && register.Record.Version == stored.Version)
        {
            register.IsHeld = false;
        }
    }

    private void AnswerWaiting(Register register, ICollection<Effect> effects)
    {
        for (var at = 0; at < register.Watches.Count; at++)
        {
            if (!register.Watches.Items[at].IsAnswered)
            {
                Answer(register, at, effects);
            }
        }
    }

    private void Answer(Register register, int at, ICollection<Effect> effects)
    {
        var watch = register.Watches.Items[at];
        Change(register, at, new Watch(watch.Slot, watch.Request, watch.IsVisible, isAnswered: true));
        Tell(register, register.Watches.Items[at], effects);
    }

    private void Tell(Register register, Watch watch, ICollection<Effect> effects) =>
        effects.Add(new Effect.Tell(
            sessions[watch.Slot].Id, register.Uid, watch.Request, watch.IsVisible, watch.IsVisible ? register.Record : default, NextStamp()));

    /// <summary>Writes a watch anew and keeps the count of shown ones right.</summary>
    private void Change(Register register, int at, Watch watch)
    {
        var wasShown = register.Watches.Items[at].IsShown;
        register.Watches.Items[at] = watch;
        if (wasShown != watch.IsShown)
        {
            register.CountShown(sessions[watch.Slot].Id.Gateway, watch.IsShown ? 1 : -1);
        }
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
                WaitForConnection(present, now.Steady);
            }
        }

        // Everything that is hidden is told before anything that is revealed.
        var revealed = new List<(Register Register, int Session)>();
        if (change.PolicyChanged)
        {
            foreach (var register in registers.All)
            {
                JudgeAll(register, revealed, effects);
            }
        }
        else
        {
            foreach (var publisher in change.RulesChanged.Concat(change.Added).Concat(change.Removed).Concat(change.AttributesChanged))
            {
                if (registers.TryGet(publisher, out var register))
                {
                    JudgeAll(register, revealed, effects);
                }
            }

            foreach (var watcher in change.AttributesChanged.Concat(change.Added).Concat(change.Removed))
            {
                foreach (var session in sessions.Of(watcher))
                {
                    foreach (var slot in session.Watched.Items)
                    {
                        Judge(registers[slot], registers[slot].Watches.Find(session.Slot), revealed, effects);
                    }
                }
            }
        }

        foreach (var (register, session) in revealed)
        {
            var at = register.Watches.Find(session);
            var watch = register.Watches.Items[at];
            if (watch.IsVisible)
            {
                continue; // both its publisher and its watcher changed
            }

            Change(register, at, new Watch(watch.Slot, watch.Request, isVisible: true, watch.IsAnswered));
            if (watch.IsAnswered)
            {
                Tell(register, register.Watches.Items[at], effects);
            }
        }
    }

    private void JudgeAll(Register register, List<(Register, int)> revealed, ICollection<Effect> effects)
    {
        for (var at = 0; at < register.Watches.Count; at++)
        {
            Judge(register, at, revealed, effects);
        }
    }

    private void Judge(Register register, int at, List<(Register, int)> revealed, ICollection<Effect> effects)
    {
        var watch = register.Watches.Items[at];
        var isVisible = IsVisible(register, sessions[watch.Slot].Subscriber);
        if (isVisible == watch.IsVisible)
        {
            return;
        }

        if (isVisible)
        {
            revealed.Add((register, watch.Slot));
            return;
        }

        Change(register, at, new Watch(watch.Slot, watch.Request, isVisible: false, watch.IsAnswered));
        if (watch.IsAnswered)
        {
            Tell(register, register.Watches.Items[at], effects);
        }
    }

    private bool IsVisible(Register register, Uid watcher) =>
        register.IsRemoved ? register.Uid.Equals(watcher) : directory.Judge(register.Uid, watcher).IsVisible;

    private bool IsKnown(Register register) => allRead || register.IsRead;

    private DeliveryStamp NextStamp() => new(activation, ++told);

    /// <summary>Starts the time after which a subscriber without a connection goes offline, where that rule applies to it.</summary>
    /// <param name="since">By the steady clock.</param>
    private void WaitForConnection(Register register, TimeSpan since)
    {
        register.OfflineAt = settings.OfflineAfter is { } after && GoesOffline(register) ? since + after : null;
        WakeFor(register);
    }

    private bool GoesOffline(Register register) =>
        register.Leases.Count == 0
        && !register.IsRemoved
        && register.Record is { IsNone: false, Source.Kind: SourceKind.Client }
        && directory.IsLocal(register.Uid);

    private void SetOffline(Moment now, ICollection<Effect> effects)
    {
        while (allRead && wakes.TryPeek(out var uid, out var due) && due <= now.Steady)
        {
            wakes.Dequeue();
            if (!registers.TryGet(uid, out var register))
            {
                continue;
            }

            if (register.WokenAt == due)
            {
                register.WokenAt = null;
            }

            if (register.OfflineAt <= now.Steady && GoesOffline(register))
            {
                Accept(register, settings.OfflineStatus, default, new ChangeSource(SourceKind.Offline, "statusd", "", now.Utc), now, effects);
            }
            else
            {
                WakeFor(register);
            }
        }
    }

    private void WakeFor(Register register)
    {
        if (register.OfflineAt is { } at && !(register.WokenAt <= at))
        {
            register.WokenAt = at;
            wakes.Enqueue(register.Uid, at);
        }
    }

    private void EndSilentGateways(TimeSpan now)
    {
        var silence = settings.OfflineAfter is { } after ? TimeSpan.FromTicks(Math.Clamp(after.Ticks, RouterSettings.HeartbeatSilence.Ticks, RouterSettings.GatewaySilence.Ticks)) : RouterSettings.GatewaySilence;
        foreach (var gateway in sessions.SilentSince(now - silence))
        {
            Leave(gateway);
        }
    }
}
