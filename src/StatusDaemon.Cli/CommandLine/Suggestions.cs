using System.Buffers;
using System.Globalization;
using StatusDaemon.Imitation;

namespace StatusDaemon.CommandLine;

/// <summary>The commands that a start suggests: each works as it is printed, in another terminal.</summary>
internal static class Suggestions
{
    private static readonly SearchValues<char> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./_-");

    /// <summary>Commands for a server: as somebody of the sandbox, with the ticket of whoever types them, or with the trusted header.</summary>
    /// <param name="settingsPath">The settings file where it is not the default one, else null.</param>
    /// <param name="elsewhere">What a client in another terminal takes from the settings, this process's own variables left out; null where it can't read them.</param>
    public static IReadOnlyList<string> For(string? settingsPath, GatewayReport report, ClientDefaults? elsewhere)
    {
        var ready = Line("curl", new Uri(report.Address, "/readyz").AbsoluteUri);
        switch (report.Login)
        {
            case LoginReport.TrustedHeader trusted when report.Subscribers is [var someone, ..]:
                return [Line("curl", "-H", $"{trusted.Header}: {someone.Uid}", new Uri(report.Address, "/directory").AbsoluteUri), ready];

            case LoginReport.Kerberos kerberos when report.Subscribers is [var watcher, var publisher]:
                var client = Client(settingsPath, report, kerberos, elsewhere);
                return
                [
                    $"{client}{As(watcher.DName)} {Line("-rn", publisher.DName)}",
                    $"{client}{As(publisher.DName)} -s ENABLE BUSY -sl 2",
                    ready,
                ];

            default:
                return [ready];
        }

        string As(string dname) => report.SandboxRealms.Count > 0 ? " " + Line("--as", dname) : "";
    }

    private static string Client(string? settingsPath, GatewayReport report, LoginReport.Kerberos kerberos, ClientDefaults? elsewhere)
    {
        var host = report.Address.IdnHost;
        List<string> words = ["./statusd", "test-client"];
        if (settingsPath is not null)
        {
            words.AddRange(["--config", settingsPath]);
        }

        if (elsewhere?.ReachableHost != host)
        {
            words.AddRange(["-rh", host]);
        }

        if (elsewhere?.Port != report.Address.Port)
        {
            words.AddRange(["-p", report.Address.Port.ToString(CultureInfo.InvariantCulture)]);
        }

        if (report.Address.Scheme == Uri.UriSchemeHttps && elsewhere?.Tls != true)
        {
            words.Add("--tls");
        }

        if (kerberos.Services is [var service, ..] && !kerberos.Services.Contains(elsewhere?.ServiceNameFor(host) ?? "HTTP@" + host, StringComparer.OrdinalIgnoreCase))
        {
            words.AddRange(["--service", service]);
        }

        // No option says where the sandbox is.
        var state = report.SandboxRealms.Count > 0 && elsewhere?.StatePath != report.StatePath ? $"STATUSD_STATE__PATH={Word(report.StatePath)} " : "";
        return state + Line([.. words]);
    }

    private static string Line(params string[] words) => string.Join(' ', words.Select(Word));

    /// <summary>A word as a shell takes it.</summary>
    private static string Word(string text) =>
        text.Length > 0 && !text.AsSpan().ContainsAnyExcept(Plain) ? text : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
