using System.Security.Cryptography;
using StatusDaemon.Auth;
using StatusDaemon.Names;

namespace StatusDaemon.EndToEnd;

/// <summary>The real program as an administrator with a KDC of his own sets it up: <c>AUTH.keytab</c> and <c>AUTH.servicename</c>, nothing else.</summary>
/// <remarks>
/// One for each class that asks for it. Beside the keys of the KDC the keytab has one that the tests know, of <see cref="ForgedService"/>: with it they make
/// tickets at once, also such as no KDC gives.
/// </remarks>
public sealed class KerberosServer(KerberosRealm realm) : IAsyncLifetime
{
    /// <summary>A service whose key is known.</summary>
    public const string ForgedService = "HTTP/forged.test";

    /// <summary>A service that has got a new key since the keytab was written.</summary>
    public const string StaleService = "HTTP/stale.test";

    /// <summary>A service of the keytab that is not for us.</summary>
    public const string OtherService = "cifs/localhost";

    /// <summary>A service of the realm that is not in the keytab.</summary>
    public const string ForeignService = "HTTP/elsewhere.test";

    /// <summary>Those whom it knows. Carol hides from Alice.</summary>
    internal const string Directory = """
        subscribers:
          - { uid: uid-alice, dname: alice@ALPHA.TEST, numbers: ["2001", "2901"], domain: alpha.test, name: Alice }
          - { uid: uid-bob, dname: bob@ALPHA.TEST, numbers: ["2002"] }
          - { uid: uid-carol, dname: carol@ALPHA.TEST, numbers: ["2003"], black: ["dname:alice@*"] }
          - { uid: uid-dave, dname: dave@ALPHA.TEST, numbers: ["2004"] }
          - { uid: uid-erin, dname: erin@ALPHA.TEST, numbers: ["2005"] }

        """;

    private static readonly string[] Users = ["alice", "bob", "carol", "dave", "erin", "stranger"];

    private StatusdProcess? server;

    /// <summary>The KDC.</summary>
    public KerberosRealm Realm { get; } = realm;

    /// <summary>The key of <see cref="ForgedService"/>.</summary>
    internal byte[] ForgedKey { get; } = RandomNumberGenerator.GetBytes(32);

    /// <summary>The program.</summary>
    internal StatusdProcess Server => server ?? throw new InvalidOperationException("It does not run.");

    /// <summary>A user of the realm.</summary>
    internal static DName NameOf(string user) =>
        DName.TryParse($"{user}@{KerberosRealm.Name}", out var dname) ? dname : throw new ArgumentException($"{user} is no user");

    /// <summary>A good ticket for <see cref="ForgedService"/>.</summary>
    internal ForgedTicket Ticket(string user) => ForgedTicket.Good(ForgedKey) with { Service = ForgedService, Client = user };

    /// <summary>Connects somebody without asking the KDC.</summary>
    internal Task<TestSocket> ConnectAsync(string user) => TestSocket.ConnectAsync(Server, Ticket(user));

    /// <summary>Makes the principals, and a keytab with all keys; a second time it only writes another keytab.</summary>
    internal static string MakeKeytab(KerberosRealm realm, byte[] forgedKey)
    {
        string[] services = ["HTTP/localhost", StaleService, OtherService];
        foreach (var name in services.Concat(Users).Append(ForeignService))
        {
            realm.AddPrincipal(name);
        }

        var keytab = realm.Keytab(services);
        File.AppendAllBytes(keytab, ForgedTicket.KeytabEntry(forgedKey, 1, ForgedService, DateTimeOffset.UtcNow));
        realm.ChangeKey(StaleService);
        return keytab;
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => server = await StatusdProcess.StartAsync(
        $"AUTH: {{ keytab: {MakeKeytab(Realm, ForgedKey)}, servicename: [HTTP@localhost, HTTP@forged.test, HTTP@stale.test] }}", Directory);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            await server.DisposeAsync();
        }
    }
}
