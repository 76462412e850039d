using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Names;
using StatusDaemon.Settings;

namespace StatusDaemon.Admin;

/// <summary>Section <c>ADMIN</c> of the settings: what the command line talks to.</summary>
internal sealed class AdminOptions
{
    /// <summary>Longest path of a Unix socket in bytes: Linux' <c>sun_path</c>, less its end.</summary>
    public const int MaxSocketBytes = 107;

    /// <summary>Absolute path of the Unix socket, for root and the group <c>statusd</c>; null means <c>admin.sock</c> under <c>STATE.path</c>.</summary>
    public string? Socket { get; init; }

    /// <summary>Where the administration is reached over the network, with Negotiate; null means nowhere.</summary>
    public Uri? Url { get; init; }

    /// <summary>Kerberos principals that may administer over the network.</summary>
    public IReadOnlyList<DName> Principals { get; init; } = [];

    /// <summary>Path of the Unix socket.</summary>
    public string SocketPath(StateOptions state) => Socket ?? Path.Combine(state.Path, "admin.sock");

    /// <summary>Reads the section.</summary>
    public static AdminOptions Read(SettingsSection section)
    {
        var options = new AdminOptions
        {
            Socket = section.OptionalPath("socket", $"a path of at most {MaxSocketBytes} bytes"),
            Url = section.Optional<Uri>("url", "https://HOST:PORT, or http:// with a loopback address", TryParseUrl),
            Principals = section.List<DName>("principals", "principals such as admin@EXAMPLE.ORG, one or a list", DName.TryParse),
        };
        if (options.Url is not null && options.Principals.Count == 0)
        {
            section.Refuse("url", "needs principals: nobody could log in");
        }

        return options;
    }

    private static bool TryParseUrl(string text, [MaybeNullWhen(false)] out Uri url) =>
        Uri.TryCreate(text, UriKind.Absolute, out url)
        && url is { UserInfo: "", Query: "", Fragment: "", AbsolutePath: "/", Host.Length: > 0 }
        && (url.Scheme == "https" || (url.Scheme == "http" && url.IsLoopback));
}
