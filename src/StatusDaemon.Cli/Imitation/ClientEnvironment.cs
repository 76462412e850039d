namespace StatusDaemon.Imitation;

/// <summary>What the environment must not say to the Kerberos library.</summary>
internal static class ClientEnvironment
{
    /// <summary>Takes a ticket cache in memory where <c>KRB5CCNAME</c> names a file that is not there.</summary>
    /// <remarks>libkrb5 1.20, looking there for a ticket, frees a pointer that it never set: some runs end with a segmentation fault instead of "no ticket".</remarks>
    public static void AvoidMissingCache()
    {
        const string File = "FILE:";
        const string Cache = "KRB5CCNAME";
        var name = Environment.GetEnvironmentVariable(Cache) ?? "";
        var path = name.StartsWith(File, StringComparison.Ordinal) ? name[File.Length..] : name;
        if (path.StartsWith('/') && !System.IO.File.Exists(path))
        {
            ClientKerberos.SetEnvironment(Cache, "MEMORY:");
        }
    }
}
