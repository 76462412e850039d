using System.Diagnostics.CodeAnalysis;
using System.Net;
using StatusDaemon.Names;
using StatusDaemon.Settings;

namespace StatusDaemon.Peering;

/// <summary>Section <c>SYNC</c> of the settings: synchronisation with other installations.</summary>
internal sealed class SyncOptions
{
    /// <summary>The name under which peers know this installation; null means this host's name.</summary>
    public string? Name { get; init; }

    /// <summary>The domain that this installation is the home of; empty means that every subscriber of the directory is local.</summary>
    public DomainName Domain { get; init; }

    /// <summary>Address that the receiver listens on.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    /// <summary>TCP port that the receiver listens on; 0 takes a free one.</summary>
    public int Port { get; init; } = 8090;

    /// <summary>A domain whose peer has been silent for so long is shown as stale; 1 s to 24 h.</summary>
    public TimeSpan StaleAfter { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The other installations.</summary>
    public IReadOnlyList<PeerOptions> Peers { get; init; } = [];

    /// <summary>Reads the section.</summary>
    public static SyncOptions Read(SettingsSection section)
    {
        var defaults = new SyncOptions();
        var options = new SyncOptions
        {
            Name = ReadName(section),
            Domain = section.Domain("domain"),
            Host = section.Address("host", defaults.Host),
            Port = section.Port("port", defaults.Port),
            StaleAfter = section.Duration("stale_after", defaults.StaleAfter, TimeSpan.FromSeconds(1), TimeSpan.FromHours(24)),
            Peers = [.. section.Maps("peers", PeerOptions.Allowed).Select(PeerOptions.Read)],
        };
        options.Check(section);
        return options;
    }

    /// <summary>Reads the name of an installation.</summary>
    internal static string? ReadName(SettingsSection section) =>
        section.Optional("name", "1 to 64 letters, digits, '.', '-' and '_'", (string text, [MaybeNullWhen(false)] out string name) =>
        {
            name = text;
            return text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
        });

    private void Check(SettingsSection section)
    {
        foreach (var twice in Peers.CountBy(peer => peer.Name).Where(pair => pair.Value > 1 && pair.Key.Length > 0))
        {
            section.Refuse("peers", $"two have the name {twice.Key}");
        }

        // A domain has one home; whoever else spoke for it could undo what it says.
        foreach (var twice in Peers.SelectMany(peer => peer.Domains.Distinct()).CountBy(domain => domain).Where(pair => pair.Value > 1))
        {
            section.Refuse("peers", $"two have the domain {twice.Key}");
        }

        if (!Domain.IsEmpty && Peers.Any(peer => peer.Domains.Contains(Domain)))
        {
            section.Refuse("peers", $"one has the domain {Domain}, which is this installation's own");
        }
    }
}
