using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StatusDaemon.Storage;

namespace StatusDaemon.Bench;

/// <summary>The embedded store on the disk of the working folder: durable writes by batch size, each fsynced; scans, single reads, size of the log.</summary>
internal static class SqliteStatusStoreBench
{
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
        var bench = new StoreBench(store);
        await Measure.RateAsync("statuses written, all at once", StoreBench.Records, bench.FillAsync);
        Measure.Print("size of the file and log at 100,000 records", $"{Kib(file)}, {Kib(file + "-wal")}");
        await bench.RunAsync();
        Measure.Print("size of the file and log after all writes", $"{Kib(file)}, {Kib(file + "-wal")}");
    }

    private static string Kib(string file) => string.Create(CultureInfo.InvariantCulture, $"{new FileInfo(file).Length / 1024:N0} KiB");
}
