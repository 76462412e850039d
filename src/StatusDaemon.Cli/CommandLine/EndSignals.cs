using System.Runtime.InteropServices;

namespace StatusDaemon.CommandLine;

/// <summary>Ctrl-C and the signals by which a service manager ends a process, from the first moment on: whatever runs is told, and ends with 0.</summary>
internal sealed class EndSignals : IDisposable
{
    // Never disposed: a signal may be on its way here when the registrations go.
    private readonly CancellationTokenSource told = new();
    private readonly PosixSignalRegistration[] registrations;

    /// <summary>Begins to listen.</summary>
    public EndSignals() => registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, End),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, End),
        PosixSignalRegistration.Create(PosixSignal.SIGQUIT, End),
    ];

    /// <summary>Set when one of them has come.</summary>
    public CancellationToken Token => told.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in registrations)
        {
            registration.Dispose();
        }
    }

    private void End(PosixSignalContext signal)
    {
        signal.Cancel = true;
        told.Cancel();
    }
}
