using System.ComponentModel;
using System.Runtime.InteropServices;

namespace StatusDaemon.Transport;

/// <summary>eventfd(2): wakes a loop that waits for its sockets. Watched for changes, it need not be read.</summary>
internal sealed partial class WakeUp : IDisposable
{
    private const int NonBlocking = 0x800; // EFD_NONBLOCK
    private const int CloseOnExec = 0x80000; // EFD_CLOEXEC

    /// <summary>The number to watch.</summary>
    public int File { get; } = Create(0, NonBlocking | CloseOnExec) is var file and >= 0
        ? file
        : throw new Win32Exception(Marshal.GetLastPInvokeError());

    /// <summary>Wakes the loop, from any thread.</summary>
    public unsafe void Ring()
    {
        var one = 1UL;
        _ = Write(File, &one, sizeof(ulong));
    }

    /// <inheritdoc/>
    public void Dispose() => NativeSocket.Close(File);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Create(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "write")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial nint Write(int file, ulong* value, nuint length);
}
