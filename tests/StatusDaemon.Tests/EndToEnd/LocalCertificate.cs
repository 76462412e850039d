using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StatusDaemon.Settings;

namespace StatusDaemon.EndToEnd;

/// <summary>A certificate of this machine's loopback; nobody trusts it who is not told to.</summary>
/// <param name="Path">The certificate, in PEM.</param>
/// <param name="KeyPath">Its key, in PEM.</param>
internal sealed record LocalCertificate(string Path, string KeyPath)
{
    /// <summary>Makes one in a folder.</summary>
    public static LocalCertificate MakeIn(TempFolder folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return new LocalCertificate(
            folder.Write("localhost.pem", certificate.ExportCertificatePem()), folder.Write("localhost.key", key.ExportPkcs8PrivateKeyPem()));
    }
}
