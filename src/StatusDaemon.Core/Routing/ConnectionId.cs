namespace StatusDaemon.Routing;

/// <summary>One run of one gateway loop; random, so that a restarted gateway is another one.</summary>
public readonly record struct GatewayId(ulong Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>One WebSocket of one gateway.</summary>
/// <param name="Number">Never used twice by a gateway.</param>
public readonly record struct ConnectionId(GatewayId Gateway, long Number);
