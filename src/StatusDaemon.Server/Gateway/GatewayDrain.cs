using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using StatusDaemon.Protocol;

namespace StatusDaemon.Gateway;

/// <summary>Lets clients go before anything else stops: 1012 when the process is asked to end, 1001 when somebody ends it at the terminal.</summary>
/// <remarks>A service manager that restarts and one that stops for good send the same SIGTERM, and a client that comes back in vain does no harm; so SIGTERM reads as a restart.</remarks>
internal sealed class GatewayDrain : IHostedLifecycleService, IDisposable
{
    /// <summary>What the clients that are closed last have, to take what is under way.</summary>
    private static readonly TimeSpan ForTheLast = TimeSpan.FromSeconds(0.5);

    /// <summary>What tens of thousands need who are closed at once.</summary>
    private static readonly TimeSpan ForAllAtOnce = TimeSpan.FromSeconds(3);

    private readonly GatewayLoops loops;
    private readonly ServiceOptions options;
    private readonly PosixSignalRegistration interrupt;
    private readonly CancellationTokenSource drained = new();
    private volatile bool isInterrupted;

    public GatewayDrain(GatewayLoops loops, ServiceOptions options)
    {
        this.loops = loops;
        this.options = options;
        interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => isInterrupted = true);
    }

    /// <summary>Cancelled when all clients are gone, or the time for it is over.</summary>
    public CancellationToken Drained => drained.Token;

    /// <summary>How long it may take.</summary>
    public static TimeSpan LongestOf(ServiceOptions options) => options.Drain + ForTheLast is var longest && longest > ForAllAtOnce ? longest : ForAllAtOnce;

    /// <inheritdoc/>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LongestOf(options));
        var draining = isInterrupted
            ? loops.DrainAsync(CloseCode.GoingAway, "the server stops", options.Drain, limit.Token)
            : loops.DrainAsync(CloseCode.ServiceRestart, "the server restarts", options.Drain, limit.Token);
        await draining.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await drained.CancelAsync();
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose()
    {
        interrupt.Dispose();
        drained.Dispose();
    }
}
