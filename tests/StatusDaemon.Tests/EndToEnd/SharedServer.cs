using System.Text;
using StatusDaemon.Names;
using StatusDaemon.Settings;

namespace StatusDaemon.EndToEnd;

/// <summary>One server for the tests of a class that do not disturb each other: each takes subscribers of its own.</summary>
/// <param name="tls">Whether it speaks TLS.</param>
public abstract class SharedServer(string settings, bool tls = false) : IAsyncLifetime
{
    private const int Subscribers = 200;

    private readonly TempFolder folder = new();
    private StatusdProcess? server;
    private int taken;

    /// <summary>The server.</summary>
    internal StatusdProcess Server => server!;

    /// <summary>A directory of <c>u-000</c> to <c>u-199</c>.</summary>
    /// <param name="rules">More of the entry of one subscriber, such as <c>black: [u-001]</c>.</param>
    internal static string Directory(params (string Uid, string More)[] rules)
    {
        return "subscribers:\n" + string.Concat(Enumerable.Range(0, Subscribers).Select(i =>
        {
            var uid = NameOf(i);
            var more = string.Concat(rules.Where(rule => rule.Uid == uid).Select(rule => ", " + rule.More));
            var numbers = more.Contains("numbers:", StringComparison.Ordinal) ? "" : $", numbers: [\"{1000 + i}\"]";
            return $"  - {{ uid: {uid}, dname: {uid}@ALPHA.TEST{numbers}, domain: alpha.test{more} }}\n";
        }));
    }

    /// <summary>Subscribers that no other test has.</summary>
    internal string[] Take(int count) => [.. Enumerable.Range(Interlocked.Add(ref taken, count) - count, count).Select(NameOf)];

    /// <summary>Subscribers that no other test has, all of one shard: what happens to them happens in one order.</summary>
    internal string[] TakeOfOneShard(int count)
    {
        var fitting = Take(1).ToList();
        while (fitting.Count < count)
        {
            fitting.AddRange(Take(1).Where(uid => ShardOf(uid) == ShardOf(fitting[0])));
        }

        return [.. fitting];
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => server = await StatusdProcess.StartAsync(
        StatusdProcess.TrustedHeader + "\n" + settings, Directory(), certificate: tls ? LocalCertificate.MakeIn(folder) : null);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (server is not null)
        {
            await server.DisposeAsync();
        }

        folder.Dispose();
    }

    private static string NameOf(int number) => number < Subscribers ? $"u-{number:000}" : throw new InvalidOperationException("The directory has too few subscribers.");

    private static int ShardOf(string uid) =>
        Uid.TryParse(Encoding.UTF8.GetBytes(uid), out var parsed) ? parsed.ShardOf(32) : throw new ArgumentException(uid);
}
