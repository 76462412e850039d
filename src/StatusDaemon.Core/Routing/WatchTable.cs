using System.Runtime.CompilerServices;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>Who watches whom in one shard, with the verdict on each watch; all that watchers are told goes out here.</summary>
/// <remarks>
/// A register counts its shown watches by gateway, so that a status is one effect a gateway and asks no rule. Each watch holds its connection. Stamps are given here
/// alone: they are the order of telling.
/// </remarks>
/// <param name="activation">What the delivery stamps carry.</param>
internal sealed class WatchTable(RegisterTable registers, GatewayTable gateways, ConnectionTable connections, long activation)
{
    private readonly WatchedTable watched = new();
    private long told;

    /// <summary>Places of the connections that watch something, ascending; none may begin or end a watch meanwhile.</summary>
    public IEnumerable<int> Connections => watched.Connections;

    /// <summary>Begins a watch, or takes a repeated wish for it, which counts once; it waits for its answer.</summary>
    /// <param name="connection">Its place, held for this: it is kept or given back.</param>
    public void Start(Register register, int connection, uint request, DirectorySnapshot directory)
    {
        ref var watch = ref register.Watches.Find(connection);
        if (!Unsafe.IsNullRef(ref watch))
        {
            Change(register, ref watch, watch with { Request = request, IsAnswered = false });
            connections.Release(connection);
            return;
        }

        register.Watches.Add(new Watch(connection, request, IsVisible(register, connections.SubscriberOf(connection), directory)));
        register.Waiting++;
        watched.Add(connection, register.Slot);
    }

    /// <summary>Ends one watch; nothing happens if there is none.</summary>
    public void Stop(Register register, int connection)
    {
        ref var watch = ref register.Watches.Find(connection);
        if (Unsafe.IsNullRef(ref watch))
        {
            return;
        }

        register.Waiting -= watch.IsAnswered ? 0 : 1;
        if (watch.IsShown)
        {
            register.Shown.Change(GatewayOf(connection), -1);
        }

        register.Watches.Remove(connection);
        watched.Remove(connection, register.Slot);
        connections.Release(connection);
        registers.RemoveIfIdle(register);
    }

    /// <summary>Ends everything that a connection watches.</summary>
    public void StopAll(int connection)
    {
        while (watched.TryFirst(connection, out var register))
        {
            Stop(registers[register], connection);
        }
    }

    /// <summary>Gives every held connection back.</summary>
    public void Close()
    {
        foreach (var register in registers.All)
        {
            foreach (ref var watch in register.Watches)
            {
                connections.Release(watch.Slot);
            }
        }
    }

    /// <summary>Answers one watch with what the register has now.</summary>
    public void Answer(Register register, int connection, ICollection<Effect> effects) => Answer(register, ref register.Watches.Find(connection), effects);

    /// <summary>Answers the watches of a register that wait, now that its record is known.</summary>
    public void AnswerWaiting(Register register, ICollection<Effect> effects)
    {
        if (register.Waiting == 0)
        {
            return;
        }

        foreach (ref var watch in register.Watches)
        {
            if (!watch.IsAnswered)
            {
                Answer(register, ref watch, effects);
            }
        }
    }

    /// <summary>Sends a register's new record to each gateway that has a watcher who is shown it, once, and to the watches that wait.</summary>
    public void Show(Register register, ICollection<Effect> effects)
    {
        if (!register.Shown.IsEmpty)
        {
            var (record, stamp) = (register.Record, NextStamp());
            foreach (var gateway in register.Shown)
            {
                effects.Add(new Effect.Deliver(gateways.IdOf(gateway), register.Uid, record, stamp));
            }
        }

        AnswerWaiting(register, effects);
    }

    /// <summary>Verdicts that were asked for.</summary>
    public long Verdicts { get; private set; }

    /// <summary>Judges anew the watches that a change of the directory can touch. Everything that is hidden is told before anything that is revealed.</summary>
    public void Judge(DirectoryChange change, ICollection<Effect> effects)
    {
        var revealed = new List<(Register Register, int Connection)>();
        if (change.PolicyChanged)
        {
            foreach (var register in registers.All)
            {
                Judge(register, change.To, revealed, effects);
            }
        }
        else
        {
            JudgePublishers(change, revealed, effects);
            JudgeWatchers(change, revealed, effects);
        }

        Reveal(revealed, effects);
    }

    /// <summary>Judges anew all watches of one publisher.</summary>
    public void Judge(Register register, DirectorySnapshot directory, ICollection<Effect> effects)
    {
        var revealed = new List<(Register Register, int Connection)>();
        Judge(register, directory, revealed, effects);
        Reveal(revealed, effects);
    }

    private void JudgePublishers(DirectoryChange change, List<(Register, int)> revealed, ICollection<Effect> effects)
    {
        foreach (var publisher in change.Added.Concat(change.Removed))
        {
            if (registers.TryGet(publisher, out var register))
            {
                Judge(register, change.To, revealed, effects);
            }
        }

        foreach (var publisher in change.RulesChanged)
        {
            if (registers.TryGet(publisher, out var register)
                && register.Watches.Count > 0
                && change.From.TryGet(publisher, out var before)
                && change.To.TryGet(publisher, out var after))
            {
                JudgeBy(before.Rules.DifferenceTo(after.Rules), register, change.To, revealed, effects);
            }
        }
    }

    private void JudgeWatchers(DirectoryChange change, List<(Register, int)> revealed, ICollection<Effect> effects)
    {
        var (places, slots) = (new List<int>(), new List<int>());
        foreach (var watcher in change.AttributesChanged.Concat(change.Added).Concat(change.Removed))
        {
            connections.Find(watcher, places);
        }

        foreach (var connection in places)
        {
            slots.Clear();
            watched.Find(connection, slots);
            foreach (var slot in slots)
            {
                Judge(registers[slot], ref registers[slot].Watches.Find(connection), change.To, revealed, effects);
            }
        }
    }

    /// <summary>Judges anew the watches of whom a rule speaks that came or went.</summary>
    /// <param name="selectors">Those that came or went; null if it may be everybody.</param>
    /// <remarks>Whose own attributes changed in the same moment is judged for that.</remarks>
    private void JudgeBy(IReadOnlyCollection<Selector>? selectors, Register register, DirectorySnapshot directory, List<(Register, int)> revealed, ICollection<Effect> effects)
    {
        if (selectors is null || selectors.Any(selector => selector is Selector.Everyone))
        {
            Judge(register, directory, revealed, effects);
            return;
        }

        var (found, places) = (new List<Uid>(), new List<int>());
        var rest = new List<Selector>(); // no index tells of whom they speak, or not with fewer look-ups than there are watches
        foreach (var selector in selectors)
        {
            found.Clear();
            if (!directory.TryFind(selector, most: register.Watches.Count, found))
            {
                rest.Add(selector);
                continue;
            }

            places.Clear();
            foreach (var watcher in found)
            {
                connections.Find(watcher, places);
            }

            foreach (var connection in places)
            {
                ref var watch = ref register.Watches.Find(connection);
                if (!Unsafe.IsNullRef(ref watch))
                {
                    Judge(register, ref watch, directory, revealed, effects);
                }
            }
        }

        if (rest.Count == 0)
        {
            return;
        }

        foreach (ref var watch in register.Watches)
        {
            if (directory.IsMatched(rest, connections.SubscriberOf(watch.Slot)))
            {
                Judge(register, ref watch, directory, revealed, effects);
            }
        }
    }

    private void Judge(Register register, DirectorySnapshot directory, List<(Register, int)> revealed, ICollection<Effect> effects)
    {
        foreach (ref var watch in register.Watches)
        {
            Judge(register, ref watch, directory, revealed, effects);
        }
    }

    private void Judge(Register register, ref Watch watch, DirectorySnapshot directory, List<(Register, int)> revealed, ICollection<Effect> effects)
    {
        var isVisible = IsVisible(register, connections.SubscriberOf(watch.Slot), directory);
        if (isVisible && !watch.IsVisible)
        {
            revealed.Add((register, watch.Slot));
        }
        else if (!isVisible && watch.IsVisible)
        {
            SetVisible(register, ref watch, isVisible: false, effects);
        }
    }

    private void Reveal(List<(Register Register, int Connection)> revealed, ICollection<Effect> effects)
    {
        foreach (var (register, connection) in revealed)
        {
            ref var watch = ref register.Watches.Find(connection);
            if (!watch.IsVisible) // else its publisher and its watcher changed both, and it was told
            {
                SetVisible(register, ref watch, isVisible: true, effects);
            }
        }
    }

    private void SetVisible(Register register, ref Watch watch, bool isVisible, ICollection<Effect> effects)
    {
        Change(register, ref watch, watch with { IsVisible = isVisible });
        if (watch.IsAnswered)
        {
            Tell(register, watch, effects);
        }
    }

    private void Answer(Register register, ref Watch watch, ICollection<Effect> effects)
    {
        Change(register, ref watch, watch with { IsAnswered = true });
        Tell(register, watch, effects);
    }

    private void Tell(Register register, Watch watch, ICollection<Effect> effects)
    {
        var shown = watch.IsVisible ? register.Record : default;
        effects.Add(new Effect.Tell(connections.IdOf(watch.Slot), register.Uid, watch.Request, watch.IsVisible, shown, NextStamp()));
    }

    /// <summary>Writes a watch anew and keeps the counts right.</summary>
    private void Change(Register register, ref Watch watch, Watch changed)
    {
        register.Waiting += (watch.IsAnswered ? 1 : 0) - (changed.IsAnswered ? 1 : 0);
        if (watch.IsShown != changed.IsShown)
        {
            register.Shown.Change(GatewayOf(watch.Slot), changed.IsShown ? 1 : -1);
        }

        watch = changed;
    }

    private int GatewayOf(int connection) => gateways.SlotOf(connections.IdOf(connection).Gateway);

    private bool IsVisible(Register register, Uid watcher, DirectorySnapshot directory)
    {
        Verdicts++;
        return register.IsRemoved ? register.Uid.Equals(watcher) : directory.Judge(register.Uid, watcher).IsVisible;
    }

    private DeliveryStamp NextStamp() => new(activation, ++told);
}
