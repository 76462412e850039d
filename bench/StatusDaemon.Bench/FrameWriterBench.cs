using BenchmarkDotNet.Attributes;
using StatusDaemon.Gateway;
using StatusDaemon.Protocol;
using StatusDaemon.Statuses;

namespace StatusDaemon.Bench;

/// <summary>The writer: the one frame of a publication, and its place in the row of each socket; <see cref="FanOutBench"/> has what leads there.</summary>
public class FrameWriterBench
{
    private const int Watchers = 1000;

    private readonly FrameStage stage = new();
    private readonly (int First, int Last)[] rows = new (int, int)[Watchers];
    private Notification notification;
    private byte[] frame = [];

    /// <summary>Makes the notification.</summary>
    [GlobalSetup]
    public void Prepare()
    {
        ClientTimestamp.TryParse("1627128694.693686"u8, quoted: true, out var timestamp);
        notification = new Notification(Status.Busy, BenchUids.Of(1), timestamp);
        frame = MessageWriter.Frame(notification);
    }

    /// <summary>A publication.</summary>
    [Benchmark]
    public byte[] WriteFrame() => MessageWriter.Frame(notification);

    /// <summary>A watcher of it, until the end of the turn.</summary>
    [Benchmark(OperationsPerInvoke = Watchers)]
    public int StageFrame()
    {
        Array.Clear(rows);
        for (var watcher = 0; watcher < Watchers; watcher++)
        {
            ref var row = ref rows[watcher];
            stage.Append(frame, ref row.First, ref row.Last);
        }

        var bytes = 0;
        foreach (var (first, _) in rows)
        {
            for (var number = first; number != 0; number = stage.After(number))
            {
                bytes += stage[number].Length;
            }
        }

        stage.Clear();
        return bytes;
    }
}
