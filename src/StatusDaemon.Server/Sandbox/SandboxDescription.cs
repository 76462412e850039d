using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using StatusDaemon.Auth;
using StatusDaemon.Names;

namespace StatusDaemon.Sandbox;

/// <summary>Where a sandbox realm keeps its things: written by the server for the clients of the same machine.</summary>
/// <param name="Krb5Config">Path of the krb5.conf that names the realms and their KDC.</param>
/// <param name="Realms">The first is the default realm.</param>
/// <param name="ServiceKeytab">Path of the server's own keytab.</param>
/// <param name="Keytabs">Folder of the subscribers' keytabs.</param>
/// <param name="Port">Of the KDC, on 127.0.0.1; the next start takes it again if it is free.</param>
internal sealed partial record SandboxDescription(string Krb5Config, IReadOnlyList<string> Realms, string ServiceKeytab, string Keytabs, int Port)
{
    private const string FolderName = "sandbox";
    private const string FileName = "sandbox.json";
    private const int LongestFileName = 200;

    /// <summary>The sandbox's folder under <c>STATE.path</c>.</summary>
    public static string FolderUnder(string statePath) => Path.Combine(Path.GetFullPath(statePath), FolderName);

    /// <summary>Finds the sandbox realm of the server with this <c>STATE.path</c>.</summary>
    /// <returns>False if it never had one, or one whose making was broken off.</returns>
    public static bool TryFind(string statePath, [NotNullWhen(true)] out SandboxDescription? sandbox)
    {
        try
        {
            sandbox = JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(FolderUnder(statePath), FileName)), Json.Default.SandboxDescription);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            sandbox = null;
        }

        return sandbox is not null;
    }

    /// <summary>Path of a subscriber's keytab; the file is there if the subscriber is in the directory.</summary>
    public string KeytabOf(DName dname)
    {
        var name = Uri.EscapeDataString(dname.ToString()).Replace("%40", "@", StringComparison.Ordinal);
        if (name.Length > LongestFileName)
        {
            name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        }

        return Path.Combine(Keytabs, name + ".keytab");
    }

    /// <summary>What a client's environment needs to log in as this subscriber, without kinit and without touching anybody's ticket cache.</summary>
    public IReadOnlyDictionary<string, string> EnvironmentOf(DName dname) => new Dictionary<string, string>
    {
        ["KRB5_CONFIG"] = Krb5Config,
        ["KRB5_CLIENT_KTNAME"] = KeytabOf(dname),
        ["KRB5CCNAME"] = "MEMORY:",
    };

    /// <summary>Makes Kerberos in this process follow the sandbox's krb5.conf instead of the machine's, which may not fit. Call it before anything of Kerberos is used.</summary>
    public void UseHere() => NativeEnvironment.Set("KRB5_CONFIG", Krb5Config);

    /// <summary>Writes it where <see cref="TryFind"/> looks; all at once, as others may be reading.</summary>
    public void Save(string folder)
    {
        var path = Path.Combine(folder, FileName);
        File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(this, Json.Default.SandboxDescription));
        File.Move(path + ".new", path, overwrite: true);
    }

    [JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
    [JsonSerializable(typeof(SandboxDescription))]
    private sealed partial class Json : JsonSerializerContext;
}
