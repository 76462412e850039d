using System.ComponentModel;
using System.Runtime.InteropServices;

namespace StatusDaemon.Auth;

/// <summary>The environment as C libraries see it.</summary>
/// <remarks>
/// On Linux <see cref="Environment.SetEnvironmentVariable(string, string)"/> changes a copy of the runtime's own, which libkrb5 never reads.
/// </remarks>
internal static partial class NativeEnvironment
{
    /// <summary>Sets a variable for the libraries of this process.</summary>
    /// <remarks>Call it at start, before other threads use such a library: in C reading the environment and changing it exclude each other.</remarks>
    public static void Set(string name, string value)
    {
        if (SetEnv(name, value, overwrite: 1) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{name} could not be set in the environment");
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnv(string name, string value, int overwrite);
}
