namespace StatusDaemon.Transport;

/// <summary>The other end of a connection whose socket is on one of our loops.</summary>
internal interface IPeerFeature
{
    /// <summary>Whether it is known to send no more; there may be bytes from before that. Only on the loop.</summary>
    bool HasLeft { get; }
}
