using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Transport;

/// <summary>Lets Kestrel listen with our loops instead of its own sockets.</summary>
internal sealed partial class LoopListenerFactory(
    IReadOnlyList<SocketLoop> loops, TransportLimits limits, IMemoryPoolFactory<byte> pools, ILogger<LoopListenerFactory> log) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint;

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IConnectionListener>(LoopListener.Listen((IPEndPoint)endpoint, loops, pools.Create(), limits, error => LogNotTaken(Marshal.GetPInvokeErrorMessage(error))));

    [LoggerMessage(2201, LogLevel.Warning, "A connection could not be taken and waits: {Reason}")]
    private partial void LogNotTaken(string reason);
}
