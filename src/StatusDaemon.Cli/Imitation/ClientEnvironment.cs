using System.Runtime.InteropServices;
using System.Text;

namespace StatusDaemon.Imitation;

/// <summary>The environment that C libraries see; <see cref="Environment.SetEnvironmentVariable(string, string?)"/> changes only .NET's copy.</summary>
internal static class ClientEnvironment
{
    /// <summary>Sets a variable for the Kerberos library, which reads them at its first use. Call it before that, from one thread.</summary>
    public static void Set(string name, string value)
    {
        if (SetEnv(Utf8(name), Utf8(value), overwrite: 1) != 0)
        {
            throw new InvalidOperationException($"setenv {name} failed");
        }
    }

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
            Set(Cache, "MEMORY:");
        }
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text + '\0');

    [DllImport("libc", EntryPoint = "setenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetEnv(byte[] name, byte[] value, int overwrite);
}
