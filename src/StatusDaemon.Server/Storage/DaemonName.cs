using System.Globalization;
using System.Security.Cryptography;

namespace StatusDaemon.Storage;

/// <summary>One run of a daemon, among those over one status database.</summary>
/// <param name="Cluster">Those who share the shards, by <c>CLUSTER.id</c>; empty for a daemon that has all of them.</param>
/// <param name="Run">At random.</param>
internal readonly record struct DaemonName(string Cluster, ulong Run)
{
    /// <summary>A new run.</summary>
    public static DaemonName Of(string cluster) => new(cluster, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(string text, out DaemonName name)
    {
        var dot = text.LastIndexOf('.');
        name = default;
        if (dot < 0 || !ulong.TryParse(text.AsSpan(dot + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var run))
        {
            return false;
        }

        name = new DaemonName(text[..dot], run);
        return true;
    }

    /// <summary>Whether another daemon shares the shards with this one, so that each has its own.</summary>
    public bool SharesWith(DaemonName other) => Cluster.Length > 0 && Cluster == other.Cluster;

    /// <summary>As in a key: <c>statusd.0123456789abcdef</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Cluster}.{Run:x16}");
}
