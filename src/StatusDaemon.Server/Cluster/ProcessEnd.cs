using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Cluster;

/// <summary>Ends this process at once, without asking those who still do something in it.</summary>
/// <param name="logs">Write what is in their queues first: disposing their factory would not reach them.</param>
internal sealed partial class ProcessEnd(IEnumerable<ILoggerProvider> logs)
{
    private int isEnding;

    /// <summary>Returns only where another thread has begun it.</summary>
    public void Now(int exitCode)
    {
        if (Interlocked.Exchange(ref isEnding, 1) == 1)
        {
            return;
        }

        try
        {
            foreach (var provider in logs)
            {
                provider.Dispose();
            }
        }
        finally
        {
            Exit(exitCode);
        }
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);
}
