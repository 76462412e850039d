namespace StatusDaemon.Imitation;

/// <summary>What a test client is asked to do.</summary>
internal sealed record TestClientRequest
{
    /// <summary>Host name or address of the status server.</summary>
    public required string Host { get; init; }

    /// <summary>Port of the status server.</summary>
    public required int Port { get; init; }

    /// <summary>Whether it is <c>wss://</c>.</summary>
    public required bool Tls { get; init; }

    /// <summary>The service to get a ticket for, as <c>HTTP@host</c>.</summary>
    public required string ServiceName { get; init; }

    /// <summary>Absolute path below which a sandbox realm describes itself.</summary>
    public required string StatePath { get; init; }

    /// <summary>The sandbox subscriber to log in as; null to use the ticket that the user has.</summary>
    public string? As { get; init; }

    /// <summary>Domain names to watch, as the user wrote them.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Statuses to publish in turn, as the user wrote them.</summary>
    public IReadOnlyList<string> Statuses { get; init; } = [];

    /// <summary>The wait before each publication; zero publishes as fast as the connection takes it.</summary>
    public TimeSpan Sleep { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Notifications after which it is done; null goes on until it is stopped.</summary>
    public long? Count { get; init; }

    /// <summary>Whether each notification is one JSON object a line.</summary>
    public bool Json { get; init; }

    /// <summary>An address of the server.</summary>
    public Uri Address(string scheme, string path, string query = "") =>
        new UriBuilder(Tls ? scheme + "s" : scheme, Host, Port, path) { Query = query }.Uri;
}
