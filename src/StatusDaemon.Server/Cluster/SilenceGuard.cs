using Microsoft.AspNetCore.Connections;

namespace StatusDaemon.Cluster;

/// <summary>Gives up a connection on which much was said and nothing heard for a while, as after a cut cable: the kernel would try for a quarter of an hour.</summary>
internal static class SilenceGuard
{
    /// <summary>How long the other end may be silent that was spoken to. Over a connection of a gateway each shard is called once a second.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan LookEvery = Limit / 4;

    /// <summary>Watches until the connection ends.</summary>
    public static async Task WatchAsync(ConnectionContext connection, DuplexPipeStream stream, TimeProvider clock, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(LookEvery, clock);
        long? askedAt = null; // since when an answer is waited for
        var (read, written) = (stream.BytesRead, stream.BytesWritten);
        while (await timer.WaitForNextTickAsync(stop))
        {
            var (readNow, writtenNow) = (stream.BytesRead, stream.BytesWritten);
            askedAt = readNow != read ? null : askedAt ?? (writtenNow != written ? clock.GetTimestamp() : null);
            (read, written) = (readNow, writtenNow);
            if (askedAt is { } at && clock.GetElapsedTime(at) >= Limit)
            {
                connection.Abort(new ConnectionAbortedException("The other end is silent."));
                return;
            }
        }
    }
}
