namespace StatusDaemon.Imitation;

/// <summary>What the settings say of the server that a test client talks to when it is told nothing else.</summary>
/// <param name="Host">Where the server listens, as <c>SERVICE.host</c> has it; may be an address that means every interface.</param>
/// <param name="StatePath">Absolute <c>STATE.path</c>; the sandbox realm of a first run is described below it.</param>
/// <param name="ServiceNames">Names that the server takes tickets for, as <c>HTTP@host</c>; empty where the settings name none.</param>
internal sealed record ClientDefaults(string Host, int Port, bool Tls, string StatePath, IReadOnlyList<string> ServiceNames)
{
    /// <summary>The host to connect to: loopback where the server listens on every interface.</summary>
    public string ReachableHost => Host switch
    {
        "0.0.0.0" or "*" or "+" => "127.0.0.1",
        "::" or "[::]" => "::1",
        _ => Host,
    };

    /// <summary>The service to get a ticket for when the user names none.</summary>
    /// <remarks>The settings speak for their own server only: for another host the ticket is for that host, as browsers have it.</remarks>
    public string ServiceNameFor(string host) =>
        ServiceNames.FirstOrDefault(name => name.EndsWith("@" + host, StringComparison.OrdinalIgnoreCase))
        ?? (host == ReachableHost && ServiceNames is [var first, ..] ? first : null)
        ?? "HTTP@" + host;
}
