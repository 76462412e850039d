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
internal sealed class WatchTable(RegisterTable registers, GatewayTable gateways, SessionTable sessions, long activation)
{
    private long told;

    /// <summary>Begins a watch, or takes a repeated wish for it, which counts once; it waits for its answer.</summary>
    public void Start(Register register, int session, uint request, DirectorySnapshot directory)
    {
        var at = register.Watches.Find(session);
        if (at >= 0)
        {
            var watch = register.Watches.Items[at];
            watch.Request = request;
            watch.IsAnswered = false;
            Change(register, at, watch);
            return;
        }

        ref var first = ref sessions[session].FirstWatched;
        register.Watches.Insert(~at, new Watch(session, request, IsVisible(register, sessions[session].Subscriber, directory)) { NextWatched = first });
        first = register.Slot;
        register.Waiting++;
    }

    /// <summary>Ends one watch; nothing happens if there is none.</summary>
    public void Stop(Register register, int session)
    {
        var at = register.Watches.Find(session);
        if (at < 0)
        {
            return;
        }

        var watch = register.Watches.Items[at];
        LinkTo(register, session) = watch.NextWatched;
        register.Waiting -= watch.IsAnswered ? 0 : 1;
        if (watch.IsShown)
        {
            register.CountShown(sessions[session].Gateway, -1);
        }

        register.Watches.RemoveAt(at);
        registers.RemoveIfIdle(register);
    }

    /// <summary>Ends everything that a connection watches.</summary>
    public void StopAll(int session)
    {
        while (sessions[session].FirstWatched is var first and not Session.NoRegister)
        {
            Stop(registers[first], session);
        }
    }

    /// <summary>Answers one watch with what the register has now.</summary>
    public void Answer(Register register, int session, ICollection<Effect> effects) => AnswerAt(register, register.Watches.Find(session), effects);

    /// <summary>Answers the watches of a register that wait, now that its record is known.</summary>
    public void AnswerWaiting(Register register, ICollection<Effect> effects)
    {
        for (var at = 0; register.Waiting > 0; at++)
        {
            if (!register.Watches.Items[at].IsAnswered)
            {
                AnswerAt(register, at, effects);
            }
        }
    }

    /// <summary>Sends a register's new record to each gateway that has a watcher who is shown it, once, and to the watches that wait.</summary>
    public void Show(Register register, ICollection<Effect> effects)
    {
        if (register.Shown.Length > 0)
        {
            var stamp = NextStamp();
            foreach (var shown in register.Shown)
            {
                effects.Add(new Effect.Deliver(gateways.IdOf(shown.Slot), register.Uid, register.Record, stamp));
            }
        }

        AnswerWaiting(register, effects);
    }

    /// <summary>Verdicts that were asked for.</summary>
    public long Verdicts { get; private set; }

    /// <summary>Judges anew the watches that a change of the directory can touch. Everything that is hidden is told before anything that is revealed.</summary>
    public void Judge(DirectoryChange change, ICollection<Effect> effects)
    {
        var revealed = new List<(Register Register, int Session)>();
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
        var revealed = new List<(Register Register, int Session)>();
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
        foreach (var session in change.AttributesChanged.Concat(change.Added).Concat(change.Removed).SelectMany(sessions.Of))
        {
            for (var watched = sessions[session].FirstWatched; watched != Session.NoRegister;)
            {
                var register = registers[watched];
                var at = register.Watches.Find(session);
                watched = register.Watches.Items[at].NextWatched;
                Judge(register, at, change.To, revealed, effects);
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

        var found = new List<Uid>();
        var rest = new List<Selector>(); // no index tells of whom they speak, or not with fewer look-ups than there are watches
        foreach (var selector in selectors)
        {
            found.Clear();
            if (!directory.TryFind(selector, most: register.Watches.Count, found))
            {
                rest.Add(selector);
                continue;
            }

            foreach (var session in found.SelectMany(sessions.Of))
            {
                if (register.Watches.Find(session) is var at and >= 0)
                {
                    Judge(register, at, directory, revealed, effects);
                }
            }
        }

        for (var at = 0; rest.Count > 0 && at < register.Watches.Count; at++)
        {
            if (directory.IsMatched(rest, sessions[register.Watches.Items[at].Slot].Subscriber))
            {
                Judge(register, at, directory, revealed, effects);
            }
        }
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
        watch.IsVisible = isVisible;
        Change(register, at, watch);
        if (watch.IsAnswered)
        {
            Tell(register, at, effects);
        }
    }

    private void AnswerAt(Register register, int at, ICollection<Effect> effects)
    {
        var watch = register.Watches.Items[at];
        watch.IsAnswered = true;
        Change(register, at, watch);
        Tell(register, at, effects);
    }

    private void Tell(Register register, int at, ICollection<Effect> effects)
    {
        var watch = register.Watches.Items[at];
        var shown = watch.IsVisible ? register.Record : default;
        effects.Add(new Effect.Tell(sessions.IdOf(watch.Slot), register.Uid, watch.Request, watch.IsVisible, shown, NextStamp()));
    }

    /// <summary>Writes a watch anew and keeps the counts right.</summary>
    private void Change(Register register, int at, Watch watch)
    {
        var before = register.Watches.Items[at];
        register.Watches.Items[at] = watch;
        register.Waiting += (before.IsAnswered ? 1 : 0) - (watch.IsAnswered ? 1 : 0);
        if (before.IsShown != watch.IsShown)
        {
            register.CountShown(sessions[watch.Slot].Gateway, watch.IsShown ? 1 : -1);
        }
    }

    /// <summary>Where a session's chain of watches names a register.</summary>
    private ref int LinkTo(Register register, int session)
    {
        ref var link = ref sessions[session].FirstWatched;
        while (link != register.Slot)
        {
            link = ref registers[link].Watches.Of(session).NextWatched;
        }

        return ref link;
    }

    private bool IsVisible(Register register, Uid watcher, DirectorySnapshot directory)
    {
        Verdicts++;
        return register.IsRemoved ? register.Uid.Equals(watcher) : directory.Judge(register.Uid, watcher).IsVisible;
    }

    private DeliveryStamp NextStamp() => new(activation, ++told);
}
