using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>Texts in order, each with the UIDs that have it, so that all with a prefix lie side by side. It never changes, and makes changed ones that share nearly all with it.</summary>
/// <remarks>Two levels: pages of up to <see cref="MaxPage"/> entries, and the row of pages. Sixteen bytes an entry, and a few for room.</remarks>
public sealed class PrefixIndex
{
    /// <summary>An index with nothing in it.</summary>
    public static readonly PrefixIndex Empty = new([]);

    private const int MaxPage = 128;

    private static readonly Comparer<Entry> InOrder = Comparer<Entry>.Create(Compare);

    private readonly Entry[][] pages; // none of them empty

    private PrefixIndex(Entry[][] pages) => this.pages = pages;

    /// <summary>The entries whose text begins so, in order.</summary>
    public IEnumerable<Entry> StartingWith(string prefix)
    {
        var page = Math.Max(0, PageOf(pages, new Entry(prefix, null)));
        for (var at = page < pages.Length ? PlaceOf(pages[page], new Entry(prefix, null)) : 0; page < pages.Length; page++, at = 0)
        {
            for (; at < pages[page].Length; at++)
            {
                if (!pages[page][at].Text.StartsWith(prefix, StringComparison.Ordinal))
                {
                    yield break;
                }

                yield return pages[page][at];
            }
        }
    }

    /// <summary>An index with other entries.</summary>
    /// <param name="removed">In it now.</param>
    /// <param name="added">Not in it once those are out.</param>
    public PrefixIndex With(IReadOnlyCollection<Entry> removed, IReadOnlyCollection<Entry> added)
    {
        if (removed.Count + added.Count == 0)
        {
            return this;
        }

        if (added.Count > pages.Length * MaxPage / 8)
        {
            var gone = removed.ToHashSet();
            var all = pages.SelectMany(page => page).Where(entry => !gone.Contains(entry)).Concat(added).ToArray();
            Array.Sort(all, InOrder);
            return new PrefixIndex([.. all.Chunk(MaxPage * 3 / 4)]);
        }

        List<Entry[]> changed = [.. pages];
        foreach (var entry in removed)
        {
            Remove(changed, entry);
        }

        foreach (var entry in added)
        {
            Add(changed, entry);
        }

        return new PrefixIndex([.. changed]);
    }

    private static void Remove(List<Entry[]> pages, Entry entry)
    {
        var at = PageOf(pages, entry);
        var place = PlaceOf(pages[at], entry);
        Entry[] left = [.. pages[at].AsSpan(0, place), .. pages[at].AsSpan(place + 1)];
        if (at + 1 < pages.Count && left.Length + pages[at + 1].Length <= MaxPage / 2)
        {
            pages[at + 1] = [.. left, .. pages[at + 1]];
            left = [];
        }

        if (left.Length == 0)
        {
            pages.RemoveAt(at);
        }
        else
        {
            pages[at] = left;
        }
    }

    private static void Add(List<Entry[]> pages, Entry entry)
    {
        if (pages.Count == 0)
        {
            pages.Add([entry]);
            return;
        }

        var at = Math.Max(0, PageOf(pages, entry));
        var place = PlaceOf(pages[at], entry);
        Entry[] more = [.. pages[at].AsSpan(0, place), entry, .. pages[at].AsSpan(place)];
        if (more.Length <= MaxPage)
        {
            pages[at] = more;
        }
        else
        {
            pages[at] = more[..(MaxPage / 2)];
            pages.Insert(at + 1, more[(MaxPage / 2)..]);
        }
    }

    /// <summary>The last page that begins with the entry or before it; -1 if all begin after it.</summary>
    private static int PageOf(IReadOnlyList<Entry[]> pages, Entry entry)
    {
        int low = 0, high = pages.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (Compare(pages[middle][0], entry) <= 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }

    /// <summary>Where an entry is in a page, or would be.</summary>
    private static int PlaceOf(Entry[] page, Entry entry)
    {
        var at = page.AsSpan().BinarySearch(entry, InOrder);
        return at < 0 ? ~at : at;
    }

    private static int Compare(Entry one, Entry other) => string.CompareOrdinal(one.Text, other.Text) is var byText and not 0
        ? byText
        : (one.Uid, other.Uid) switch
        {
            ({ } uid, { } otherUid) => uid.Utf8.SequenceCompareTo(otherUid.Utf8),
            (null, null) => 0,
            (null, _) => -1,
            _ => 1,
        };

    /// <summary>A text and one who has it; by text, then by UID.</summary>
    /// <param name="Uid">Null before all others of the text: where to begin to look.</param>
    public readonly record struct Entry(string Text, Uid? Uid);
}
