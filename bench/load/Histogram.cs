using System.Numerics;

namespace StatusDaemon.Load;

/// <summary>Times in microseconds, counted in steps of at most 1/64 of their size.</summary>
internal sealed class Histogram
{
    private const int StepBits = 6;
    private const int Steps = 1 << StepBits;

    private readonly long[] counts = new long[Steps * 36];

    /// <summary>How many of each step, without the empty ones at the end.</summary>
    public IReadOnlyList<long> Counts => counts[..(Array.FindLastIndex(counts, count => count > 0) + 1)];

    /// <summary>Counts a time; what is negative is none at all.</summary>
    public void Add(long microseconds) => counts[Math.Min(StepOf((ulong)Math.Max(0, microseconds)), counts.Length - 1)]++;

    /// <summary>Adds what another one has counted.</summary>
    public void Add(IReadOnlyList<long> others)
    {
        for (var step = 0; step < others.Count; step++)
        {
            counts[step] += others[step];
        }
    }

    /// <summary>The time that a part of all does not exceed, such as 0.99; null if nothing was counted.</summary>
    public double? Quantile(double part)
    {
        var wanted = (long)Math.Ceiling(counts.Sum() * part);
        for (var step = 0; step < counts.Length && wanted > 0; step++)
        {
            wanted -= counts[step];
            if (wanted <= 0)
            {
                return MiddleOf(step);
            }
        }

        return null;
    }

    private static int StepOf(ulong value)
    {
        var shift = Math.Max(0, BitOperations.Log2(value | 1) - StepBits);
        return (shift * Steps) + (int)(value >> shift);
    }

    private static double MiddleOf(int step)
    {
        // Below 2 * Steps each value is a step of its own.
        var shift = Math.Max(0, (step / Steps) - 1);
        return ((step - (shift * Steps)) + (shift == 0 ? 0 : 0.5)) * (1L << shift);
    }
}
