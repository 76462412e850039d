using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Names;

namespace StatusDaemon.Routing;

/// <summary>The publishers that one router speaks of: those with a status, a watch or a lease.</summary>
internal sealed class RegisterTable(UidTable uids)
{
    private readonly SlotArena<Register> slots = new();
    private readonly Dictionary<Uid, Register> byUid = new(Uid.Comparer);

    /// <summary>Publishers known.</summary>
    public int Count => byUid.Count;

    /// <summary>All of them, in no order; none may be added or removed meanwhile.</summary>
    public IReadOnlyCollection<Register> All => byUid.Values;

    public Register this[int slot] => slots[slot];

    public bool TryGet(Uid uid, [NotNullWhen(true)] out Register? register) => byUid.TryGetValue(uid, out register);

    public Register GetOrAdd(Uid uid)
    {
        if (byUid.TryGetValue(uid, out var register))
        {
            return register;
        }

        register = new Register(slots.NextSlot, uids.Hold(uid));
        slots.Add(register);
        byUid.Add(register.Uid, register);
        return register;
    }

    /// <summary>Forgets a register that nothing needs any more, so that invented UIDs cannot fill the memory.</summary>
    public void RemoveIfIdle(Register register)
    {
        if (register.IsIdle)
        {
            slots.Remove(register);
            byUid.Remove(register.Uid);
            uids.Release(register.Uid);
        }
    }

    /// <summary>Gives every held UID back.</summary>
    public void Close()
    {
        foreach (var uid in byUid.Keys)
        {
            uids.Release(uid);
        }
    }
}
