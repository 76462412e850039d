using CsCheck;

namespace StatusDaemon.Routing;

public sealed class SlotListTests
{
    private static readonly Gen<(bool IsAdd, int Slot)[]> Changes = Gen.Select(Gen.Bool, Gen.Int[0, 40], (isAdd, slot) => (isAdd, slot)).Array[0, 300];

    [Fact]
    public void A_list_is_a_sorted_dictionary() => Changes.Sample(changes =>
    {
        var list = default(SlotList<Item>);
        var model = new SortedDictionary<int, int>();
        var value = 0;
        foreach (var (isAdd, slot) in changes)
        {
            var at = list.Find(slot);
            Assert.Equal(model.ContainsKey(slot), at >= 0);
            if (at >= 0)
            {
                Assert.Equal(list.Items[at], list.Of(slot));
            }

            if (isAdd && at < 0)
            {
                list.Insert(~at, new Item(slot, ++value));
                model.Add(slot, value);
            }
            else if (isAdd)
            {
                list.Items[at] = new Item(slot, ++value);
                model[slot] = value;
            }
            else if (at >= 0)
            {
                list.RemoveAt(at);
                model.Remove(slot);
            }

            Assert.Equal(model.Count, list.Count);
            Assert.True(list.Items.SequenceEqual([.. model.Select(pair => new Item(pair.Key, pair.Value))]));
        }
    }, iter: 50, threads: 1);

    [Fact]
    public void A_set_is_a_sorted_set() => Changes.Sample(changes =>
    {
        var set = default(SlotSet);
        var model = new SortedSet<int>();
        foreach (var (isAdd, slot) in changes)
        {
            Assert.Equal(isAdd ? model.Add(slot) : model.Remove(slot), isAdd ? set.Add(slot) : set.Remove(slot));
            Assert.True(set.Items.SequenceEqual([.. model]));
            Assert.Equal(model.Count, set.Count);
        }
    }, iter: 50, threads: 1);

    private readonly record struct Item(int Slot, int Value) : ISlotted;
}
