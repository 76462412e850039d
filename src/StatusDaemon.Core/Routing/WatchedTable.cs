namespace StatusDaemon.Routing;

/// <summary>Which registers each connection watches in one shard: the other side of a register's watches.</summary>
/// <remarks>
/// Most connections watch one or two publishers of a shard, if any, so a list for each would be more than what is in it: one list has the watches of
/// <see cref="Neighbours"/> places, four bytes each.
/// </remarks>
public sealed class WatchedTable
{
    /// <summary>Most registers of a shard: what is left beside a neighbour's number.</summary>
    public const int MaxRegisters = 1 << RegisterBits;

    private const int RegisterBits = 24;
    private const int Neighbours = 1 << (31 - RegisterBits);

    private readonly SlotChunks<SlotPages<Watched>> lists = new();

    /// <summary>Connections that watch something, ascending by place; none may begin or end a watch meanwhile.</summary>
    public IEnumerable<int> Connections
    {
        get
        {
            for (var list = 0; list < lists.Count; list++)
            {
                foreach (var neighbour in NeighboursIn(list))
                {
                    yield return (list * Neighbours) + neighbour;
                }
            }
        }
    }

    /// <summary>Puts a watch in that is not in it.</summary>
    /// <param name="connection">Place in the process' table.</param>
    /// <param name="register">Slot, less than <see cref="MaxRegisters"/>.</param>
    public void Add(int connection, int register)
    {
        while (lists.Count <= connection / Neighbours)
        {
            lists.Add();
        }

        lists[connection / Neighbours].Add(new Watched(SlotOf(connection, register)));
    }

    /// <summary>Takes a watch out that is in it.</summary>
    public void Remove(int connection, int register) => lists[connection / Neighbours].Remove(SlotOf(connection, register));

    /// <summary>Some register that a connection watches.</summary>
    public bool TryFirst(int connection, out int register)
    {
        register = -1;
        if (connection / Neighbours < lists.Count)
        {
            var rest = lists[connection / Neighbours].From(SlotOf(connection, 0));
            register = rest.MoveNext() && IsOf(connection, rest.Current) ? rest.Current.Register : -1;
        }

        return register >= 0;
    }

    /// <summary>Appends the registers that a connection watches.</summary>
    public void Find(int connection, ICollection<int> registers)
    {
        if (connection / Neighbours < lists.Count)
        {
            var rest = lists[connection / Neighbours].From(SlotOf(connection, 0));
            while (rest.MoveNext() && IsOf(connection, rest.Current))
            {
                registers.Add(rest.Current.Register);
            }
        }
    }

    private static int SlotOf(int connection, int register) => ((connection % Neighbours) << RegisterBits) | register;

    private static bool IsOf(int connection, Watched watched) => watched.Neighbour == connection % Neighbours;

    private SortedSet<int> NeighboursIn(int list)
    {
        var found = new SortedSet<int>();
        foreach (ref var watched in lists[list])
        {
            found.Add(watched.Neighbour);
        }

        return found;
    }

    /// <summary>One watch: which neighbour's, and of which register.</summary>
    private readonly record struct Watched(int Slot) : ISlotted
    {
        public int Neighbour => Slot >> RegisterBits;

        public int Register => Slot & (MaxRegisters - 1);
    }
}
