using System.Numerics;
using System.Runtime.InteropServices;

namespace StatusDaemon.Protocol;

/// <summary>The masking of client frames: RFC 6455 §5.3.</summary>
internal static class FrameMask
{
    /// <summary>Masks or unmasks; the two are the same.</summary>
    /// <param name="key">The four bytes of the frame's header.</param>
    /// <param name="offset">How many bytes of the frame's payload come before <paramref name="from"/>.</param>
    public static void Apply(ReadOnlySpan<byte> from, Span<byte> to, ReadOnlySpan<byte> key, int offset)
    {
        Span<byte> turned = [key[offset & 3], key[(offset + 1) & 3], key[(offset + 2) & 3], key[(offset + 3) & 3]];
        var wide = Vector.AsVectorByte(new Vector<uint>(MemoryMarshal.Read<uint>(turned)));
        var at = 0;
        for (; at <= from.Length - Vector<byte>.Count; at += Vector<byte>.Count)
        {
            (new Vector<byte>(from[at..]) ^ wide).CopyTo(to[at..]);
        }

        for (; at < from.Length; at++)
        {
            to[at] = (byte)(from[at] ^ turned[at & 3]);
        }
    }
}
