using CsCheck;

namespace StatusDaemon.Routing;

public sealed class ShownCountsTests
{
    // Runs that pass the most that a byte counts, at gateways on both sides of the last that has one.
    private static readonly Gen<(bool IsMore, int Gateway, int Times)[]> Changes =
        Gen.Select(Gen.Bool, Gen.Int[0, 10], Gen.Int[1, 300], (isMore, gateway, times) => (isMore, gateway, times)).Array[0, 60];

    [Fact]
    public void Counts_are_those_of_a_dictionary() => Changes.Sample(changes =>
    {
        var counts = default(ShownCounts);
        var model = new SortedDictionary<int, int>();
        foreach (var (isMore, gateway, times) in changes)
        {
            var before = model.GetValueOrDefault(gateway);
            var changed = isMore ? times : Math.Min(times, before);
            for (var i = 0; i < changed; i++)
            {
                counts.Change(gateway, isMore ? 1 : -1);
            }

            model[gateway] = before + (isMore ? changed : -changed);
            if (model[gateway] == 0)
            {
                model.Remove(gateway);
            }

            Assert.Equal(model.Count == 0, counts.IsEmpty);
            Assert.Equal(model.Keys, Gateways(in counts).Order());
        }
    }, iter: 200, threads: 1);

    private static List<int> Gateways(in ShownCounts counts)
    {
        var gateways = new List<int>();
        foreach (var gateway in counts)
        {
            gateways.Add(gateway);
        }

        return gateways;
    }
}
