using System.Diagnostics.Metrics;

namespace StatusDaemon.Telemetry;

/// <summary>Reads the instruments that somebody makes of a meter of the test's own, as an exporter does.</summary>
internal sealed class InstrumentReader : IDisposable
{
    private readonly MeterListener listener = new();
    private readonly Dictionary<string, double> values = [];

    public InstrumentReader()
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter == Meter)
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.Start();
    }

    /// <summary>What the instruments are to be made of.</summary>
    public Meter Meter { get; } = new("statusd");

    /// <summary>What an instrument says now.</summary>
    public double this[string name]
    {
        get
        {
            listener.RecordObservableInstruments();
            return values[name];
        }
    }

    /// <summary>Waits until an instrument says something.</summary>
    public async Task BecomesAsync(string name, double value)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (this[name] != value)
        {
            Assert.False(patience.IsCancellationRequested, $"{name} is {this[name]}, and not {value}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    public void Dispose()
    {
        listener.Dispose();
        Meter.Dispose();
    }
}
