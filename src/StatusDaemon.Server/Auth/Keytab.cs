using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace StatusDaemon.Auth;

/// <summary>One key of a keytab, without the key.</summary>
/// <param name="Principal">As Kerberos writes it, <c>HTTP/host@REALM</c>.</param>
/// <param name="Version">The kvno: tickets name it.</param>
/// <param name="Made">When the key was written.</param>
internal readonly record struct KeytabKey(string Principal, uint Version, DateTimeOffset Made);

/// <summary>Reads which keys a keytab has: MIT's file format, version 5.2.</summary>
/// <remarks>
/// The library reads the keytab itself at each login; this one is for telling operators what is in it, which GSS-API cannot say.
/// The format is of length-prefixed entries in network order; a negative length is a hole left by a deleted entry.
/// </remarks>
internal static class Keytab
{
    private static ReadOnlySpan<byte> Magic => [5, 2];

    /// <summary>Reads the content of a keytab file.</summary>
    /// <returns>False if it is no keytab or ends in the middle of an entry; it never throws.</returns>
    public static bool TryRead(ReadOnlySpan<byte> file, [NotNullWhen(true)] out IReadOnlyList<KeytabKey>? keys)
    {
        keys = null;
        if (!file.StartsWith(Magic))
        {
            return false;
        }

        List<KeytabKey> found = [];
        var rest = file[Magic.Length..];
        while (rest.Length >= sizeof(int))
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(rest);
            rest = rest[sizeof(int)..];

            // MIT ends the file with a zero where the last entry was deleted.
            if (length == 0)
            {
                break;
            }

            var size = Math.Abs((long)length);
            if (size > rest.Length)
            {
                return false;
            }

            if (length > 0)
            {
                if (!TryReadEntry(new Entry(rest[..length]), out var key))
                {
                    return false;
                }

                found.Add(key);
            }

            rest = rest[(int)size..];
        }

        keys = found;
        return true;
    }

    private static bool TryReadEntry(Entry entry, out KeytabKey key)
    {
        key = default;
        var components = entry.UInt16();
        var realm = entry.Counted();
        var name = new StringBuilder();
        for (var i = 0; i < components && !entry.IsShort; i++)
        {
            name.Append(i == 0 ? "" : "/").Append(Encoding.UTF8.GetString(entry.Counted()));
        }

        entry.UInt32(); // the name's type
        var made = DateTimeOffset.FromUnixTimeSeconds(entry.UInt32());
        uint version = entry.Byte();
        entry.UInt16(); // the encryption type
        entry.Counted();
        if (entry.IsShort)
        {
            return false;
        }

        // Versions above 255 stand behind the key; older writers leave this out.
        if (entry.Left >= sizeof(uint) && entry.UInt32() is not 0 and var wide)
        {
            version = wide;
        }

        key = new KeytabKey($"{name}@{Encoding.UTF8.GetString(realm)}", version, made);
        return true;
    }

    /// <summary>Takes fields off one entry. Past its end everything is zero and <see cref="IsShort"/> says so.</summary>
    private ref struct Entry(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> rest = bytes;

        public bool IsShort { get; private set; }

        public readonly int Left => rest.Length;

        public byte Byte() => Take(1) is [var b] ? b : (byte)0;

        public ushort UInt16() => Take(sizeof(ushort)) is { Length: > 0 } two ? BinaryPrimitives.ReadUInt16BigEndian(two) : (ushort)0;

        public uint UInt32() => Take(sizeof(uint)) is { Length: > 0 } four ? BinaryPrimitives.ReadUInt32BigEndian(four) : 0;

        public ReadOnlySpan<byte> Counted() => Take(UInt16());

        private ReadOnlySpan<byte> Take(int count)
        {
            if (IsShort || count > rest.Length)
            {
                IsShort = true;
                return [];
            }

            var taken = rest[..count];
            rest = rest[count..];
            return taken;
        }
    }
}
