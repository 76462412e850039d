using System.Security.Cryptography;
using StatusDaemon.Settings;

namespace StatusDaemon.EndToEnd;

/// <summary>The real program with a keytab of the tests' realm and a certificate that was made for it; nobody trusts that who is not told to.</summary>
public sealed class TlsServer(KerberosRealm realm) : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private LocalCertificate? certificate;
    private StatusdProcess? server;

    /// <summary>The KDC.</summary>
    public KerberosRealm Realm { get; } = realm;

    /// <summary>Path of the certificate, for those who are to trust it.</summary>
    public string Certificate => (certificate ?? throw new InvalidOperationException("It does not run.")).Path;

    /// <summary>The program.</summary>
    internal StatusdProcess Server => server ?? throw new InvalidOperationException("It does not run.");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        certificate = LocalCertificate.MakeIn(folder);
        var keytab = KerberosServer.MakeKeytab(Realm, RandomNumberGenerator.GetBytes(32));

        // Named in the settings, since test clients read them.
        server = await StatusdProcess.StartAsync(
            $"SERVICE: {{ tls: {{ certificate: {certificate.Path}, key: {certificate.KeyPath} }} }}\nAUTH: {{ keytab: {keytab}, servicename: HTTP@localhost }}",
            KerberosServer.Directory, certificate: certificate);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            await server.DisposeAsync();
        }

        folder.Dispose();
    }
}
