using System.Runtime.CompilerServices;

namespace StatusDaemon.Routing;

/// <summary>Small items ascending by slot: one array while they are few, then pages, so that one more or less never moves more than a page.</summary>
/// <remarks>A mutable struct that lives where its owner has it: copying it shares the arrays, so it is never passed around.</remarks>
public struct SlotPages<T>
    where T : struct, ISlotted
{
    /// <summary>Most items in one array.</summary>
    public const int PageItems = 256;

    private object? items; // none, T[] or List<Page>

    /// <summary>Items.</summary>
    public int Count { get; private set; }

    /// <summary>The item of a slot, valid until one is put in or taken out; <see cref="Unsafe.IsNullRef"/> if there is none.</summary>
    public readonly ref T Find(int slot)
    {
        var page = PageOf(slot, out _);
        var at = LowerBound(page, slot);
        return ref at < page.Length && page[at].Slot == slot ? ref page[at] : ref Unsafe.NullRef<T>();
    }

    /// <summary>Puts an item in whose slot has none.</summary>
    public void Add(T item)
    {
        if (items is List<Page> pages)
        {
            PageOf(item.Slot, out var number);
            pages[number].Insert(item);
            if (pages[number].Count == PageItems)
            {
                pages.Insert(number + 1, pages[number].Split());
            }
        }
        else
        {
            var few = (T[]?)items;
            SlotArray.Insert(ref few, Count, LowerBound(few.AsSpan(0, Count), item.Slot), item);
            items = few;
            if (Count + 1 == PageItems)
            {
                var page = new Page(few, PageItems);
                items = new List<Page>(2) { page, page.Split() };
            }
        }

        Count++;
    }

    /// <summary>Takes the item of a slot out that has one.</summary>
    public void Remove(int slot)
    {
        Count--;
        if (items is not List<Page> pages)
        {
            var few = (T[]?)items;
            SlotArray.RemoveAt(ref few, Count, LowerBound(few.AsSpan(0, Count + 1), slot));
            items = few;
            return;
        }

        PageOf(slot, out var number);
        pages[number].Remove(slot);
        Join(pages, number);
        Join(pages, number - 1);
        if (pages is [var last])
        {
            items = last.Items;
        }
    }

    /// <summary>All items, ascending; none may be put in or taken out meanwhile.</summary>
    public readonly Enumerator GetEnumerator() => From(int.MinValue);

    /// <summary>The items from a slot on.</summary>
    public readonly Enumerator From(int slot)
    {
        var page = PageOf(slot, out var number);
        return new Enumerator(items as List<Page>, number, page, LowerBound(page, slot));
    }

    /// <summary>The page that has a slot or would have it.</summary>
    private readonly Span<T> PageOf(int slot, out int number)
    {
        number = 0;
        if (items is not List<Page> pages)
        {
            return ((T[]?)items).AsSpan(0, Count);
        }

        var high = pages.Count - 1;
        while (number < high)
        {
            var middle = (number + high + 1) >>> 1;
            if (pages[middle].Items![0].Slot <= slot)
            {
                number = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return pages[number].Span;
    }

    /// <summary>Makes one page of two that are neighbours, if it is half full then or one of them is empty.</summary>
    private static void Join(List<Page> pages, int lower)
    {
        if (lower >= 0 && lower + 1 < pages.Count
            && (pages[lower].Count == 0 || pages[lower + 1].Count == 0 || pages[lower].Count + pages[lower + 1].Count <= PageItems / 2))
        {
            pages[lower].Append(pages[lower + 1]);
            pages.RemoveAt(lower + 1);
        }
    }

    private static int LowerBound(Span<T> page, int slot)
    {
        int low = 0, high = page.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (page[middle].Slot < slot)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>Goes over items, which may be written where they are.</summary>
    public ref struct Enumerator
    {
        private readonly List<Page>? pages;
        private int page;
        private Span<T> items;
        private int at;

        internal Enumerator(List<Page>? pages, int page, Span<T> items, int first)
        {
            this.pages = pages;
            this.page = page;
            this.items = items;
            at = first - 1;
        }

        /// <summary>The item.</summary>
        public readonly ref T Current => ref items[at];

        /// <summary>Goes to the next item.</summary>
        public bool MoveNext()
        {
            while (++at >= items.Length)
            {
                if (pages is null || page + 1 >= pages.Count)
                {
                    return false;
                }

                items = pages[++page].Span;
                at = -1;
            }

            return true;
        }
    }

    /// <summary>Neighbouring items in one array.</summary>
    internal sealed class Page(T[]? items, int count)
    {
        private T[]? items = items;

        public int Count { get; private set; } = count;

        public T[]? Items => items;

        public Span<T> Span => items.AsSpan(0, Count);

        public void Insert(T item)
        {
            SlotArray.Insert(ref items, Count, LowerBound(Span, item.Slot), item);
            Count++;
        }

        public void Remove(int slot)
        {
            var at = LowerBound(Span, slot);
            SlotArray.RemoveAt(ref items, --Count, at);
        }

        /// <summary>Takes the upper half out, as a page of its own.</summary>
        public Page Split()
        {
            var upper = new Page(Span[(Count / 2)..].ToArray(), Count - (Count / 2));
            Count /= 2;
            Array.Resize(ref items, Count);
            return upper;
        }

        public void Append(Page next)
        {
            items = [.. Span, .. next.Span];
            Count = items.Length;
        }
    }
}
