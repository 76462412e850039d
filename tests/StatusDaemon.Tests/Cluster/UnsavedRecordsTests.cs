using CsCheck;
using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Cluster;

public sealed class UnsavedRecordsTests
{
    private static readonly Uid[] People = [.. Enumerable.Range(0, 20).Select(i => UidOf($"p{i}"))];

    [Fact]
    public void However_long_the_store_is_away_the_newest_of_each_publisher_is_there_until_it_is_saved() =>
        Gen.Select(Gen.Int[0, 19].Array[1, UnsavedRecords.PatientRecords * 3], Gen.Int[0, UnsavedRecords.PatientRecords * 4]).Sample((publishers, saved) =>
        {
            var unsaved = new UnsavedRecords();
            var newest = new Dictionary<Uid, RouterInput.Adopt>(Uid.Comparer);
            for (var at = 0; at < publishers.Length; at++)
            {
                var record = Record(publishers[at], seq: at + 1);
                newest[record.Publisher] = record;
                unsaved.Add(record);
                Assert.InRange(unsaved.Count, 1, UnsavedRecords.PatientRecords);
            }

            unsaved.Forget(new FeedKey(5, saved));
            var left = unsaved.TakeAll();
            Assert.Equal(0, unsaved.Count);
            Assert.All(left, record => Assert.True(record.Record.Version.Seq > saved));
            Assert.Subset(left.ToHashSet(), newest.Values.Where(record => record.Record.Version.Seq > saved).ToHashSet());
            Assert.Equal(left.OrderBy(record => record.Record.Version.Seq), left);
        }, iter: 20, threads: 1);

    [Fact]
    public void A_record_that_comes_after_a_newer_one_does_not_take_its_place()
    {
        var unsaved = new UnsavedRecords();
        unsaved.Add(Record(0, seq: 9_999));
        for (var seq = 1; seq <= UnsavedRecords.PatientRecords; seq++)
        {
            unsaved.Add(Record(0, seq));
        }

        Assert.Equal([Record(0, seq: 9_999)], unsaved.TakeAll());
    }

    private static RouterInput.Adopt Record(int person, long seq) =>
        new(People[person], new StatusRecord(Status.Busy, default, new StatusVersion(7, 5, seq), new ChangeSource(SourceKind.Client, "actor", "", DateTimeOffset.UnixEpoch)));
}
