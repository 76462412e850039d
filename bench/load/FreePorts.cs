using System.Net;
using System.Net.Sockets;

namespace StatusDaemon.Load;

/// <summary>Ports of loopback for servers that are about to be started.</summary>
/// <remarks>They lie below those that the kernel gives to clients, and to servers that ask for any, so that nobody gets one by chance before its server does.</remarks>
internal static class FreePorts
{
    private const int First = 20_000;
    private const int Count = 10_000;

    private static int last = Random.Shared.Next(Count); // other processes do the same

    /// <summary>One that nobody listens at.</summary>
    /// <exception cref="SocketException">Nobody may listen anywhere.</exception>
    public static int Next()
    {
        for (var tries = 1; ; tries++)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref last) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException) when (tries < Count)
            {
                // The next.
            }
        }
    }
}
