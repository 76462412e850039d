using System.Globalization;

namespace StatusDaemon.Transport;

/// <summary>How many files the process may have open, and how many of them connections must leave to all else.</summary>
/// <remarks>A thread that cannot be started for want of a file ends the process, so the last ones are not for those who come.</remarks>
internal static class OpenFiles
{
    /// <summary>Files that connections leave: for threads, the store, the log.</summary>
    public const int Reserve = 64;

    /// <summary>With fewer nothing of use could connect: the program itself has some 260 open.</summary>
    public const int Least = 512;

    /// <summary>Most that may be open at once, as the kernel says.</summary>
    public static int Limit { get; } = LimitIn(File.ReadLines("/proc/self/limits"));

    /// <summary>Whether a file's number says that only the reserve is left: the kernel gives the lowest that is free.</summary>
    public static bool AreShort(int number) => number < 0 || number >= Limit - Reserve;

    /// <summary>Reads <c>/proc/PID/limits</c>.</summary>
    /// <returns>The soft limit, which the runtime has raised to the hard one; <see cref="int.MaxValue"/> where there is none.</returns>
    public static int LimitIn(IEnumerable<string> limits)
    {
        var line = limits.FirstOrDefault(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        var soft = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(3);
        return int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : int.MaxValue;
    }
}
