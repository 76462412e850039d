using Microsoft.Extensions.Logging;

namespace StatusDaemon.Cluster;

/// <summary>Ends this process at once when the others have given it up, or Orleans cannot go on: nothing that it does from then on may reach anybody.</summary>
/// <remarks>It has lost nothing that it may still save: who has its shards now was told by the gateways what the store missed. Orleans itself would end with a core dump.</remarks>
internal sealed partial class LostMembership(ProcessEnd end, ILogger<LostMembership> log) : IFatalErrorHandler
{
    private const int Failed = 1;

    /// <inheritdoc/>
    public bool IsUnexpected(Exception exception) => true;

    /// <inheritdoc/>
    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        LogEnd(exception, context);
        end.Now(Failed);
    }

    [LoggerMessage(3502, LogLevel.Critical, "This daemon is no member any more, since it did not answer the others for some seconds, or can't go on: it ends at once, to be started again. {Context}")]
    private partial void LogEnd(Exception? failure, string? context);
}
