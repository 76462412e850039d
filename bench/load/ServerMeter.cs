using System.Globalization;

namespace StatusDaemon.Load;

/// <summary>Processor time and memory of a server's processes, as the kernel counts them.</summary>
internal sealed class ServerMeter
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly IReadOnlyList<int> processes;

    /// <param name="processes">None: nothing is known of the server, and everything reads 0.</param>
    public ServerMeter(IReadOnlyList<int> processes)
    {
        this.processes = processes;
        _ = CpuSeconds;
    }

    /// <summary>Whether there is anything to read.</summary>
    public bool Knows => processes.Count > 0;

    /// <summary>Processor time so far.</summary>
    public double CpuSeconds => processes.Sum(process => (NativeClient.ProcessorTimeOf(process) ?? throw new LoadException($"there is no process {process}")).TotalSeconds);

    /// <summary>Memory that is in RAM.</summary>
    public long ResidentBytes => processes.Sum(ResidentOf);

    /// <summary>Waits until the server has been below 3 % of a core for half a second.</summary>
    public async Task CalmAsync(TimeSpan patience)
    {
        var end = TimeProvider.System.GetTimestamp() + (long)(patience.TotalSeconds * TimeProvider.System.TimestampFrequency);
        var before = CpuSeconds;
        for (var calm = 0; calm < 5 && TimeProvider.System.GetTimestamp() < end;)
        {
            await Task.Delay(Look);
            var now = CpuSeconds;
            calm = now - before < 0.03 * Look.TotalSeconds ? calm + 1 : 0;
            before = now;
        }
    }

    private static long ResidentOf(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/smaps_rollup").First(line => line.StartsWith("Rss:", StringComparison.Ordinal));
            return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LoadException($"the memory of process {process} cannot be read: {e.Message}");
        }
    }
}
