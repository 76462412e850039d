using System.Diagnostics.Metrics;

namespace StatusDaemon.Telemetry;

/// <summary>The one meter of the program, <c>statusd</c>: its instruments are in docs/operations.md.</summary>
internal static class ProgramMeter
{
    /// <summary>The meter, for a room to make its instruments of.</summary>
    public static Meter OfProgram(this IMeterFactory meters) => meters.Create("statusd");
}
