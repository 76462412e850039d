using System.Runtime.InteropServices;

namespace StatusDaemon.Auth;

/// <summary>An acceptor credential of libgssapi: it stays open while an accept that uses it runs.</summary>
internal sealed class GssCredential : SafeHandle
{
    public GssCredential()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => NativeGss.Release(handle);
}
