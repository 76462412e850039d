namespace StatusDaemon.EndToEnd;

/// <summary>A server in trusted-header mode that listens on loopback.</summary>
internal interface IListening
{
    /// <summary>Its TCP port.</summary>
    int Port { get; }

    /// <summary>Whether it speaks TLS, and so writes to its clients through Kestrel; else their sockets have left Kestrel.</summary>
    bool IsTls { get; }
}
