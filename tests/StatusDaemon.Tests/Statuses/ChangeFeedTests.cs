using CsCheck;

namespace StatusDaemon.Statuses;

public sealed class ChangeFeedTests
{
    private const ulong Incarnation = 7;

    // What an activation of epoch 2 does: the store's memory comes at some time, changes come before and after.
    private static readonly Gen<(int[] Remembered, int Before, int[] Changes)> Histories =
        Gen.Select(Gen.Int[0, 9].Array[0, 10], Gen.Int[0, 200], Gen.Int[0, 9].Array[0, 200], (remembered, before, changes) =>
            (remembered.Distinct().ToArray(), Math.Min(before, changes.Length), changes));

    [Fact]
    public void Any_cursor_reads_exactly_what_changed_since_each_item_once_in_order_of_last_change() =>
        Gen.Select(Histories, Gen.Int[0, 210], Gen.Int[1, 4]).Sample((history, from, max) =>
        {
            var feed = new ChangeFeed(Incarnation);
            var last = new Dictionary<int, FeedKey>();
            for (var i = 0; i < history.Changes.Length; i++)
            {
                if (i == history.Before)
                {
                    Remember(feed, last, history.Remembered);
                }

                var key = new FeedKey(2, i + 1);
                feed.Touch(history.Changes[i], key);
                last[history.Changes[i]] = key;
                Assert.InRange(feed.Places, last.Count, Math.Max(33, last.Count * 2));
            }

            if (history.Before == history.Changes.Length)
            {
                Remember(feed, last, history.Remembered);
            }

            var cursor = new FeedCursor(Incarnation, from < 10 ? new FeedKey(1, from) : new FeedKey(2, from - 10));
            var expected = last.Where(pair => pair.Value > cursor.Key).OrderBy(pair => pair.Value).Select(pair => pair.Key);
            Assert.Equal(expected, ReadAll(feed, cursor, max));
        }, iter: 500, threads: 1);

    [Fact]
    public void A_reader_of_another_store_starts_anew() => Histories.Sample(history =>
    {
        var feed = new ChangeFeed(Incarnation);
        Remember(feed, [], history.Remembered);
        Assert.Equal(history.Remembered, ReadAll(feed, new FeedCursor(8, new FeedKey(9, 9)), 3));
        Assert.Equal(history.Remembered, ReadAll(feed, default, 3));
    }, iter: 100, threads: 1);

    [Fact]
    public void A_reader_that_comes_often_misses_nothing_and_reads_nothing_twice() =>
        Gen.Select(Gen.Int[0, 9], Gen.Bool, (item, isRead) => (item, isRead)).Array[0, 300].Sample(steps =>
        {
            var feed = new ChangeFeed(Incarnation);
            var pending = new List<int>();
            var cursor = default(FeedCursor);
            for (var i = 0; i < steps.Length; i++)
            {
                feed.Touch(steps[i].item, new FeedKey(2, i + 1));
                pending.Remove(steps[i].item);
                pending.Add(steps[i].item);
                if (steps[i].isRead)
                {
                    var items = new List<int>();
                    cursor = feed.Read(cursor, int.MaxValue, items);
                    Assert.Equal(pending, items);
                    pending.Clear();
                }
            }
        }, iter: 100, threads: 1);

    [Fact]
    public void A_change_that_is_not_later_than_the_last_one_is_a_fault()
    {
        var feed = new ChangeFeed(Incarnation);
        feed.Touch(1, new FeedKey(2, 2));
        Assert.Throws<InvalidOperationException>(() => feed.Touch(2, new FeedKey(2, 2)));
        Assert.Throws<InvalidOperationException>(() => feed.Touch(2, new FeedKey(1, 9)));
    }

    [Fact]
    public void Many_changes_of_few_take_little_room()
    {
        var feed = new ChangeFeed(Incarnation);
        for (var i = 1; i <= 100_000; i++)
        {
            feed.Touch(i % 100, new FeedKey(2, i));
        }

        Assert.InRange(feed.Places, 100, 200);
    }

    // What changed since is not the store's memory any more.
    private static void Remember(ChangeFeed feed, Dictionary<int, FeedKey> last, int[] remembered)
    {
        var places = remembered.Select((item, at) => (new FeedKey(1, at + 1), item)).Where(place => !last.ContainsKey(place.item)).ToArray();
        feed.Prepend(places);
        foreach (var (key, item) in places)
        {
            last.Add(item, key);
        }
    }

    private static List<int> ReadAll(ChangeFeed feed, FeedCursor cursor, int max)
    {
        var items = new List<int>();
        for (int before; ;)
        {
            before = items.Count;
            cursor = feed.Read(cursor, max, items);
            if (items.Count == before)
            {
                return items;
            }

            Assert.InRange(items.Count - before, 1, max);
        }
    }
}
