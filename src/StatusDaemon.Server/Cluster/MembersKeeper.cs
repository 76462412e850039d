using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using StatusDaemon.Redis;

namespace StatusDaemon.Cluster;

/// <summary>Writes the list of members into Redis again where it was lost with the rest of the database: else nobody who is dead would ever be given up, and who comes would find nobody.</summary>
/// <remarks>
/// The whole list, as this daemon saw it last: one that had only some of them for a moment would take the others' shards away. Who has died meanwhile is found out as always. Orleans goes by the version of the list, which a new
/// one must exceed.
/// </remarks>
internal sealed partial class MembersKeeper(RedisMembership membership, ILocalSiloDetails place, TimeProvider clock, ILogger<MembersKeeper> log) : BackgroundService
{
    private const string Version = "Version";

    private const string Restore = """
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
        local version = math.max(tonumber(redis.call('HGET', KEYS[1], ARGV[2]) or '0'), tonumber(ARGV[3])) + 1
        for i = 4, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
        redis.call('HSET', KEYS[1], ARGV[2], string.format('%d', version))
        return 1
        """;

    /// <summary>How often it looks.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private HashEntry[] seen = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await using var connection = membership.NewConnection();
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(stop))
        {
            try
            {
                await connection.ConnectAsync(stop);
                await LookAsync(connection);
            }
            catch (RedisAwayException)
            {
                // Nothing is known of it now.
            }
        }
    }

    private async Task LookAsync(RedisConnection connection)
    {
        RedisValue self = place.SiloAddress.ToString();
        var found = await connection.RunAsync(commands => commands.HashGetAllAsync(membership.MembersKey, CommandFlags.DemandMaster));
        if (found.Any(line => line.Name == self))
        {
            seen = found;
            return;
        }

        if (seen.Length == 0)
        {
            return; // it has not come in yet
        }

        var version = seen.First(line => line.Name == Version).Value;
        RedisValue[] lines = [.. seen.Where(line => line.Name != Version).SelectMany(line => new[] { line.Name, line.Value })];
        if ((int)await connection.RunAsync(commands => commands.ScriptEvaluateAsync(Restore, [membership.MembersKey], [self, Version, version, .. lines])) == 1)
        {
            await connection.RunAsync(membership.NoteShardsAsync);
            LogRestored(membership.Place);
        }
    }

    [LoggerMessage(3505, LogLevel.Warning, "{Place} had lost who is a member of the cluster, and was told again")]
    private partial void LogRestored(string place);
}
