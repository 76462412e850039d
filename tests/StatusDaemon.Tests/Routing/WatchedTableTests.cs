using CsCheck;

namespace StatusDaemon.Routing;

public sealed class WatchedTableTests
{
    // Places in several lists, at the ends of them too; registers up to the last that there may be.
    private static readonly int[] Places = [0, 1, 2, 126, 127, 128, 129, 255, 256, 1_000, 5_000];
    private static readonly int[] Registers = [0, 1, 2, 3, 4, 5, 1_000, WatchedTable.MaxRegisters - 2, WatchedTable.MaxRegisters - 1];

    private static readonly Gen<(bool IsAdd, int Connection, int Register)[]> Changes =
        Gen.Select(Gen.Bool, Gen.Int[0, Places.Length - 1], Gen.Int[0, Registers.Length - 1], (isAdd, place, register) => (isAdd, Places[place], Registers[register])).Array[0, 300];

    [Fact]
    public void Each_connection_has_a_set_of_registers() => Changes.Sample(changes =>
    {
        var table = new WatchedTable();
        var model = new SortedDictionary<int, SortedSet<int>>(Places.ToDictionary(place => place, _ => new SortedSet<int>()));
        foreach (var (isAdd, connection, register) in changes)
        {
            if (isAdd && model[connection].Add(register))
            {
                table.Add(connection, register);
            }
            else if (!isAdd && model[connection].Remove(register))
            {
                table.Remove(connection, register);
            }

            Assert.Equal(model.Where(pair => pair.Value.Count > 0).Select(pair => pair.Key), table.Connections);
            foreach (var (place, registers) in model)
            {
                var found = new List<int>();
                table.Find(place, found);
                Assert.Equal(registers, found);
                Assert.Equal(registers.Count > 0, table.TryFirst(place, out var first));
                Assert.Equal(registers.Count > 0 ? registers.Min : -1, first);
            }
        }
    }, iter: 100, threads: 1);
}
