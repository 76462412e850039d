using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Cluster;

/// <summary>Ends this process at once, without asking those who still do something in it.</summary>
/// <param name="logs">Write what is in their queues first: disposing their factory would not reach them.</param>
internal sealed partial class ProcessEnd(IEnumerable<ILoggerProvider> logs)
{
    /// <summary>Does not return.</summary>
    public void Now(int exitCode)
    {
        foreach (var provider in logs)
        {
            provider.Dispose();
        }

        Exit(exitCode);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);
}
