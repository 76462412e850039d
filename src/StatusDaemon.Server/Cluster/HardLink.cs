using System.ComponentModel;
using System.Runtime.InteropServices;

namespace StatusDaemon.Cluster;

/// <summary>A second name for a file.</summary>
internal static partial class HardLink
{
    private const int FileExists = 17; // EEXIST

    /// <summary>Gives a file another name, unless somebody has it already: of many that try at once, one succeeds.</summary>
    /// <remarks>link(2). <see cref="File.Move(string, string, bool)"/> looks first and renames then, which replaces what came between.</remarks>
    /// <returns>Whether the name was free.</returns>
    /// <exception cref="IOException">The file system cannot or may not do it; says why.</exception>
    public static bool TryCreate(string file, string name)
    {
        if (Link(file, name) == 0)
        {
            return true;
        }

        var error = Marshal.GetLastPInvokeError();
        return error == FileExists ? false : throw new IOException($"{name}: {new Win32Exception(error).Message}");
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Link(string file, string name);
}
