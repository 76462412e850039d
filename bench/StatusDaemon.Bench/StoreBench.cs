using System.Globalization;
using System.Text;
using StatusDaemon.Names;
using StatusDaemon.Statuses;
using StatusDaemon.Storage;

namespace StatusDaemon.Bench;

/// <summary>What the benches of stores do alike: statuses of 100,000 subscribers, written and read in all sizes of batches.</summary>
internal sealed class StoreBench(IStatusStore store)
{
    public const int Records = 100_000;

    private static readonly Uid[] Uids = [.. Enumerable.Range(0, Records).Select(BenchUids.Of)];

    private readonly Random random = new(1);
    private long seq;

    /// <summary>A status for every subscriber.</summary>
    public Task FillAsync() => store.WriteAsync([.. Uids.Select(Next)], CancellationToken.None);

    /// <summary>Writes, epochs and reads.</summary>
    public async Task RunAsync()
    {
        foreach (var (size, writes) in new[] { (1, 200), (100, 50), (1_000, 20) })
        {
            await Measure.RateAsync($"statuses written, {size:N0} a batch", size * writes, async () =>
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
        await Measure.RateAsync("records scanned", Records, async () => await store.ScanAsync(CancellationToken.None).CountAsync());
        await Measure.RateAsync("records read singly, 1,000 a call", 10_000, async () =>
        {
            for (var call = 0; call < 10; call++)
            {
                await store.ReadAsync(Uids[(call * 1_000)..((call + 1) * 1_000)], CancellationToken.None);
            }
        });
    }

    private List<StoredStatus> Batch(int size) => [.. Enumerable.Range(0, size).Select(_ => Next(Uids[random.Next(Records)]))];

    private StoredStatus Next(Uid uid)
    {
        seq++;
        ClientTimestamp.TryParse(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"1627128694.{seq}")), quoted: true, out var timestamp);
        return new StoredStatus(uid, new StatusRecord(
            (Status)(1 + (seq % 8)),
            timestamp,
            new StatusVersion(store.Incarnation, 1, seq),
            new ChangeSource(SourceKind.Client, "alice@EXAMPLE.ORG", "gateway-1 10.20.30.40:50607", DateTimeOffset.UnixEpoch.AddTicks(seq))));
    }
}
