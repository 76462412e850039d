using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace StatusDaemon.Transport;

/// <summary>Sockets as the kernel has them: non-blocking, by number, without an object each.</summary>
/// <remarks>No call of these blocks. Errors come as results: on this level a peer that is gone is nothing exceptional.</remarks>
internal static partial class NativeSocket
{
    private const int NonBlocking = 0x800; // SOCK_NONBLOCK
    private const int CloseOnExec = 0x80000; // SOCK_CLOEXEC
    private const int NoSignal = 0x4000; // MSG_NOSIGNAL
    private const int ShutdownBoth = 2; // SHUT_RDWR
    private const int Interrupted = 4; // EINTR
    private const int TryAgain = 11; // EAGAIN
    private const int LevelSocket = 1; // SOL_SOCKET
    private const int SendBuffer = 7; // SO_SNDBUF
    private const int ReceiveBuffer = 8; // SO_RCVBUF
    private const int LevelTcp = 6; // IPPROTO_TCP
    private const int NoDelay = 1; // TCP_NODELAY
    private const int UnsentLow = 25; // TCP_NOTSENT_LOWAT
    private const int AddressBytes = 28; // struct sockaddr_in6

    /// <summary>What a call came to that took nothing or gave nothing.</summary>
    public enum Failure
    {
        /// <summary>It would have to wait.</summary>
        Later = -1,

        /// <summary>The peer, or the connection, is gone.</summary>
        Gone = -2,
    }

    /// <summary>Takes the next connection that waits at a listening socket.</summary>
    /// <param name="error">Error number of the system if none was taken: see <see cref="IsLater"/>.</param>
    /// <returns>Its number, or -1.</returns>
    public static unsafe int Accept(int listener, out IPEndPoint? peer, out int error)
    {
        Span<byte> address = stackalloc byte[AddressBytes];
        int accepted;
        fixed (byte* bytes = address)
        {
            do
            {
                var length = AddressBytes;
                accepted = Accept4(listener, bytes, ref length, NonBlocking | CloseOnExec);
                error = accepted < 0 ? Marshal.GetLastPInvokeError() : 0;
            }
            while (error == Interrupted);
        }

        peer = accepted < 0 ? null : PeerOf(address);
        return accepted;
    }

    /// <summary>Whether an error of <see cref="Accept"/> says that nobody waits.</summary>
    public static bool IsLater(int error) => error == TryAgain;

    /// <summary>Sends small frames at once, and bounds what the kernel buffers in each direction.</summary>
    /// <param name="unsentBytes">What may wait unsent: with more the socket takes nothing, however large the buffer is. What is under way to the peer does not count.</param>
    public static void Prepare(int socket, int bufferBytes, int unsentBytes)
    {
        var on = 1;
        SetOption(socket, LevelTcp, NoDelay, on, sizeof(int));
        SetOption(socket, LevelTcp, UnsentLow, unsentBytes, sizeof(int));
        SetOption(socket, LevelSocket, SendBuffer, bufferBytes, sizeof(int));
        SetOption(socket, LevelSocket, ReceiveBuffer, bufferBytes, sizeof(int));
    }

    /// <summary>Receives what is there.</summary>
    /// <returns>Bytes; 0 when the peer sends no more; else a <see cref="Failure"/>.</returns>
    public static unsafe int Receive(int socket, Span<byte> room)
    {
        fixed (byte* bytes = room)
        {
            while (true)
            {
                var received = Recv(socket, bytes, (nuint)room.Length, 0);
                if (received >= 0)
                {
                    return (int)received;
                }

                if (Marshal.GetLastPInvokeError() is var error && error != Interrupted)
                {
                    return (int)(error == TryAgain ? Failure.Later : Failure.Gone);
                }
            }
        }
    }

    /// <summary>Sends as much as the kernel takes.</summary>
    /// <returns>Bytes; else a <see cref="Failure"/>.</returns>
    public static unsafe int Send(int socket, ReadOnlySpan<byte> what)
    {
        fixed (byte* bytes = what)
        {
            while (true)
            {
                var sent = Send(socket, bytes, (nuint)what.Length, NoSignal);
                if (sent >= 0)
                {
                    return (int)sent;
                }

                if (Marshal.GetLastPInvokeError() is var error && error != Interrupted)
                {
                    return (int)(error == TryAgain ? Failure.Later : Failure.Gone);
                }
            }
        }
    }

    /// <summary>The number that the next file to be opened will have.</summary>
    /// <returns>-1 if none can be opened.</returns>
    public static int NextNumber(int socket)
    {
        var next = Duplicate(socket);
        if (next >= 0)
        {
            Close(next);
        }

        return next;
    }

    /// <summary>Ends both directions; what the kernel holds is still sent.</summary>
    public static void Shutdown(int socket) => _ = Shutdown(socket, ShutdownBoth);

    /// <summary>Gives the number back; it may be another socket's at once.</summary>
    public static void Close(int socket) => _ = CloseFile(socket);

    private static IPEndPoint? PeerOf(ReadOnlySpan<byte> address)
    {
        var port = BinaryPrimitives.ReadUInt16BigEndian(address[2..]);
        return MemoryMarshal.Read<ushort>(address) switch
        {
            2 => new IPEndPoint(new IPAddress(address[4..8]), port), // AF_INET
            10 => new IPEndPoint(new IPAddress(address[8..24], MemoryMarshal.Read<uint>(address[24..])), port), // AF_INET6
            _ => null,
        };
    }

    private static unsafe void SetOption(int socket, int level, int option, int value, int length) => _ = SetSocketOption(socket, level, option, &value, length);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int Accept4(int socket, byte* address, ref int length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial nint Recv(int socket, byte* room, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial nint Send(int socket, byte* what, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int SetSocketOption(int socket, int level, int option, int* value, int length);

    [LibraryImport("libc", EntryPoint = "dup")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Duplicate(int file);

    [LibraryImport("libc", EntryPoint = "shutdown")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Shutdown(int socket, int how);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CloseFile(int file);
}
