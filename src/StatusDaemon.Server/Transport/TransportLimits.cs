namespace StatusDaemon.Transport;

/// <summary>What connections may cost before anything is known of them.</summary>
/// <param name="Backlog">Connections that the kernel keeps until they are taken.</param>
/// <param name="Arrivals">Connections whose first request is not answered yet.</param>
/// <param name="SocketBufferBytes">The kernel's buffer in each direction.</param>
/// <param name="UnsentBytes">What the kernel takes ahead of what the peer has room for: less than its buffer, so that a slow peer is noticed early.</param>
/// <param name="PipeBytes">What waits between a socket and Kestrel, in each direction.</param>
internal sealed record TransportLimits(int Backlog, int Arrivals, int SocketBufferBytes, int UnsentBytes, int PipeBytes);
