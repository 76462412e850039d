using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace StatusDaemon.Directories;

/// <summary>Collects what one service's counter <c>statusd.directory.reloads</c> counts from now on.</summary>
internal sealed class ReloadResults : IDisposable
{
    private readonly MeterListener listener = new();
    private readonly ConcurrentQueue<string> results = new();

    public ReloadResults(IMeterFactory ofService)
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "statusd.directory.reloads" && instrument.Meter.Scope == ofService)
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, count, tags, _) => results.Enqueue($"{tags[0].Value} {count}"));
        listener.Start();
    }

    public IEnumerable<string> Seen => results;

    public void Dispose() => listener.Dispose();
}
