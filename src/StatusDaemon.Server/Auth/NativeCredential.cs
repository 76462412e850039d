using System.Runtime.InteropServices;

namespace StatusDaemon.Auth;

/// <summary>The user's own ticket, as libgssapi_krb5 sees it.</summary>
internal static partial class NativeCredential
{
    private const uint CredentialsExpired = 11 << 16;

    /// <summary>Whether the default credential is there and has ended (RFC 2744 §5.21).</summary>
    public static bool IsExpired() =>
        (Inquire(out _, credential: 0, name: 0, out _, usage: 0, mechanisms: 0) & NativeGss.RoutineErrors) == CredentialsExpired;

    [LibraryImport(NativeGss.Library, EntryPoint = "gss_inquire_cred")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint Inquire(out uint minor, nint credential, nint name, out uint secondsLeft, nint usage, nint mechanisms);
}
