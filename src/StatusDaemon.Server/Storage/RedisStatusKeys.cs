using System.Globalization;
using System.Text;
using StackExchange.Redis;
using StatusDaemon.Names;
using StatusDaemon.Redis;

namespace StatusDaemon.Storage;

/// <summary>The status database, command by command: keys, scripts, the marker. It decides nothing.</summary>
/// <remarks>
/// The marker is one hash, with incarnation and epoch. Beside it each daemon has a pulse on each server that owns keys: a counter that goes up with each batch
/// of writes and once a second, so that a server which has lost writes has a lower one than we saw.
/// </remarks>
/// <param name="self">Which of the daemons over this database we are.</param>
internal sealed class RedisStatusKeys(RedisConnection connection, StatusRedisOptions options, DaemonName self)
{
    /// <summary>How long a pulse outlives its daemon.</summary>
    private static readonly TimeSpan PulseLife = TimeSpan.FromDays(7);

    /// <summary>After so many raises its life begins anew.</summary>
    private const int RaisesOfLife = 1000;

    /// <summary>Keys that one answer brings; some hundred KiB.</summary>
    private const int KeysPerRead = 512;

    private const int MaxTags = 1_000_000;

    /// <summary>What a replica has not heard of yet would be taken for what another program wrote.</summary>
    private const CommandFlags FromPrimary = CommandFlags.DemandMaster;

    private static readonly string WriteScript = Script("redis-write.lua");
    private static readonly string MarkerScript = Script("redis-marker.lua");
    private static readonly string EpochScript = Script("redis-epoch.lua");

    /// <summary>Which of the daemons over this database we are.</summary>
    public DaemonName Self => self;

    /// <summary>What to listen to: the statuses, and what we ring ourselves.</summary>
    public IReadOnlyList<string> Globs => [options.StatusKey.Glob, options.MarkerKey.Glob + ":*"];

    private RedisKey Marker => options.MarkerKey.Text;

    /// <summary>The key of a subscriber's status.</summary>
    public string KeyOf(Uid uid) => options.StatusKey.Key(uid.ToString());

    /// <summary>Reads whose status a key is.</summary>
    public bool TryReadKey(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> uid) => options.StatusKey.TryReadOne(key, out uid);

    /// <summary>Reads values, of those that are too long for a status only the beginning. What is there but no string is read as the name of its type in brackets, which is no status.</summary>
    /// <returns>In the order of <paramref name="uids"/>; null where there is no key.</returns>
    public Task<byte[]?[]> ReadAsync(IReadOnlyList<Uid> uids) => connection.RunAsync(async commands =>
    {
        var keys = uids.Select(uid => (RedisKey)KeyOf(uid)).ToArray();
        var values = await Task.WhenAll(keys.Select(async key => (byte[]?)await RedisErrors.NullIfOfAnotherTypeAsync(commands.StringGetRangeAsync(key, 0, RedisStatusValue.MaxBytes, FromPrimary))));
        var empty = Enumerable.Range(0, values.Length).Where(index => values[index] is null or []).ToArray(); // there is no such key, or it is of another type
        foreach (var (index, type) in empty.Zip(await Task.WhenAll(empty.Select(index => commands.KeyTypeAsync(keys[index], FromPrimary)))))
        {
            values[index] = type switch
            {
                RedisType.None => null,
                RedisType.String => [],
                _ => InBrackets(type),
            };
        }

        return values;
    });

    /// <summary>Writes values, each over the one that it may replace.</summary>
    /// <returns>In their order: what came of each.</returns>
    public async Task<Written[]> WriteAsync(IReadOnlyList<(Uid Uid, UInt128 Expected, byte[] Value, TimeToLive Time)> writes)
    {
        var commands = connection.Commands;
        return await Task.WhenAll(writes.Select(WriteOneAsync));

        async Task<Written> WriteOneAsync((Uid Uid, UInt128 Expected, byte[] Value, TimeToLive Time) write)
        {
            try
            {
                RedisValue expected = write.Expected == 0 ? "" : write.Expected.ToString("x32", CultureInfo.InvariantCulture);
                var result = await commands.ScriptEvaluateAsync(WriteScript, [(RedisKey)KeyOf(write.Uid)], [expected, write.Value, write.Time.Argument, RedisStatusValue.MaxBytes]);
                return result.Resp2Type == ResultType.Integer ? new Written(true, Left: LeftOf((long)result)) : new Written(false, (byte[]?)result);
            }
            catch (Exception e) when (RedisErrors.IsOfRedis(e))
            {
                return new Written(e is RedisServerException ? false : null, Failure: connection.Away(e));
            }
        }
    }

    /// <summary>What keys have left of their time to live, in the order of <paramref name="uids"/>; null where they have none.</summary>
    public Task<TimeSpan?[]> TimesAsync(IReadOnlyList<Uid> uids) => connection.RunAsync(commands => Task.WhenAll(uids.Select(uid => commands.KeyTimeToLiveAsync(KeyOf(uid), FromPrimary))));

    /// <summary>All keys of statuses on a server, some perhaps twice, a page at a time.</summary>
    public IAsyncEnumerable<IReadOnlyList<byte[]>> KeysAsync(IServer server) => connection.KeysAsync(server, options.StatusKey.Glob, KeysPerRead);

    /// <summary>Opens the marker, or makes it with our incarnation; raises its epoch to ours.</summary>
    public Task<(ulong Incarnation, bool IsMade)> OpenMarkerAsync(ulong incarnation, long epoch) => connection.RunAsync(async commands =>
    {
        var result = (RedisResult[])(await commands.ScriptEvaluateAsync(MarkerScript, [Marker], [incarnation.ToString("x16", CultureInfo.InvariantCulture), epoch]))!;
        return ulong.TryParse((string?)result[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var found) && found != 0 && long.TryParse((string?)result[1], CultureInfo.InvariantCulture, out _)
            ? (found, (int)result[2] == 1)
            : throw new RedisAwayException($"Redis at {connection.Address}: the marker {options.MarkerKey} holds no incarnation and epoch of ours. Delete it, or set {connection.Section}.keys.marker to another one.", isRefusal: true);
    });

    /// <summary>The incarnation in the marker; null if there is no marker.</summary>
    public Task<ulong?> ReadIncarnationAsync() => connection.RunAsync(async commands =>
        ulong.TryParse((string?)await commands.HashGetAsync(Marker, "incarnation", FromPrimary), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var found) ? found : (ulong?)null);

    /// <summary>Takes the next epochs, one above each number; null where there is no marker. They are on a replica too, where there is one that answers.</summary>
    public Task<long?[]> NextEpochsAsync(IEnumerable<long> above) => connection.RunAsync(async commands =>
    {
        var taken = await Task.WhenAll(above.Select(least => commands.ScriptEvaluateAsync(EpochScript, [Marker], [least])));
        await AwaitReplicaAsync(commands);
        return taken.Select(result => result.IsNull ? (long?)null : long.Parse((string)result!, CultureInfo.InvariantCulture)).ToArray();
    });

    /// <summary>Reads which daemon's pulse a key is.</summary>
    public bool TryReadPulse(string key, out DaemonName daemon)
    {
        daemon = default;
        return key.StartsWith($"{options.MarkerKey}:pulse:", StringComparison.Ordinal) && DaemonName.TryParse(key[(key.LastIndexOf(':') + 1)..], out daemon);
    }

    /// <summary>Raises our pulse on a server, which rings.</summary>
    /// <returns>The new pulse; null if something else is in its key.</returns>
    public Task<long?> PulseAsync(string key) => connection.RunAsync(async commands =>
    {
        try
        {
            var pulse = await commands.StringIncrementAsync(key);
            if (pulse % RaisesOfLife == 1)
            {
                await commands.KeyExpireAsync(key, PulseLife);
            }

            return pulse;
        }
        catch (RedisServerException e) when (RedisErrors.IsOfAnotherType(e) || e.Message.StartsWith("ERR value is not an integer", StringComparison.Ordinal))
        {
            return (long?)null;
        }
    });

    /// <summary>Sets our pulse on a server, after it was lost.</summary>
    public Task SetPulseAsync(string key, long pulse) => connection.RunAsync(commands => commands.StringSetAsync(key, pulse, PulseLife));

    /// <summary>Makes a key and deletes it: rings twice where all is heard that we need.</summary>
    public Task ProbeAsync(string key) => connection.RunAsync(async commands =>
    {
        await commands.StringSetAsync(key, "", TimeSpan.FromMinutes(1));
        return await commands.KeyDeleteAsync(key);
    });

    /// <summary>Keys for our pulse and probe that a server owns.</summary>
    public (string Pulse, string Probe) KeysOn(IServer server)
    {
        if (server.ServerType != ServerType.Cluster)
        {
            return ($"{options.MarkerKey}:pulse:{self}", $"{options.MarkerKey}:probe:{self}");
        }

        // Whatever stands in braces decides the slot; a hundred numbers meet every server that owns a fair part of them.
        for (var tag = 0; tag < MaxTags; tag++)
        {
            var key = string.Create(CultureInfo.InvariantCulture, $"{options.MarkerKey}:pulse:{{{tag}}}:{self}");
            if (Equals(connection.OwnerOf(key), server.EndPoint))
            {
                return (key, string.Create(CultureInfo.InvariantCulture, $"{options.MarkerKey}:probe:{{{tag}}}:{self}"));
            }
        }

        throw new RedisAwayException($"The cluster's server {server.EndPoint} owns hardly any keys, or is changing its place.", isRefusal: false);
    }

    private static TimeSpan? LeftOf(long milliseconds) => milliseconds >= 0 ? TimeSpan.FromMilliseconds(milliseconds) : null;

    private static byte[] InBrackets(RedisType type) => Encoding.ASCII.GetBytes($"({(type == RedisType.SortedSet ? "zset" : type.ToString().ToLowerInvariant())})");

    private static string Script(string name)
    {
        using var stream = typeof(RedisStatusKeys).Assembly.GetManifestResourceStream($"StatusDaemon.Storage.{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private async Task AwaitReplicaAsync(IDatabase commands)
    {
        try
        {
            var owner = await commands.IdentifyEndpointAsync(Marker);
            var server = connection.Primaries().FirstOrDefault(primary => Equals(primary.EndPoint, owner));
            var replication = server is null ? [] : await server.InfoAsync("replication");
            if (replication.SelectMany(section => section).FirstOrDefault(line => line.Key == "connected_slaves").Value is { } replicas and not "0")
            {
                await server!.ExecuteAsync(connection.Database, "WAIT", [1, 200]);
            }
        }
        catch (RedisServerException e) when (RedisErrors.IsOfMissingRight(e))
        {
            // Without the right to INFO or WAIT a replica that is promoted may not know the epoch.
        }
    }

    /// <summary>What came of a write.</summary>
    /// <param name="IsDone">Null if nobody knows.</param>
    /// <param name="There">The value that was there instead; null if there was none.</param>
    /// <param name="Failure">Why it failed.</param>
    /// <param name="Left">What the key has left of the time to live that it was to keep.</param>
    public readonly record struct Written(bool? IsDone, byte[]? There = null, RedisAwayException? Failure = null, TimeSpan? Left = null);
}
