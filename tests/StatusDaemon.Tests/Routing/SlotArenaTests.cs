using CsCheck;

namespace StatusDaemon.Routing;

public sealed class SlotArenaTests
{
    private static readonly Gen<(bool IsAdd, int At)[]> Changes = Gen.Select(Gen.Bool, Gen.Int[0, 40], (isAdd, at) => (isAdd, at)).Array[0, 300];

    [Fact]
    public void Everyone_keeps_a_slot_of_its_own_and_there_are_no_more_slots_than_there_were_items_at_once() => Changes.Sample(changes =>
    {
        var arena = new SlotArena<Item>();
        var model = new List<Item>();
        var most = 0;
        foreach (var (isAdd, at) in changes)
        {
            if (isAdd)
            {
                var item = new Item(arena.NextSlot);
                arena.Add(item);
                model.Add(item);
                most = Math.Max(most, model.Count);
            }
            else if (model.Count > 0)
            {
                arena.Remove(model[at % model.Count]);
                model.RemoveAt(at % model.Count);
            }

            Assert.Equal(model.Count, arena.Count);
            Assert.Equal(model.OrderBy(item => item.Slot), arena.All);
            Assert.All(model, item => Assert.Same(item, arena[item.Slot]));
            Assert.InRange(arena.NextSlot, 0, most);
            Assert.Null(arena.Find(arena.NextSlot));
        }
    });

    [Fact]
    public void A_slot_that_another_item_has_or_that_is_not_next_is_a_fault()
    {
        var arena = new SlotArena<Item>();
        var item = new Item(0);
        arena.Add(item);
        Assert.Throws<InvalidOperationException>(() => arena.Add(item));
        Assert.Throws<InvalidOperationException>(() => arena.Add(new Item(2)));
        Assert.Throws<InvalidOperationException>(() => arena.Remove(new Item(0)));
        arena.Remove(item);
        Assert.Throws<InvalidOperationException>(() => arena.Remove(item));
    }

    private sealed class Item(int slot) : ISlotted
    {
        public int Slot { get; } = slot;
    }
}
