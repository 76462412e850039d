using System.Diagnostics;
using System.Globalization;

namespace StatusDaemon.Bench;

/// <summary>How long a shard takes to come back after a failover, with a million subscribers and twenty million watches in 32 shards: from what the store read and the bytes that gateways declare.</summary>
/// <remarks>
/// First each shard in a process that has all others, as where a daemon takes a shard over; then all 32 one after the other in a process that knows nobody. One thread, and no time on the way: reading the store,
/// sending the bytes, and telling the verdicts are not in it. Collections of garbage are; processor time is of all threads of the process.
/// </remarks>
internal static class RouterRebuildBench
{
    private const int Shards = 32;
    private const int Rounds = 2;

    public static Task RunAsync(int people)
    {
        var crowd = new RouterCrowd(people, Shards);
        crowd.Name();
        crowd.Introduce();
        crowd.Activate();
        crowd.Connect();
        crowd.Publish();
        crowd.Watch();
        for (var round = 1; round <= Rounds; round++)
        {
            RebuildAll(crowd, string.Create(CultureInfo.InvariantCulture, $"round {round}, beside all others"));
        }

        for (var round = 1; round <= Rounds; round++)
        {
            crowd.End();
            GC.Collect();
            RebuildAll(crowd, string.Create(CultureInfo.InvariantCulture, $"round {round}, in a process that knows nobody"));
        }

        return Task.CompletedTask;
    }

    private static void RebuildAll(RouterCrowd crowd, string what)
    {
        var times = new List<TimeSpan>();
        var (paused, worked) = (TimeSpan.Zero, TimeSpan.Zero);
        for (var shard = 0; shard < Shards; shard++)
        {
            var stored = crowd.StoredOf(shard);
            var declared = crowd.DeclaredTo(shard);
            crowd.Routers[shard]?.Close();
            crowd.Routers[shard] = null!;
            var (start, pausedBefore, workedBefore) = (Stopwatch.GetTimestamp(), GC.GetTotalPauseDuration(), Environment.CpuUsage.TotalTime);
            crowd.Routers[shard] = crowd.Rebuild(stored, declared);
            times.Add(Stopwatch.GetElapsedTime(start));
            paused += GC.GetTotalPauseDuration() - pausedBefore;
            worked += Environment.CpuUsage.TotalTime - workedBefore;
        }

        var all = times.Aggregate(TimeSpan.Zero, (sum, time) => sum + time);
        times.Sort();
        Measure.Print(what, string.Create(
            CultureInfo.InvariantCulture,
            $"{times[Shards / 2].TotalMilliseconds,8:N0} ms a shard ({times[0].TotalMilliseconds:N0} to {times[^1].TotalMilliseconds:N0}), {all.TotalSeconds:N1} s all, {paused.TotalSeconds:N1} of them collecting; {worked.TotalSeconds:N1} s of processor time, {worked.TotalSeconds * 1e6 / crowd.Watches:N2} a million watches"));
    }
}
