using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>Finds the newest record of each subscriber after an activation, from what the store and the gateways remember.</summary>
/// <remarks>A gateway's record is compared with the store's before it counts: either may be the newer one.</remarks>
/// <param name="activated">When the activation began, by the router's <see cref="AwakeClock"/>: leases that it could not know end then.</param>
internal sealed class Recovery(RegisterTable registers, ShardHistory history, WatchTable watches, OfflineRule offline, TimeSpan activated)
{
    /// <summary>Whether all that the store has is known.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Whether a register's record is known, so that watches can be answered with it.</summary>
    public bool IsKnown(Register register) => IsComplete || register.IsRead;

    /// <summary>What clients said before this activation, until it is known whether the offline rule has spoken since.</summary>
    public Dictionary<Uid, RouterInput.Restore> Postponed { get; } = new(Uid.Comparer);

    /// <summary>Asks the store for one record, unless it is asked already.</summary>
    public static void Ask(Register register, ICollection<Effect> effects)
    {
        if (!register.IsAsked)
        {
            register.IsAsked = true;
            effects.Add(new Effect.Read(register.Uid));
        }
    }

    /// <summary>Takes a gateway's record if it is newer than ours: at once if we know the store's, else when the store has answered.</summary>
    public void Adopt(Register register, in StatusRecord record, TimeSpan now, DirectorySnapshot directory, ICollection<Effect> effects)
    {
        if (!record.Version.IsNewerThan(register.TakenFrom.IsNone ? register.Version : register.TakenFrom))
        {
            return;
        }

        if (record.Source.Kind == SourceKind.Offline && register.HasSpoken && register.Record is { IsNone: false, Source.Kind: not SourceKind.Offline } && IsKnown(register))
        {
            // Another activation heard nothing of him, while we do: what he is shown as now is newer than its belief, in the store too.
            history.Put(register, register.Record);
            watches.Show(register, effects);
            return;
        }

        register.Record = record;
        register.IsHeld = true;
        if (IsKnown(register))
        {
            HideIfRemoved(register, directory, effects);
            TakeOver(register, now, directory, effects);
        }
        else
        {
            Ask(register, effects);
        }
    }

    /// <summary>Takes what the store has of one publisher, and answers the watches that waited for it.</summary>
    public void Learn(Register register, in StatusRecord stored, TimeSpan now, DirectorySnapshot directory, ICollection<Effect> effects)
    {
        register.IsAsked = false;
        Compare(register, stored, directory);
        Settle(register, now, directory, effects);
    }

    /// <summary>Takes all that the store has of the shard; from here on the feed and the offline rule are in force.</summary>
    /// <exception cref="InvalidOperationException">It was taken before.</exception>
    public void LearnAll(RouterInput.AllRead all, TimeSpan now, DirectorySnapshot directory, ICollection<Effect> effects)
    {
        if (IsComplete)
        {
            throw new InvalidOperationException("The store of a shard is read once an activation.");
        }

        var remembered = new List<Register>(all.Records.Count);
        foreach (var (publisher, record) in all.Records)
        {
            var register = registers.GetOrAdd(publisher);
            Compare(register, record, directory);
            if (history.IsOurs(record.Version) && register.Version == record.Version && !history.IsOfThisActivation(record.Version))
            {
                remembered.Add(register);
            }
        }

        history.Remember(remembered);
        IsComplete = true;
        foreach (var register in registers.All)
        {
            Settle(register, now, directory, effects);
            offline.Ensure(register, register.LeftAt ?? activated, directory);
            register.IsAwaitingStore = false;
        }

        foreach (var register in registers.All.Where(register => register.IsIdle).ToArray())
        {
            registers.RemoveIfIdle(register);
        }
    }

    /// <summary>Keeps the newer of what the register and the store have.</summary>
    /// <remarks>
    /// What another program has written over our records is newer than all of them, but not than what this activation accepted: it was there before. So is a record
    /// of a local subscriber from an earlier life of the store, whose versions say nothing now. Both get a version of this activation.
    /// </remarks>
    private void Compare(Register register, in StatusRecord stored, DirectorySnapshot directory)
    {
        if (stored.IsUnversioned || IsOfAnotherLife(register, stored, directory))
        {
            if (directory.IsLocal(register.Uid) && !history.IsOfThisActivation(register.Version))
            {
                register.Record = stored;
                register.IsHeld = true;
            }
        }
        else if (register.Version.IsNone || stored.Version.IsNewerThan(register.Version))
        {
            register.Record = stored;
            register.IsHeld = false;
        }
        else if (register.Version == stored.Version)
        {
            register.IsHeld = false;
        }
    }

    private bool IsOfAnotherLife(Register register, in StatusRecord stored, DirectorySnapshot directory) =>
        !stored.IsNone && !history.IsOurs(stored.Version) && directory.IsLocal(register.Uid);

    /// <summary>The record is the newest that anybody remembers.</summary>
    private void Settle(Register register, TimeSpan now, DirectorySnapshot directory, ICollection<Effect> effects)
    {
        register.IsRead = true;
        HideIfRemoved(register, directory, effects);
        if (register.IsHeld)
        {
            TakeOver(register, now, directory, effects);
        }

        watches.AnswerWaiting(register, effects);
    }

    /// <summary>Finds out who was removed before this activation: nobody can log in whom the directory does not know, so a status that a client set tells that it knew him then.</summary>
    private void HideIfRemoved(Register register, DirectorySnapshot directory, ICollection<Effect> effects)
    {
        if (register.Record.Source.Kind is SourceKind.Client or SourceKind.Offline && !register.IsRemoved && !directory.MayLogIn(register.Uid))
        {
            register.IsRemoved = true;
            register.OfflineAt = null;
            watches.Judge(register, directory, effects);
        }
    }

    /// <summary>Makes a gateway's record our own: a change of this activation, so that every reader of the feed, the store first, meets it.</summary>
    private void TakeOver(Register register, TimeSpan now, DirectorySnapshot directory, ICollection<Effect> effects)
    {
        var original = register.Version;
        history.Put(register, register.Record);
        register.TakenFrom = original;
        watches.Show(register, effects);
        offline.Start(register, now, directory);
    }
}
