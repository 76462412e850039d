using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Directories;
using StatusDaemon.Privileges;

namespace StatusDaemon.Sandbox;

/// <summary>Gives subscribers who are added to the directory while the sandbox runs a principal and a keytab.</summary>
internal sealed partial class SandboxFollower(SandboxRealm realm, ISubscriberDirectory directory, ILogger<SandboxFollower> log) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        DirectorySnapshot? last = null;
        await foreach (var snapshot in directory.FollowAsync(stop))
        {
            var bringsNames = last is null || DirectoryChange.Between(last, snapshot) is not { Added.Count: 0, AttributesChanged.Count: 0 };
            last = snapshot;
            if (!bringsNames)
            {
                continue; // else each rule would be a look at everybody's keytab
            }

            try
            {
                await realm.EnsureAsync(snapshot, stop);
            }
            catch (SandboxException e)
            {
                LogFailed(e.Message);
                last = null; // the next one may do
            }
        }
    }

    [LoggerMessage(1701, LogLevel.Error, "The sandbox realm could not take in the changed directory: {Reason}")]
    private partial void LogFailed(string reason);
}
