using System.ComponentModel;
using System.Runtime.InteropServices;

namespace StatusDaemon.Transport;

/// <summary>What can be said of a socket that is watched.</summary>
[Flags]
internal enum Readiness : uint
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It has bytes, or the peer sends no more.</summary>
    Readable = 0x1,

    /// <summary>It takes bytes again.</summary>
    Writable = 0x4,

    /// <summary>It is broken, or both directions have ended.</summary>
    Broken = 0x8 | 0x10,

    /// <summary>The peer sends no more.</summary>
    PeerEnded = 0x2000,

    /// <summary>Only changes are reported: who was told must go on until the socket has no more, or takes no more.</summary>
    OnChange = 1u << 31,
}

/// <summary>epoll(7): one set of watched files, and a wait for all of them.</summary>
internal sealed partial class Epoll : IDisposable
{
    private const int CloseOnExec = 0x80000; // EPOLL_CLOEXEC
    private const int Add = 1; // EPOLL_CTL_ADD
    private const int Interrupted = 4; // EINTR

    // struct epoll_event is packed on x86-64 and nowhere else.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventBytes = DataOffset + sizeof(ulong);

    private readonly int file = Checked(Create(CloseOnExec), "epoll_create1");
    private readonly byte[] events;

    /// <param name="most">Most events that one wait brings.</param>
    public Epoll(int most) => events = GC.AllocateUninitializedArray<byte>(most * EventBytes, pinned: true);

    /// <summary>Watches a file until it is closed.</summary>
    /// <param name="data">Comes back with each event.</param>
    public unsafe void Watch(int watched, Readiness what, ulong data)
    {
        var one = stackalloc byte[16];
        var bytes = new Span<byte>(one, EventBytes);
        MemoryMarshal.Write(bytes, (uint)what);
        MemoryMarshal.Write(bytes[DataOffset..], data);
        Checked(Control(file, Add, watched, one), "epoll_ctl");
    }

    /// <summary>Waits until something is ready.</summary>
    /// <param name="milliseconds">At most so long; 0 only looks, -1 waits for ever.</param>
    /// <returns>How many events there are; <see cref="At"/> gives them, until the next wait.</returns>
    public unsafe int Wait(int milliseconds)
    {
        fixed (byte* first = events)
        {
            var count = Wait(file, first, events.Length / EventBytes, milliseconds);
            if (count < 0 && Marshal.GetLastPInvokeError() == Interrupted)
            {
                return 0;
            }

            return Checked(count, "epoll_wait");
        }
    }

    /// <summary>An event of the last wait.</summary>
    public (Readiness What, ulong Data) At(int index)
    {
        var one = events.AsSpan(index * EventBytes, EventBytes);
        return ((Readiness)MemoryMarshal.Read<uint>(one), MemoryMarshal.Read<ulong>(one[DataOffset..]));
    }

    /// <inheritdoc/>
    public void Dispose() => NativeSocket.Close(file);

    /// <summary>The result of a system call that cannot fail unless something is very wrong.</summary>
    private static int Checked(int result, string call) =>
        result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{call}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int Control(int file, int operation, int watched, byte* one);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int Wait(int file, byte* first, int most, int milliseconds);
}
