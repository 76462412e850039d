using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>Who watches whom in one shard, with the verdict on each watch; all that watchers are told goes out here.</summary>
/// <remarks>
/// A register counts its shown watches by gateway, so that a status is one effect a gateway and asks no rule. Stamps are given here alone: they
/// are the order of telling.
/// </remarks>
/// <param name="activation">What the delivery stamps carry.</param>
internal sealed class WatchTable(RegisterTable registers, SessionTable sessions, long activation)
{
    private long told;

    /// <summary>Begins a watch, or takes a repeated wish for it, which counts once; it waits for its answer.</summary>
    public void Start(Register register, Session session, uint request, DirectorySnapshot directory)
    {
        var at = register.Watches.Find(session.Slot);
        if (at >= 0)
        {
            Change(register, at, new Watch(session.Slot, request, register.Watches.Items[at].IsVisible, isAnswered: false));
            return;
        }

        register.Watches.Insert(~at, new Watch(session.Slot, request, IsVisible(register, session.Subscriber, directory), isAnswered: false));
        register.Waiting++;
        session.Watched.Add(register.Slot);
    }

    /// <summary>Ends one watch; nothing happens if there is none.</summary>
    public void Stop(Register register, Session session)
    {
        if (!session.Watched.Remove(register.Slot))
        {
            return;
        }

        var at = register.Watches.Find(session.Slot);
        var watch = register.Watches.Items[at];
        register.Waiting -= watch.IsAnswered ? 0 : 1;
        if (watch.IsShown)
        {
            register.CountShown(session.Id.Gateway, -1);
        }

        register.Watches.RemoveAt(at);
        registers.RemoveIfIdle(register);
    }

    /// <summary>Ends everything that a connection watches.</summary>
    public void StopAll(Session session)
    {
        while (session.Watched.Count > 0)
        {
            Stop(registers[session.Watched.Items[^1]], session);
        }
    }

    /// <summary>Answers one watch with what the register has now.</summary>
    public void Answer(Register register, Session session, ICollection<Effect> effects) => Answer(register, register.Watches.Find(session.Slot), effects);

    /// <summary>Answers the watches of a register that wait, now that its record is known.</summary>
    public void AnswerWaiting(Register register, ICollection<Effect> effects)
    {
        for (var at = 0; register.Waiting > 0; at++)
        {
            if (!register.Watches.Items[at].IsAnswered)
            {
                Answer(register, at, effects);
            }
        }
    }

    /// <summary>Sends a register's new record to each gateway that has a watcher who is shown it, once, and to the watches that wait.</summary>
    public void Show(Register register, ICollection<Effect> effects)
    {
        if (register.Gateways.Length > 0)
        {
            var stamp = NextStamp();
            foreach (var (gateway, _) in register.Gateways)
            {
                effects.Add(new Effect.Deliver(gateway, register.Uid, register.Record, stamp));
            }
        }

        AnswerWaiting(register, effects);
    }

    /// <summary>Judges anew exactly the watches that a change of the directory can touch. Everything that is hidden is told before anything that is revealed.</summary>
    public void Judge(DirectoryChange change, ICollection<Effect> effects)
    {
        var revealed = new List<(Register Register, int Session)>();
        foreach (var register in ToJudge(change))
        {
            Judge(register, change.To, revealed, effects);
        }

        if (!change.PolicyChanged)
        {
            foreach (var session in change.AttributesChanged.Concat(change.Added).Concat(change.Removed).SelectMany(sessions.Of))
            {
                foreach (var slot in session.Watched.Items)
                {
                    Judge(registers[slot], registers[slot].Watches.Find(session.Slot), change.To, revealed, effects);
                }
            }
        }

        Reveal(revealed, effects);
    }

    /// <summary>Judges anew all watches of one publisher.</summary>
    public void Judge(Register register, DirectorySnapshot directory, ICollection<Effect> effects)
    {
        var revealed = new List<(Register Register, int Session)>();
        Judge(register, directory, revealed, effects);
        Reveal(revealed, effects);
    }

    private IEnumerable<Register> ToJudge(DirectoryChange change)
    {
        if (change.PolicyChanged)
        {
            return registers.All;
        }

        return change.RulesChanged.Concat(change.Added).Concat(change.Removed).Concat(change.AttributesChanged)
            .Select(publisher => registers.TryGet(publisher, out var register) ? register : null)
            .OfType<Register>();
    }

    private void Judge(Register register, DirectorySnapshot directory, List<(Register, int)> revealed, ICollection<Effect> effects)
    {
        for (var at = 0; at < register.Watches.Count; at++)
        {
            Judge(register, at, directory, revealed, effects);
        }
    }

    private void Judge(Register register, int at, DirectorySnapshot directory, List<(Register, int)> revealed, ICollection<Effect> effects)
    {
        var watch = register.Watches.Items[at];
        var isVisible = IsVisible(register, sessions[watch.Slot].Subscriber, directory);
        if (isVisible && !watch.IsVisible)
        {
            revealed.Add((register, watch.Slot));
        }
        else if (!isVisible && watch.IsVisible)
        {
            SetVisible(register, at, isVisible: false, effects);
        }
    }

    private void Reveal(List<(Register Register, int Session)> revealed, ICollection<Effect> effects)
    {
        foreach (var (register, session) in revealed)
        {
            var at = register.Watches.Find(session);
            if (!register.Watches.Items[at].IsVisible) // else its publisher and its watcher changed both, and it was told
            {
                SetVisible(register, at, isVisible: true, effects);
            }
        }
    }

    private void SetVisible(Register register, int at, bool isVisible, ICollection<Effect> effects)
    {
        var watch = register.Watches.Items[at];
        Change(register, at, new Watch(watch.Slot, watch.Request, isVisible, watch.IsAnswered));
        if (watch.IsAnswered)
        {
            Tell(register, at, effects);
        }
    }

    private void Answer(Register register, int at, ICollection<Effect> effects)
    {
        var watch = register.Watches.Items[at];
        Change(register, at, new Watch(watch.Slot, watch.Request, watch.IsVisible, isAnswered: true));
        Tell(register, at, effects);
    }

    private void Tell(Register register, int at, ICollection<Effect> effects)
    {
        var watch = register.Watches.Items[at];
        var shown = watch.IsVisible ? register.Record : default;
        effects.Add(new Effect.Tell(sessions[watch.Slot].Id, register.Uid, watch.Request, watch.IsVisible, shown, NextStamp()));
    }

    /// <summary>Writes a watch anew and keeps the counts right.</summary>
    private void Change(Register register, int at, Watch watch)
    {
        var before = register.Watches.Items[at];
        register.Watches.Items[at] = watch;
        register.Waiting += (before.IsAnswered ? 1 : 0) - (watch.IsAnswered ? 1 : 0);
        if (before.IsShown != watch.IsShown)
        {
            register.CountShown(sessions[watch.Slot].Id.Gateway, watch.IsShown ? 1 : -1);
        }
    }

    private static bool IsVisible(Register register, Uid watcher, DirectorySnapshot directory) =>
        register.IsRemoved ? register.Uid.Equals(watcher) : directory.Judge(register.Uid, watcher).IsVisible;

    private DeliveryStamp NextStamp() => new(activation, ++told);
}
