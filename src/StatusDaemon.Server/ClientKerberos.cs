using StatusDaemon.Auth;

namespace StatusDaemon;

/// <summary>What a client on this machine needs of Kerberos and .NET does not give.</summary>
public static class ClientKerberos
{
    /// <summary>Sets a variable for the Kerberos library, which reads them at its first use. Call it before that, from one thread.</summary>
    public static void SetEnvironment(string name, string value) => NativeEnvironment.Set(name, value);

    /// <summary>Whether the user has a ticket that has ended; where .NET sees only that something failed.</summary>
    public static bool HasExpiredTicket() => NativeCredential.IsExpired();
}
