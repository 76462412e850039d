namespace StatusDaemon.Transport;

/// <summary>What connections may cost before anything is known of them.</summary>
/// <param name="Backlog">Connections that the kernel keeps until they are taken.</param>
/// <param name="SocketBufferBytes">The kernel's buffer in each direction.</param>
/// <param name="PipeBytes">What waits between a socket and Kestrel, in each direction.</param>
internal sealed record TransportLimits(int Backlog, int SocketBufferBytes, int PipeBytes);
