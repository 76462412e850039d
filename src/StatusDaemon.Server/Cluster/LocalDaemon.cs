using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;

namespace StatusDaemon.Cluster;

/// <summary>The daemon of this machine, as it tells the modules that run apart from it: a file under <c>STATE.path</c>.</summary>
/// <param name="Cluster">Name of the installation.</param>
/// <param name="Shards">Its router shards.</param>
/// <param name="Address">Where modules reach it, as IP address and port.</param>
internal sealed record LocalDaemon(string Cluster, int Shards, string Address)
{
    private const string FileName = "daemon.json";

    /// <summary>Tells that it is there.</summary>
    /// <param name="folder">The cluster's folder.</param>
    public void Write(string folder)
    {
        var path = Path.Combine(folder, FileName);
        var written = $"{path}.{Path.GetRandomFileName()}";
        File.WriteAllText(written, JsonSerializer.Serialize(this));
        File.Move(written, path, overwrite: true);
    }

    /// <summary>Takes back what was told.</summary>
    public static void Delete(string folder) => File.Delete(Path.Combine(folder, FileName));

    /// <summary>Reads what was told last; the daemon may be gone since.</summary>
    public static bool TryRead(string folder, [NotNullWhen(true)] out LocalDaemon? daemon, [NotNullWhen(true)] out IPEndPoint? address)
    {
        (daemon, address) = (null, null);
        try
        {
            daemon = JsonSerializer.Deserialize<LocalDaemon>(File.ReadAllBytes(Path.Combine(folder, FileName)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            // None was there yet.
        }

        return daemon is not null && IPEndPoint.TryParse(daemon.Address, out address);
    }
}
