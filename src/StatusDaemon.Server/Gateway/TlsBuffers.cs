using System.Net.Security;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace StatusDaemon.Gateway;

/// <summary>Has OpenSSL give the buffers of a TLS connection back while nothing is in them: a third of what an idle one takes.</summary>
/// <remarks>
/// OpenSSL can do it (<c>SSL_MODE_RELEASE_BUFFERS</c>), .NET does not ask it to and has no setting for it, so the handle is taken out of
/// <see cref="SslStream"/> by its private field. Where it is another, or OpenSSL is not there, nothing is asked, and all works with more memory:
/// docs/decisions/0015-tls-buffers.md.
/// </remarks>
internal static unsafe class TlsBuffers
{
    private const int ControlMode = 33; // SSL_CTRL_MODE
    private const nint ReleaseBuffers = 0x10; // SSL_MODE_RELEASE_BUFFERS

    private static readonly FieldInfo? Context = typeof(SslStream).GetField("_securityContext", BindingFlags.Instance | BindingFlags.NonPublic);
    private static readonly delegate* unmanaged<nint, int, nint, nint, nint> Control = FindControl();

    /// <summary>For each connection whose handshake is through.</summary>
    public static ConnectionDelegate ReleaseWhileEmpty(ConnectionDelegate next) => connection =>
    {
        if (connection.Features.Get<ISslStreamFeature>() is { SslStream: { } stream })
        {
            TryReleaseWhileEmpty(stream);
        }

        return next(connection);
    };

    /// <summary>Asks OpenSSL for it.</summary>
    /// <returns>Whether it could be asked, and says that it will.</returns>
    public static bool TryReleaseWhileEmpty(SslStream stream)
    {
        if (Control is null || Context?.GetValue(stream) is not SafeHandle { IsInvalid: false } handle || handle.GetType().Name != "SafeSslHandle")
        {
            return false;
        }

        var isHeld = false;
        try
        {
            handle.DangerousAddRef(ref isHeld);
            return (Control(handle.DangerousGetHandle(), ControlMode, ReleaseBuffers, 0) & ReleaseBuffers) != 0;
        }
        catch (ObjectDisposedException)
        {
            return false; // the connection has just ended
        }
        finally
        {
            if (isHeld)
            {
                handle.DangerousRelease();
            }
        }
    }

    /// <summary>The function of the OpenSSL that .NET has loaded, and of no other.</summary>
    private static delegate* unmanaged<nint, int, nint, nint, nint> FindControl()
    {
        const string Maps = "/proc/self/maps";
        if (!File.Exists(Maps))
        {
            return null;
        }

        var loaded = File.ReadLines(Maps).Select(line => line[(line.LastIndexOf(' ') + 1)..]).Where(path => path.Contains("/libssl.so", StringComparison.Ordinal)).Distinct().ToArray();
        return loaded is [var only] && NativeLibrary.TryLoad(only, out var library) && NativeLibrary.TryGetExport(library, "SSL_ctrl", out var control)
            ? (delegate* unmanaged<nint, int, nint, nint, nint>)control
            : null;
    }
}
