using CsCheck;

namespace StatusDaemon.Routing;

public sealed class SlotIndexTests
{
    // Few hashes for many slots, so that entries stand in each other's places.
    private static readonly Gen<(bool IsAdd, int Slot)[]> Changes = Gen.Select(Gen.Bool, Gen.Int[0, 60], (isAdd, slot) => (isAdd, slot)).Array[0, 400];

    [Fact]
    public void Slots_are_found_by_their_hash() => Gen.Select(Changes, Gen.Int[1, 100]).Sample(given =>
    {
        var (changes, hashes) = given;
        int HashOf(int slot) => slot % hashes;
        var index = new SlotIndex(HashOf);
        var model = new HashSet<int>();
        foreach (var (isAdd, slot) in changes)
        {
            if (isAdd && model.Add(slot))
            {
                index.Add(slot);
            }
            else if (!isAdd && model.Remove(slot))
            {
                index.Remove(slot);
            }

            Assert.Equal(model.Count, index.Count);
            for (var hash = 0; hash < Math.Min(hashes, 61); hash++)
            {
                Assert.Equal(model.Where(one => HashOf(one) == hash).Order(), With(index, hash).Where(one => HashOf(one) == hash).Order());
            }
        }
    }, iter: 30, threads: 1);

    private static List<int> With(SlotIndex index, int hash)
    {
        var found = new List<int>();
        for (var at = index.First(hash); index.TryNext(ref at, out var slot);)
        {
            found.Add(slot);
        }

        return found;
    }
}
