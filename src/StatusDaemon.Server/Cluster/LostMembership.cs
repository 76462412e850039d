using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Cluster;

/// <summary>Ends this process at once when the others have given it up, or Orleans cannot go on: nothing that it does from then on may reach anybody.</summary>
/// <remarks>It has lost nothing that it may still save: who has its shards now was told by the gateways what the store missed. Orleans itself would end with a core dump.</remarks>
internal sealed partial class LostMembership(IEnumerable<ILoggerProvider> logs, ILogger<LostMembership> log) : IFatalErrorHandler
{
    private const int Failed = 1;

    /// <inheritdoc/>
    public bool IsUnexpected(Exception exception) => true;

    /// <inheritdoc/>
    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        LogEnd(exception, context);
        foreach (var provider in logs)
        {
            provider.Dispose(); // what is in its queue is written first; disposing the factory would not reach it
        }

        Exit(Failed);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);

    [LoggerMessage(3502, LogLevel.Critical, "This daemon is no member any more, since it did not answer the others for some seconds, or can't go on: it ends at once, to be started again. {Context}")]
    private partial void LogEnd(Exception? failure, string? context);
}
