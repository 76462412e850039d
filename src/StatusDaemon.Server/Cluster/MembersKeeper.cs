using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using StatusDaemon.Redis;

namespace StatusDaemon.Cluster;

/// <summary>Writes this daemon into the list of members in Redis again where it was lost with the rest of the database: else nobody who is dead would ever be given up, and who comes would find nobody.</summary>
/// <remarks>Each daemon keeps its own line as it was last seen there. Orleans goes by the version of the list, which a new one must exceed; the dead are in it no more.</remarks>
internal sealed partial class MembersKeeper(RedisMembership membership, ILocalSiloDetails self, TimeProvider clock, ILogger<MembersKeeper> log) : BackgroundService
{
    private const string Version = "Version";

    private const string Restore = """
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
        local version = math.max(tonumber(redis.call('HGET', KEYS[1], ARGV[3]) or '0'), tonumber(ARGV[4])) + 1
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2], ARGV[3], string.format('%d', version))
        return 1
        """;

    /// <summary>How often it looks.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private (RedisValue Line, RedisValue Version)? seen;

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
        RedisValue line = self.SiloAddress.ToString();
        var found = await connection.RunAsync(commands => commands.HashGetAsync(membership.MembersKey, [line, Version], CommandFlags.DemandMaster));
        if (found is [{ IsNull: false } own, { IsNull: false } version])
        {
            seen = (own, version);
        }
        else if (seen is { } last && (int)await connection.RunAsync(commands => commands.ScriptEvaluateAsync(Restore, [membership.MembersKey], [line, last.Line, Version, last.Version])) == 1)
        {
            await connection.RunAsync(membership.NoteShardsAsync);
            LogRestored(membership.Place);
        }
    }

    [LoggerMessage(3505, LogLevel.Warning, "{Place} has lost who is a member of the cluster; this daemon is in its list again")]
    private partial void LogRestored(string place);
}
