using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StatusDaemon.Names;
using StatusDaemon.Statuses;
using StatusDaemon.Storage;

namespace StatusDaemon.Bench;

/// <summary>The embedded store on the disk of the working folder: durable writes by batch size, scans, single reads, size of the log.</summary>
internal static class SqliteStatusStoreBench
{
    private const int Records = 100_000;

    private static readonly Uid[] Uids = [.. Enumerable.Range(0, Records).Select(BenchUids.Of)];

    public static async Task RunAsync()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Environment.CurrentDirectory, "bench-" + Path.GetRandomFileName())).FullName;
        try
        {
            await RunAsync(Path.Combine(folder, SqliteStatusStore.FileName));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunAsync(string file)
    {
        await using var store = SqliteStatusStore.Open(file, NullLogger<SqliteStatusStore>.Instance);
        var random = new Random(1);
        long seq = 0;

        List<StoredStatus> Batch(int size) => [.. Enumerable.Range(0, size).Select(_ => Stored(store, Uids[random.Next(Records)], ++seq))];

        await store.WriteAsync([.. Uids.Select(uid => Stored(store, uid, ++seq))], CancellationToken.None);
        Measure.Print("size of the file and log at 100,000 records", $"{Kib(file)}, {Kib(file + "-wal")}");

        foreach (var (size, writes) in new[] { (1, 200), (100, 50), (1_000, 20) })
        {
            await Measure.RateAsync($"statuses written, {size:N0} a batch, each fsynced", size * writes, async () =>
            {
                for (var write = 0; write < writes; write++)
                {
                    await store.WriteAsync(Batch(size), CancellationToken.None);
                }
            });
        }

        await Measure.RateAsync("statuses written, 32 callers with 1 each", 32 * 50, async () =>
        {
            for (var write = 0; write < 50; write++)
            {
                await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => store.WriteAsync(Batch(1), CancellationToken.None)));
            }
        });
        await Measure.RateAsync("epochs taken, 32 callers at once", 32 * 20, async () =>
        {
            for (var take = 0; take < 20; take++)
            {
                await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => store.NextEpochAsync(0, CancellationToken.None)));
            }
        });
        Measure.Print("size of the file and log after all writes", $"{Kib(file)}, {Kib(file + "-wal")}");

        await Measure.RateAsync("records scanned", Records, async () => await store.ScanAsync(CancellationToken.None).CountAsync());
        await Measure.RateAsync("records read singly, 1,000 a call", 10_000, async () =>
        {
            for (var call = 0; call < 10; call++)
            {
                await store.ReadAsync(Uids[(call * 1_000)..((call + 1) * 1_000)], CancellationToken.None);
            }
        });
    }

    private static StoredStatus Stored(SqliteStatusStore store, Uid uid, long seq)
    {
        ClientTimestamp.TryParse(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"1627128694.{seq}")), quoted: true, out var timestamp);
        return new StoredStatus(uid, new StatusRecord(
            (Status)(1 + (seq % 8)),
            timestamp,
            new StatusVersion(store.Incarnation, 1, seq),
            new ChangeSource(SourceKind.Client, "alice@EXAMPLE.ORG", "gateway-1 10.20.30.40:50607", DateTimeOffset.UnixEpoch.AddTicks(seq))));
    }

    private static string Kib(string file) => string.Create(CultureInfo.InvariantCulture, $"{new FileInfo(file).Length / 1024:N0} KiB");
}
