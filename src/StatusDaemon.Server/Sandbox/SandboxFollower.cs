using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Directories;

namespace StatusDaemon.Sandbox;

/// <summary>Gives subscribers who are added to the directory while the sandbox runs a principal and a keytab.</summary>
internal sealed partial class SandboxFollower(SandboxRealm realm, ISubscriberDirectory directory, ILogger<SandboxFollower> log) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await foreach (var snapshot in directory.FollowAsync(stop))
        {
            try
            {
                await realm.EnsureAsync(snapshot, stop);
            }
            catch (SandboxException e)
            {
                LogFailed(e.Message);
            }
        }
    }

    [LoggerMessage(1701, LogLevel.Error, "The sandbox realm could not take in the changed directory: {Reason}")]
    private partial void LogFailed(string reason);
}
