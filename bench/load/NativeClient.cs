using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace StatusDaemon.Load;

/// <summary>What a client asks of the kernel beyond what a server does: to connect, to be woken at a time, and the processor time of another process.</summary>
internal static partial class NativeClient
{
    private const int Internet = 2; // AF_INET
    private const int Stream = 1 | 0x800 | 0x80000; // SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC
    private const int AddressBytes = 16; // struct sockaddr_in
    private const int InProgress = 115; // EINPROGRESS
    private const int LevelSocket = 1; // SOL_SOCKET
    private const int Linger = 13; // SO_LINGER
    private const int LevelIp = 0; // IPPROTO_IP
    private const int BindWithoutPort = 24; // IP_BIND_ADDRESS_NO_PORT
    private const int LevelTcp = 6; // IPPROTO_TCP
    private const int NoDelay = 1; // TCP_NODELAY
    private const int Monotonic = 1; // CLOCK_MONOTONIC
    private const int TimerFlags = 0x800 | 0x80000; // TFD_NONBLOCK | TFD_CLOEXEC

    /// <summary>Begins to connect, from an address of loopback of the caller's choice, so that more connections than ports fit.</summary>
    /// <param name="from">Null leaves it to the kernel.</param>
    /// <returns>A socket that becomes writable when it is connected; else -1, and <see cref="Marshal.GetLastPInvokeError"/>.</returns>
    public static unsafe int Connect(IPEndPoint to, IPAddress? from)
    {
        var socket = Socket(Internet, Stream, 0);
        if (socket < 0)
        {
            return -1;
        }

        var on = 1;
        _ = SetSocketOption(socket, LevelTcp, NoDelay, &on, sizeof(int));
        var address = stackalloc byte[AddressBytes];
        if (from is not null)
        {
            _ = SetSocketOption(socket, LevelIp, BindWithoutPort, &on, sizeof(int));
            Write(new IPEndPoint(from, 0), new Span<byte>(address, AddressBytes));
            _ = Bind(socket, address, AddressBytes);
        }

        Write(to, new Span<byte>(address, AddressBytes));
        if (Connect(socket, address, AddressBytes) == 0 || Marshal.GetLastPInvokeError() == InProgress)
        {
            return socket;
        }

        var error = Marshal.GetLastPInvokeError();
        _ = Close(socket);
        Marshal.SetLastPInvokeError(error);
        return -1;
    }

    /// <summary>Ends a connection at once, so that neither side remembers it and the next run finds its ports free.</summary>
    public static unsafe void Reset(int socket)
    {
        var atOnce = stackalloc int[2] { 1, 0 };
        _ = SetSocketOption(socket, LevelSocket, Linger, atOnce, 2 * sizeof(int));
        _ = Close(socket);
    }

    /// <summary>A file that becomes readable at a time: finer than the milliseconds of epoll_wait(2).</summary>
    public static int CreateTimer() => CreateTimer(Monotonic, TimerFlags);

    /// <summary>Sets a timer that is to ring once.</summary>
    /// <param name="microseconds">From now, more than 0.</param>
    public static unsafe void SetTimer(int timer, long microseconds)
    {
        var time = stackalloc long[4] { 0, 0, microseconds / 1_000_000, microseconds % 1_000_000 * 1000 };
        _ = SetTimer(timer, 0, time, null);
    }

    /// <summary>The processor time that all threads of a process have taken, also those that have ended; null if there is no such process.</summary>
    public static unsafe TimeSpan? ProcessorTimeOf(int process)
    {
        var time = stackalloc long[2];
        return GetClock((~process << 3) | 2, time) == 0 ? TimeSpan.FromSeconds(time[0]) + TimeSpan.FromMicroseconds(time[1] / 1000.0) : null;
    }

    private static void Write(IPEndPoint endpoint, Span<byte> address)
    {
        address.Clear();
        MemoryMarshal.Write(address, (ushort)Internet);
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], (ushort)endpoint.Port);
        endpoint.Address.TryWriteBytes(address[4..], out _);
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int Bind(int socket, byte* address, int length);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int Connect(int socket, byte* address, int length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int SetSocketOption(int socket, int level, int option, int* value, int length);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "timerfd_create", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CreateTimer(int clock, int flags);

    [LibraryImport("libc", EntryPoint = "timerfd_settime", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int SetTimer(int timer, int flags, long* time, long* before);

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int GetClock(int clock, long* time);
}
