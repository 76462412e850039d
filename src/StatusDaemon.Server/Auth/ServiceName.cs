using StatusDaemon.Names;

namespace StatusDaemon.Auth;

/// <summary>A service at a host as GSS-API writes it, <c>HTTP@host</c>; Kerberos calls it <c>HTTP/host@REALM</c>, in any realm.</summary>
/// <param name="Service">With case, as in Kerberos.</param>
/// <param name="Host">In lower case: hosts are compared without it.</param>
internal readonly record struct ServiceName(string Service, string Host)
{
    /// <summary>Reads a name from the settings.</summary>
    /// <returns>False if it is not of the form <c>HTTP@host</c>.</returns>
    public static bool TryParse(string text, out ServiceName name)
    {
        name = default;
        var parts = text.Split('@');
        if (parts is not [{ Length: > 0 } service, { Length: > 0 } host] || text.AsSpan().ContainsAny('/', '\\', ' '))
        {
            return false;
        }

        name = new ServiceName(service, host.ToLowerInvariant());
        return true;
    }

    /// <summary>Reads a service principal, <c>HTTP/host@REALM</c>.</summary>
    /// <returns>False if the principal is not of two parts.</returns>
    public static bool TryParsePrincipal(string principal, out ServiceName name, out string realm)
    {
        name = default;
        realm = "";
        if (!DName.TryParse(principal, out var whole) || whole.User.ToString().Split('/') is not [{ Length: > 0 } service, { Length: > 0 } host])
        {
            return false;
        }

        name = new ServiceName(service, host.ToLowerInvariant());
        realm = whole.Realm.ToString();
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Service}@{Host}";
}
