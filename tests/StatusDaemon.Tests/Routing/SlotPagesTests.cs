using System.Runtime.CompilerServices;
using CsCheck;

namespace StatusDaemon.Routing;

public sealed class SlotPagesTests
{
    // Long runs of the same kind, so that pages are filled and emptied, some of them wholly.
    private static readonly Gen<(bool IsAdd, int From, int Step, int Count)[]> Changes = Gen.Select(
        Gen.Bool, Gen.Int[-50, 5_000], Gen.Int[1, 3], Gen.Int[1, 900], (isAdd, from, step, count) => (isAdd, from, step, count)).Array[1, 12];

    [Fact]
    public void Pages_are_a_sorted_dictionary() => Changes.Sample(changes =>
    {
        var pages = default(SlotPages<Item>);
        var model = new SortedDictionary<int, int>();
        foreach (var (isAdd, from, step, count) in changes)
        {
            for (var i = 0; i < count; i++)
            {
                var slot = from + (i * step);
                ref var item = ref pages.Find(slot);
                Assert.Equal(model.TryGetValue(slot, out var value), !Unsafe.IsNullRef(ref item));
                if (isAdd && Unsafe.IsNullRef(ref item))
                {
                    pages.Add(new Item(slot, i));
                    model.Add(slot, i);
                }
                else if (isAdd)
                {
                    Assert.Equal(new Item(slot, value), item);
                    item = new Item(slot, i);
                    model[slot] = i;
                }
                else if (!Unsafe.IsNullRef(ref item))
                {
                    pages.Remove(slot);
                    model.Remove(slot);
                }

                Assert.Equal(model.Count, pages.Count);
            }

            Assert.Equal(model.Select(pair => new Item(pair.Key, pair.Value)), From(in pages, int.MinValue));
            Assert.Equal(model.Where(pair => pair.Key >= from + 1).Select(pair => new Item(pair.Key, pair.Value)), From(in pages, from + 1));
        }

        foreach (var slot in model.Keys)
        {
            pages.Remove(slot);
        }

        Assert.Equal(0, pages.Count);
        Assert.Empty(From(in pages, int.MinValue));
    }, iter: 100, threads: 1);

    [Fact]
    public void What_is_written_on_the_way_is_kept()
    {
        var pages = default(SlotPages<Item>);
        for (var slot = 0; slot < 3 * SlotPages<Item>.PageItems; slot++)
        {
            pages.Add(new Item(slot, 0));
        }

        foreach (ref var item in pages)
        {
            item = item with { Value = -item.Slot };
        }

        Assert.All(From(in pages, int.MinValue), item => Assert.Equal(-item.Slot, item.Value));
    }

    private static List<Item> From(in SlotPages<Item> pages, int slot)
    {
        var found = new List<Item>();
        var rest = pages.From(slot);
        while (rest.MoveNext())
        {
            found.Add(rest.Current);
        }

        return found;
    }

    private readonly record struct Item(int Slot, int Value) : ISlotted;
}
