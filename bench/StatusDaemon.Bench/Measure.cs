using System.Diagnostics;
using System.Globalization;

namespace StatusDaemon.Bench;

/// <summary>Times something often enough to trust it, and prints what came out.</summary>
internal static class Measure
{
    private const int Rounds = 5;

    /// <summary>Runs <paramref name="work"/> once to warm up and five times for the clock, and prints the rate: median, and the slowest and fastest round.</summary>
    /// <param name="items">What one run handles; the rate is in these.</param>
    public static async Task RateAsync(string what, int items, Func<Task> work)
    {
        await work();
        var rates = new double[Rounds];
        for (var round = 0; round < Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            await work();
            rates[round] = items / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(rates);
        Print(what, string.Create(CultureInfo.InvariantCulture, $"{rates[Rounds / 2],12:N0} /s   ({rates[0]:N0} to {rates[^1]:N0})"));
    }

    /// <summary>Prints one result in the columns of all others.</summary>
    public static void Print(string what, string result) => Console.WriteLine($"  {what,-44} {result}");
}
