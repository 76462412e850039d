using CsCheck;

namespace StatusDaemon.Names;

public sealed class SlotChainsTests
{
    // Few hashes for many slots, so that items share their chains.
    private static readonly Gen<(bool IsAdd, int Slot)[]> Changes = Gen.Select(Gen.Bool, Gen.Int[0, 60], (isAdd, slot) => (isAdd, slot)).Array[0, 400];

    [Fact]
    public void Slots_are_found_by_their_hash() => Gen.Select(Changes, Gen.Int[1, 100], Gen.Int[1, 5]).Sample(given =>
    {
        var (changes, hashes, load) = given;
        int HashOf(int slot) => slot % hashes;
        var links = new int[61];
        var chains = new SlotChains(HashOf, slot => ref links[slot], load);
        var model = new HashSet<int>();
        foreach (var (isAdd, slot) in changes)
        {
            if (isAdd && model.Add(slot))
            {
                chains.Add(slot);
            }
            else if (!isAdd && model.Remove(slot))
            {
                chains.Remove(slot);
            }

            Assert.Equal(model.Count, chains.Count);
            for (var hash = 0; hash < Math.Min(hashes, 61); hash++)
            {
                Assert.Equal(model.Where(one => HashOf(one) == hash).Order(), With(chains, hash).Where(one => HashOf(one) == hash).Order());
            }
        }
    }, iter: 30, threads: 1);

    private static List<int> With(SlotChains chains, int hash)
    {
        var found = new List<int>();
        for (var slot = chains.First(hash); slot >= 0; slot = chains.Next(slot))
        {
            found.Add(slot);
        }

        return found;
    }
}
