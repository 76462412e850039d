using StatusDaemon.Settings;

namespace StatusDaemon.Gateway;

/// <summary>The certificate of <c>wss://</c>: keys <c>SERVICE.tls.*</c>.</summary>
internal sealed class TlsOptions
{
    /// <summary>Absolute path of the certificate: PEM, with those between it and its authority; or PKCS #12 if it ends in <c>.pfx</c> or <c>.p12</c>.</summary>
    public required string Certificate { get; init; }

    /// <summary>Absolute path of the key (PEM); null means that it is in the certificate's file.</summary>
    public string? Key { get; init; }

    /// <summary>Password of the key or of the PKCS #12 file; null if it has none.</summary>
    public Secret? Password { get; init; }

    /// <summary>Whether the certificate is a PKCS #12 file.</summary>
    public bool IsPkcs12 => HasPkcs12Name(Certificate);

    /// <summary>Reads the keys; null if no certificate is named.</summary>
    public static TlsOptions? Read(SettingsSection section)
    {
        var certificate = section.ExistingFile("tls.certificate", "the path of a PEM or PKCS #12 file");
        var key = section.ExistingFile("tls.key", "the path of a PEM file");
        var password = section.Secret("tls.password");
        if (certificate is null)
        {
            if (key is not null || password is not null)
            {
                section.Refuse(key is null ? "tls.password" : "tls.key", "needs tls.certificate");
            }

            return null;
        }

        if (key is not null && HasPkcs12Name(certificate))
        {
            section.Refuse("tls.key", "a PKCS #12 file holds its key");
        }

        return new TlsOptions { Certificate = certificate, Key = key, Password = password };
    }

    private static bool HasPkcs12Name(string path) =>
        path.EndsWith(".pfx", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".p12", StringComparison.OrdinalIgnoreCase);
}
