using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace StatusDaemon.Cluster;

/// <summary>What this process shows to other members, and by what it knows them.</summary>
/// <remarks>
/// Who holds a certificate of the cluster's authority is a member; nothing else is asked of it, so names do not matter.
/// Own certificates come from the settings. Without them the first process makes an authority under <c>STATE.path</c>,
/// and every process signs itself a certificate at start, whose key never leaves its memory: there is nothing to renew.
/// Why: docs/decisions/0005-member-tls.md.
/// </remarks>
internal sealed class MemberCertificates
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly X509Certificate2Collection roots;

    private MemberCertificates(X509Certificate2 member, X509Certificate2Collection intermediates, X509Certificate2Collection roots)
    {
        this.roots = roots;
        foreach (var purpose in (ReadOnlySpan<string>)[ClientAuthentication, ServerAuthentication])
        {
            using var chain = new X509Chain { ChainPolicy = Policy(purpose) };
            chain.ChainPolicy.ExtraStore.AddRange(intermediates);
            if (!chain.Build(member))
            {
                throw new InvalidDataException($"no member would accept this certificate: {Describe(chain)}");
            }
        }

        Own = SslStreamCertificateContext.Create(member, intermediates, offline: true);
    }

    /// <summary>The certificate that this process shows, as client and as server.</summary>
    public SslStreamCertificateContext Own { get; }

    /// <summary>How a member that dials us is judged; a fresh copy for each handshake.</summary>
    public X509ChainPolicy DialingMember => Policy(ClientAuthentication);

    /// <summary>How a member that we dial is judged; a fresh copy for each handshake.</summary>
    public X509ChainPolicy DialedMember => Policy(ServerAuthentication);

    /// <summary>Those that the settings name, else our own.</summary>
    /// <param name="folder">See <see cref="Open"/>.</param>
    /// <exception cref="InvalidDataException">They cannot be used; names the file and the reason.</exception>
    public static MemberCertificates For(ClusterOptions options, string folder, DateTimeOffset now) =>
        options is { Certificate: { } certificate, Authority: { } authority }
            ? Load(new MemberCertificateFiles(certificate, options.CertificateKey ?? certificate, authority))
            : Open(folder, now);

    /// <summary>Certificates that somebody else made.</summary>
    /// <exception cref="InvalidDataException">A file is missing, is not PEM, or other members would refuse the certificate; says which.</exception>
    public static MemberCertificates Load(MemberCertificateFiles files)
    {
        var roots = Read(files.Authority, path => ImportAll(path));
        var shown = Read(files.Certificate, path => ImportAll(path));
        var member = Read(files.Key, path => X509Certificate2.CreateFromPemFile(files.Certificate, path));
        return Read(files.Certificate, _ => new MemberCertificates(member, [.. shown.Skip(1)], roots));
    }

    /// <summary>A new certificate of the authority kept in a folder, which is made when it is not there.</summary>
    /// <param name="folder">One folder a cluster, such as <c>STATE.path/cluster</c>; processes that share it trust each other.</param>
    /// <exception cref="InvalidDataException">The authority cannot be read, has expired, or others may read its key.</exception>
    public static MemberCertificates Open(string folder, DateTimeOffset now)
    {
        Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        var path = Path.Combine(folder, "authority.pem");
        if (!File.Exists(path))
        {
            Keep(CreateAuthority(now), path);
        }

        return Read(path, OpenAuthority);

        MemberCertificates OpenAuthority(string path)
        {
            if ((File.GetUnixFileMode(path) & ~OwnerOnly) != 0)
            {
                throw new InvalidDataException("holds the cluster's private key and must have mode 0600");
            }

            using var authority = X509Certificate2.CreateFromPemFile(path);
            return new MemberCertificates(CreateMember(authority), [], [X509CertificateLoader.LoadCertificate(authority.RawData)]);
        }
    }

    /// <summary>Why a chain is not accepted, in the words of <see cref="X509ChainStatusFlags"/>.</summary>
    public static string Describe(X509Chain chain) => string.Join(", ", chain.ChainStatus.Select(status => status.Status).Distinct());

    /// <summary>Writes the authority unless another process was faster; whoever came first is right.</summary>
    private static void Keep(string pem, string path)
    {
        var written = $"{path}.{Path.GetRandomFileName()}";
        try
        {
            using (var file = new FileStream(written, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = OwnerOnly,
            }))
            {
                file.Write(Encoding.ASCII.GetBytes(pem));
                file.Flush(flushToDisk: true);
            }

            HardLink.TryCreate(written, path);
        }
        finally
        {
            File.Delete(written);
        }
    }

    private static string CreateAuthority(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=status-daemon cluster {RandomNumberGenerator.GetHexString(8)}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(30)); // a day back: clocks of members differ
        return $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n";
    }

    private static X509Certificate2 CreateMember(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=status-daemon member {Environment.ProcessId}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ClientAuthentication), new Oid(ServerAuthentication)], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using var certificate = request.Create(authority, authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(16));
        return certificate.CopyWithPrivateKey(key);
    }

    private static X509Certificate2Collection ImportAll(string path)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(path);
        return all.Count > 0 ? all : throw new InvalidDataException("holds no certificate");
    }

    private static T Read<T>(string path, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException or InvalidDataException)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    private X509ChainPolicy Policy(string purpose)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(roots);
        policy.ApplicationPolicy.Add(new Oid(purpose));
        return policy;
    }
}
