using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Names;

namespace StatusDaemon.Routing;

/// <summary>The publishers that one router speaks of: those with a status, a watch or a lease.</summary>
internal sealed class RegisterTable
{
    private readonly UidTable uids;
    private readonly SlotArena<Register> slots = new();
    private readonly SlotChains byUid;

    public RegisterTable(UidTable uids)
    {
        this.uids = uids;
        byUid = new SlotChains(slot => Uid.Comparer.GetHashCode(slots[slot].Uid), slot => ref slots[slot].Link, load: 2);
    }

    /// <summary>Publishers known.</summary>
    public int Count => slots.Count;

    /// <summary>All of them, in no order; none may be added or removed meanwhile.</summary>
    public IEnumerable<Register> All => slots.All;

    public Register this[int slot] => slots[slot];

    public bool TryGet(Uid uid, [NotNullWhen(true)] out Register? register)
    {
        for (var slot = byUid.First(Uid.Comparer.GetHashCode(uid)); slot >= 0; slot = byUid.Next(slot))
        {
            register = slots[slot];
            if (register.Uid.Equals(uid))
            {
                return true;
            }
        }

        register = null;
        return false;
    }

    /// <exception cref="InvalidOperationException">There are <see cref="WatchedTable.MaxRegisters"/> already.</exception>
    public Register GetOrAdd(Uid uid)
    {
        if (!TryGet(uid, out var register))
        {
            if (slots.NextSlot >= WatchedTable.MaxRegisters)
            {
                throw new InvalidOperationException($"A shard has no room for more than {WatchedTable.MaxRegisters} publishers.");
            }

            register = new Register(slots.NextSlot, uids.Hold(uid));
            slots.Add(register);
            byUid.Add(register.Slot);
        }

        return register;
    }

    /// <summary>Forgets a register that nothing needs any more, so that invented UIDs cannot fill the memory.</summary>
    public void RemoveIfIdle(Register register)
    {
        if (register.IsIdle)
        {
            byUid.Remove(register.Slot);
            slots.Remove(register);
            uids.Release(register.Uid);
        }
    }

    /// <summary>Gives every held UID back.</summary>
    public void Close()
    {
        foreach (var register in slots.All)
        {
            uids.Release(register.Uid);
        }
    }
}
