using System.Text.Json;
using StatusDaemon.Language;

namespace StatusDaemon.Imitation;

/// <summary>The throwaway Kerberos realm of a first run, as the server describes it in <c>sandbox/sandbox.json</c> below <c>STATE.path</c>.</summary>
internal sealed record SandboxRealm
{
    private const string KeytabSuffix = ".keytab";

    /// <summary>The krb5.conf that leads to its KDC.</summary>
    public required string Krb5Config { get; init; }

    /// <summary>Folder with a keytab for each subscriber, named <c>alice@REALM.keytab</c>.</summary>
    public required string Keytabs { get; init; }

    /// <summary>The subscribers that one can log in as, in order.</summary>
    public IReadOnlyList<string> Names =>
        [.. Directory.EnumerateFiles(Keytabs, "*" + KeytabSuffix).Select(file => Path.GetFileName(file)[..^KeytabSuffix.Length]).Order(StringComparer.Ordinal)];

    /// <summary>Finds the realm.</summary>
    /// <returns>Null where no sandbox was started, or it is half written.</returns>
    public static SandboxRealm? Find(string statePath)
    {
        try
        {
            var realm = JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(statePath, "sandbox", "sandbox.json")), WireJson.Default.SandboxRealm);
            return Directory.Exists(realm?.Keytabs) ? realm : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Makes this process that subscriber, for every ticket it will ask for.</summary>
    /// <exception cref="CommandFailedException">The sandbox has no such subscriber.</exception>
    public void LogInAs(string name)
    {
        // Compared with what the folder holds, so that a name is never a path.
        var names = Names;
        if (!names.Contains(name, StringComparer.Ordinal))
        {
            throw new CommandFailedException(Text.SandboxNoSuchName.With(name, string.Join(", ", names)));
        }

        NativeEnvironment.Set("KRB5_CONFIG", Krb5Config);
        NativeEnvironment.Set("KRB5_CLIENT_KTNAME", "FILE:" + Path.Combine(Keytabs, name + KeytabSuffix));
        NativeEnvironment.Set("KRB5CCNAME", "MEMORY:");
    }
}
