using System.Diagnostics.CodeAnalysis;

namespace StatusDaemon.Privileges;

/// <summary>A hash table that never changes, and makes changed ones that share nearly all with it. Any thread may read.</summary>
/// <remarks>
/// Entries lie in pages of a few, pages in groups. A changed table has a copy of each page and group that changed, and of the row of groups: with n entries that is
/// some √n places for a whole batch, and one small page for each change. Room for more is made by dividing all pages at once, each time that the entries have doubled.
/// </remarks>
/// <param name="groups">2^<paramref name="bits"/> pages in all, evenly in groups.</param>
/// <param name="bits">At least 2.</param>
public sealed class SharedTable<TKey, TValue>(SharedTable<TKey, TValue>.Entry[][][] groups, int bits, int count, IEqualityComparer<TKey> comparer)
    where TKey : notnull
{
    private const int FewBits = 2;

    /// <summary>Entries of a page, on average, before there are more pages.</summary>
    private const int PageLoad = 4;

    private readonly Entry[][][] groups = groups;
    private readonly int bits = bits;
    private readonly IEqualityComparer<TKey> comparer = comparer;

    /// <summary>A table with nothing in it.</summary>
    public SharedTable(IEqualityComparer<TKey> comparer)
        : this(NewGroups(FewBits), FewBits, 0, comparer)
    {
    }

    /// <summary>Entries.</summary>
    public int Count { get; } = count;

    /// <summary>All entries, in no order.</summary>
    public IEnumerable<KeyValuePair<TKey, TValue>> All
    {
        get
        {
            foreach (var group in groups)
            {
                foreach (var page in group)
                {
                    foreach (var entry in page)
                    {
                        yield return new(entry.Key, entry.Value);
                    }
                }
            }
        }
    }

    /// <summary>Looks up a key.</summary>
    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        var hash = comparer.GetHashCode(key);
        foreach (ref readonly var entry in PageOf(hash).AsSpan())
        {
            if (entry.Hash == hash && comparer.Equals(entry.Key, key))
            {
                value = entry.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>Looks up what is not a key object yet.</summary>
    public bool TryGet<TOther>(TOther key, IAlternateEqualityComparer<TOther, TKey> by, [MaybeNullWhen(false)] out TValue value)
        where TOther : allows ref struct
    {
        var hash = by.GetHashCode(key);
        foreach (ref readonly var entry in PageOf(hash).AsSpan())
        {
            if (entry.Hash == hash && by.Equals(key, entry.Key))
            {
                value = entry.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>Begins another table; this one stays as it is.</summary>
    public Edit Change() => new(this);

    private Entry[] PageOf(int hash)
    {
        var page = PageAt(hash, bits);
        var group = groups[page >> InGroup(bits)];
        return group[page & (group.Length - 1)];
    }

    private static int PageAt(int hash, int bits) => (int)(((uint)hash * 0x9E3779B9u) >> (32 - bits));

    private static int InGroup(int bits) => bits / 2;

    private static Entry[][][] NewGroups(int bits)
    {
        var groups = new Entry[1 << (bits - InGroup(bits))][][];
        for (var at = 0; at < groups.Length; at++)
        {
            groups[at] = new Entry[1 << InGroup(bits)][];
            Array.Fill(groups[at], []);
        }

        return groups;
    }

    /// <summary>One key and what it leads to.</summary>
    public readonly record struct Entry(int Hash, TKey Key, TValue Value);

    /// <summary>A changed table in the making; one owner.</summary>
    public sealed class Edit(SharedTable<TKey, TValue> from)
    {
        private readonly IEqualityComparer<TKey> comparer = from.comparer;
        private Entry[][][]? shared = from.groups; // what is still the other table's is copied before it changes; null once nothing is
        private Entry[][][] groups = from.groups;
        private int bits = from.bits;
        private int count = from.Count;

        /// <summary>Puts a key in, or gives it another value.</summary>
        public void Set(TKey key, TValue value)
        {
            var hash = comparer.GetHashCode(key);
            ref var page = ref PageOf(hash);
            var at = Find(page, hash, key);
            page = at < 0 ? [.. page, default] : [.. page];
            page[at < 0 ? ^1 : at] = new Entry(hash, key, value);
            if (at < 0 && ++count > PageLoad << bits)
            {
                Divide();
            }
        }

        /// <summary>Takes a key out, if it is in.</summary>
        public void Remove(TKey key)
        {
            var hash = comparer.GetHashCode(key);
            ref var page = ref PageOf(hash);
            var at = Find(page, hash, key);
            if (at >= 0)
            {
                page = page.Length == 1 ? [] : [.. page.AsSpan(0, at), .. page.AsSpan(at + 1)];
                count--;
            }
        }

        /// <summary>The table; the edit is of no use afterwards.</summary>
        public SharedTable<TKey, TValue> Done() => ReferenceEquals(groups, from.groups) ? from : Table();

        private SharedTable<TKey, TValue> Table() => new(groups, bits, count, comparer);

        private int Find(Entry[] page, int hash, TKey key)
        {
            for (var at = 0; at < page.Length; at++)
            {
                if (page[at].Hash == hash && comparer.Equals(page[at].Key, key))
                {
                    return at;
                }
            }

            return -1;
        }

        /// <summary>Where a page is named, in a group that is this edit's own.</summary>
        private ref Entry[] PageOf(int hash)
        {
            var page = PageAt(hash, bits);
            var at = page >> InGroup(bits);
            if (shared is not null)
            {
                if (ReferenceEquals(groups, shared))
                {
                    groups = [.. groups];
                }

                if (ReferenceEquals(groups[at], shared[at]))
                {
                    groups[at] = [.. groups[at]];
                }
            }

            return ref groups[at][page & (groups[at].Length - 1)];
        }

        private void Divide()
        {
            var before = Table();
            bits++;
            groups = NewGroups(bits);
            shared = null;
            foreach (var group in before.groups)
            {
                foreach (var page in group)
                {
                    // The pages of a page: its hashes have one bit more to tell them apart.
                    foreach (var part in page.GroupBy(entry => PageAt(entry.Hash, bits)))
                    {
                        PageOf(part.First().Hash) = [.. part];
                    }
                }
            }
        }
    }
}
