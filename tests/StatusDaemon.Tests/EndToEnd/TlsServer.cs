using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StatusDaemon.Settings;

namespace StatusDaemon.EndToEnd;

/// <summary>The real program with a keytab of the tests' realm and a certificate that was made for it; nobody trusts that who is not told to.</summary>
public sealed class TlsServer(KerberosRealm realm) : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private StatusdProcess? server;

    /// <summary>The KDC.</summary>
    public KerberosRealm Realm { get; } = realm;

    /// <summary>Path of the certificate, for those who are to trust it.</summary>
    public string Certificate => folder["localhost.pem"];

    /// <summary>The program.</summary>
    internal StatusdProcess Server => server ?? throw new InvalidOperationException("It does not run.");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        folder.Write("localhost.pem", certificate.ExportCertificatePem());
        var keyPath = folder.Write("localhost.key", key.ExportPkcs8PrivateKeyPem());
        var keytab = KerberosServer.MakeKeytab(Realm, RandomNumberGenerator.GetBytes(32));
        server = await StatusdProcess.StartAsync(
            $"SERVICE: {{ tls: {{ certificate: {Certificate}, key: {keyPath} }} }}\nAUTH: {{ keytab: {keytab}, servicename: HTTP@localhost }}", KerberosServer.Directory, tls: true);
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
