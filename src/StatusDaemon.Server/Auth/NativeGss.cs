using System.Runtime.InteropServices;
using System.Text;

namespace StatusDaemon.Auth;

/// <summary>What one call of <see cref="NativeGss.Accept"/> came to.</summary>
/// <param name="Major">0 is an accepted ticket; everything else is none (RFC 2744 §3.9.1), also "continue needed", which stands in the low bits.</param>
/// <param name="Words">Why not, in the library's English, without control characters; empty if accepted.</param>
/// <param name="Client">The client's principal; empty if not accepted.</param>
/// <param name="Service">The service principal that the ticket is for; empty if not accepted.</param>
/// <param name="End">When the ticket ends, in Unix seconds.</param>
/// <param name="Reply">What completes mutual authentication at the client; empty if it asked for none.</param>
internal readonly record struct NativeAccept(uint Major, string Words, string Client, string Service, uint End, byte[] Reply);

/// <summary>libgssapi_krb5 of MIT, as far as a server needs it. Everything that the library hands out is released here.</summary>
/// <remarks>The structures are those of 64-bit Linux, where they are not packed. All calls are safe on any thread.</remarks>
internal static unsafe partial class NativeGss
{
    /// <summary>The routine error in a major status is what remains under this mask.</summary>
    public const uint RoutineErrors = 0x00FF0000;

    public const uint Failure = 13 << 16;
    public const uint BadMechanism = 1 << 16;
    public const uint DefectiveToken = 9 << 16;

    public const string Library = "libgssapi_krb5.so.2";
    private const int AcceptOnly = 2;
    private const int MajorCode = 1;
    private const int MinorCode = 2;
    private const int MaxWords = 300;
    private const uint LucidVersion = 1;

    private static ReadOnlySpan<byte> Krb5Oid => [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02];

    private static ReadOnlySpan<byte> SpnegoOid => [0x2B, 0x06, 0x01, 0x05, 0x05, 0x02];

    /// <summary>Takes the keytab as credential for Kerberos and SPNEGO, and for no other mechanism that the machine may have.</summary>
    /// <param name="keytab">As libkrb5 names it: <c>FILE:/path</c>. It is read anew at each accept.</param>
    /// <param name="replayCache">As libkrb5 names it: <c>file2:/path</c>.</param>
    /// <exception cref="GssException">The keytab is missing, unreadable or empty.</exception>
    /// <exception cref="DllNotFoundException">The library is not installed.</exception>
    public static GssCredential Acquire(string keytab, string replayCache)
    {
        var strings = new nint[4];
        string[] texts = ["keytab", keytab, "rcache", replayCache];
        try
        {
            for (var i = 0; i < texts.Length; i++)
            {
                strings[i] = Marshal.StringToCoTaskMemUTF8(texts[i]);
            }

            fixed (byte* krb5 = Krb5Oid, spnego = SpnegoOid)
            {
                var oids = stackalloc Oid[2];
                oids[0] = new Oid { Length = (uint)Krb5Oid.Length, Elements = krb5 };
                oids[1] = new Oid { Length = (uint)SpnegoOid.Length, Elements = spnego };
                var mechanisms = new OidSet { Count = 2, Elements = oids };
                var pairs = stackalloc KeyValue[2];
                pairs[0] = new KeyValue { Key = strings[0], Value = strings[1] };
                pairs[1] = new KeyValue { Key = strings[2], Value = strings[3] };
                var store = new KeyValueSet { Count = 2, Elements = pairs };

                var major = AcquireCredFrom(out var minor, 0, 0, &mechanisms, AcceptOnly, &store, out var credential, 0, 0);

                // Reasons are logged and told apart by their words, so they are to come in English whatever the locale. The first
                // call has set the library up; before it, this would be overwritten.
                BindTextDomain("mit-krb5", "/nonexistent");
                if (major != 0)
                {
                    credential.Dispose();
                    throw new GssException(Describe(major, minor));
                }

                return credential;
            }
        }
        finally
        {
            foreach (var text in strings)
            {
                Marshal.FreeCoTaskMem(text);
            }
        }
    }

    /// <summary>Looks at one token: one leg, no context is kept.</summary>
    public static NativeAccept Accept(GssCredential credential, ReadOnlySpan<byte> token)
    {
        nint context = 0;
        nint client = 0;
        nint service = 0;
        var reply = default(Buffer);
        try
        {
            uint major;
            uint minor;
            fixed (byte* bytes = token)
            {
                var input = new Buffer { Length = (nuint)token.Length, Value = bytes };
                major = AcceptSecContext(out minor, ref context, credential, &input, 0, out client, 0, out reply, 0, 0, 0);
            }

            if (major != 0)
            {
                return new NativeAccept(major, Describe(major, minor), "", "", 0, []);
            }

            major = InquireContext(out minor, context, 0, out service, 0, 0, 0, 0, 0);
            var end = 0u;
            if (major == 0)
            {
                major = TakeEnd(out minor, ref context, out end);
            }

            return major == 0
                ? new NativeAccept(0, "", NameOf(client), NameOf(service), end, new ReadOnlySpan<byte>(reply.Value, (int)reply.Length).ToArray())
                : new NativeAccept(major, Describe(major, minor), "", "", 0, []);
        }
        finally
        {
            if (context != 0)
            {
                DeleteSecContext(out _, ref context, 0);
            }

            if (client != 0)
            {
                ReleaseName(out _, ref client);
            }

            if (service != 0)
            {
                ReleaseName(out _, ref service);
            }

            ReleaseBuffer(out _, ref reply);
        }
    }

    /// <summary>Ends a context and says when its ticket ends: exactly, where a lifetime as GSS-API has it would include the clock skew that the machine allows.</summary>
    private static uint TakeEnd(out uint minor, ref nint context, out uint end)
    {
        end = 0;
        var major = ExportLucid(out minor, ref context, LucidVersion, out var lucid);
        if (major == 0)
        {
            end = lucid->End;
            FreeLucid(out _, lucid);
        }

        return major;
    }

    /// <summary>Gives back what <see cref="Acquire"/> took.</summary>
    public static bool Release(nint credential) => ReleaseCred(out _, ref credential) == 0;

    private static string NameOf(nint name)
    {
        var text = default(Buffer);
        try
        {
            return DisplayName(out _, name, out text, 0) == 0 ? TextOf(text) : "";
        }
        finally
        {
            ReleaseBuffer(out _, ref text);
        }
    }

    /// <summary>The reason in words: the mechanism's, which is the exact one, or GSS-API's own where the mechanism says nothing.</summary>
    private static string Describe(uint major, uint minor) =>
        minor != 0 && Words(minor, MinorCode) is not ("" or "Success" or "Unknown error") and var exact ? exact : Words(major, MajorCode);

    private static string Words(uint status, int kind)
    {
        var text = default(Buffer);
        try
        {
            uint more = 0;
            if (DisplayStatus(out _, status, kind, 0, ref more, out text) != 0)
            {
                return "";
            }

            // Some reasons name the principal that the client asked for: its bytes go no further than this.
            return new string([.. TextOf(text).Take(MaxWords).Select(c => char.IsControl(c) ? '?' : c)]);
        }
        finally
        {
            ReleaseBuffer(out _, ref text);
        }
    }

    private static string TextOf(Buffer text) => Encoding.UTF8.GetString((byte*)text.Value, (int)text.Length);

    [LibraryImport(Library, EntryPoint = "gss_acquire_cred_from")]
    private static partial uint AcquireCredFrom(out uint minor, nint name, uint seconds, OidSet* mechanisms, int usage, KeyValueSet* store, out GssCredential credential, nint actualMechanisms, nint actualSeconds);

    [LibraryImport(Library, EntryPoint = "gss_accept_sec_context")]
    private static partial uint AcceptSecContext(out uint minor, ref nint context, GssCredential credential, Buffer* token, nint channelBindings, out nint client, nint mechanism, out Buffer reply, nint flags, nint secondsLeft, nint delegated);

    [LibraryImport(Library, EntryPoint = "gss_inquire_context")]
    private static partial uint InquireContext(out uint minor, nint context, nint client, out nint service, nint secondsLeft, nint mechanism, nint flags, nint initiatedHere, nint open);

    [LibraryImport(Library, EntryPoint = "gss_display_name")]
    private static partial uint DisplayName(out uint minor, nint name, out Buffer text, nint kind);

    [LibraryImport(Library, EntryPoint = "gss_display_status")]
    private static partial uint DisplayStatus(out uint minor, uint status, int kind, nint mechanism, ref uint more, out Buffer text);

    [LibraryImport(Library, EntryPoint = "gss_delete_sec_context")]
    private static partial uint DeleteSecContext(out uint minor, ref nint context, nint token);

    [LibraryImport(Library, EntryPoint = "gss_krb5_export_lucid_sec_context")]
    private static partial uint ExportLucid(out uint minor, ref nint context, uint version, out Lucid* lucid);

    [LibraryImport(Library, EntryPoint = "gss_krb5_free_lucid_sec_context")]
    private static partial uint FreeLucid(out uint minor, Lucid* lucid);

    [LibraryImport(Library, EntryPoint = "gss_release_name")]
    private static partial uint ReleaseName(out uint minor, ref nint name);

    [LibraryImport(Library, EntryPoint = "gss_release_buffer")]
    private static partial uint ReleaseBuffer(out uint minor, ref Buffer buffer);

    [LibraryImport(Library, EntryPoint = "gss_release_cred")]
    private static partial uint ReleaseCred(out uint minor, ref nint credential);

    [LibraryImport("libc", EntryPoint = "bindtextdomain", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint BindTextDomain(string domain, string directory);

    [StructLayout(LayoutKind.Sequential)]
    private struct Oid
    {
        public uint Length;
        public void* Elements;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct OidSet
    {
        public nuint Count;
        public Oid* Elements;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct KeyValue
    {
        public nint Key;
        public nint Value;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct KeyValueSet
    {
        public uint Count;
        public KeyValue* Elements;
    }

    /// <summary>The beginning of <c>gss_krb5_lucid_context_v1_t</c>; keys follow, which stay with the library.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Lucid
    {
        public uint Version;
        public uint IsInitiator;
        public uint End;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Buffer
    {
        public nuint Length;
        public void* Value;
    }
}
