namespace StatusDaemon.Tests.Protocol;

/// <summary>What a piece of code allocates once it is warm.</summary>
internal static class Allocation
{
    /// <summary>Bytes of 1,000 runs after a warm-up.</summary>
    /// <remarks>The least of several rounds: a full collection, which other tests may cause, empties the array pools.</remarks>
    public static long OfWarm(Action action)
    {
        var least = long.MaxValue;
        for (var round = 0; round < 10; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var run = 0; run < 1_000; run++)
            {
                action();
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
