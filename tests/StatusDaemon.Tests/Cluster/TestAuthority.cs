using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StatusDaemon.Cluster;

/// <summary>An authority outside of the program's own, such as an administrator's, which also signs what it should not.</summary>
internal sealed class TestAuthority : IDisposable
{
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly X509Certificate2 authority;

    public TestAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=test authority {RandomNumberGenerator.GetHexString(8)}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-2), DateTimeOffset.UtcNow.AddYears(2));
    }

    public string Pem => authority.ExportCertificatePem();

    /// <summary>A certificate that ends so many days from now, for the purposes named.</summary>
    public X509Certificate2 Sign(int days, params string[] purposes)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test member", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. purposes.Select(purpose => new Oid(purpose))], false));
        using var certificate = request.Create(authority, DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddDays(days), RandomNumberGenerator.GetBytes(16));
        return certificate.CopyWithPrivateKey(key);
    }

    public X509Certificate2 SignMember() => Sign(100, ClientAuthentication, ServerAuthentication);

    /// <summary>Writes a certificate, its key and this authority as an administrator would.</summary>
    public MemberCertificateFiles Write(string folder, X509Certificate2 certificate)
    {
        var files = new MemberCertificateFiles(Path.Combine(folder, "member.pem"), Path.Combine(folder, "member.key"), Path.Combine(folder, "ca.pem"));
        File.WriteAllText(files.Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(files.Key, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(files.Authority, Pem);
        return files;
    }

    public void Dispose() => authority.Dispose();
}
