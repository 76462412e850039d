using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Clustering.Redis;
using Orleans.Configuration;
using Orleans.GrainDirectory;
using Orleans.GrainDirectory.Redis;
using Orleans.Messaging;
using Orleans.Runtime.Hosting;
using StackExchange.Redis;
using StatusDaemon.Redis;
using StatusDaemon.Storage;
using MsOptions = Microsoft.Extensions.Options.Options;
using OrleansClusterOptions = Orleans.Configuration.ClusterOptions;

namespace StatusDaemon.Cluster;

/// <summary>Daemons on several machines, who know each other through the status database (docs/operations.md, "Several machines").</summary>
/// <remarks>
/// One hash says what all have in common. Orleans keeps another one of who is there, and a key for each shard of where it is: what it would keep of that in the
/// daemons themselves is lost with one of them, and so are shards of the others.
/// </remarks>
internal sealed partial class RedisMembership(StatusRedisOptions redis, ClusterOptions options, TimeProvider clock, ILogger<RedisMembership> log) : IMembership
{
    private const string Shards = "shards";

    private readonly string key = redis.ClusterKeyOf(options.Id);

    /// <inheritdoc/>
    public string Place => $"Redis at {redis.Server.Address}";

    /// <summary>Where Orleans keeps who is there: a hash with a line for each member, and its version.</summary>
    public RedisKey MembersKey => $"{key}:members";

    /// <inheritdoc/>
    public void Join(ISiloBuilder silo)
    {
        silo.UseRedisClustering(Configure);
        silo.Services.AddGrainDirectory(GrainDirectoryAttribute.DEFAULT_GRAIN_DIRECTORY, (services, _) => new RedisGrainDirectory(
            new RedisGrainDirectoryOptions { ConfigurationOptions = RedisConfiguration.Of(redis.Server) },
            MsOptions.Create(new OrleansClusterOptions { ClusterId = key }), // its keys begin with that
            services.GetRequiredService<ILogger<RedisGrainDirectory>>()));
        silo.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<MembersKeeper>(services, this));
    }

    /// <summary>A connection of its own, not made yet.</summary>
    public RedisConnection NewConnection() => new(redis.Server, "REDIS");

    /// <summary>Notes what all members have in common, if nobody has.</summary>
    public Task<bool> NoteShardsAsync(IDatabase commands) => commands.HashSetAsync(key, Shards, options.Shards, When.NotExists);

    /// <inheritdoc/>
    public void Find(IClientBuilder client)
    {
        client.UseRedisClustering(Configure);
        var provider = client.Services.Last(service => service.ServiceType == typeof(IGatewayListProvider));
        client.Services.Remove(provider);
        client.Services.AddSingleton<IGatewayListProvider>(services => ActivatorUtilities.CreateInstance<PatientDaemons>(
            services, provider.ImplementationFactory?.Invoke(services) ?? ActivatorUtilities.CreateInstance(services, provider.ImplementationType!)));
    }

    /// <inheritdoc/>
    public async Task EnterAsync(CancellationToken stop)
    {
        if ((options.Advertise ?? options.Host) is var told && IPAddress.IsLoopback(told) && !redis.Server.IsHere)
        {
            LogLoopback(told, Place);
        }

        for (var isTold = false; ; isTold = true)
        {
            try
            {
                Compare(await AskAsync(NoteShardsAsync, stop));
                return;
            }
            catch (RedisAwayException e) when (!e.IsRefusal)
            {
                if (!isTold)
                {
                    LogWaits(e.Message);
                }
            }

            await Task.Delay(RedisConnection.Retry, clock, stop);
        }
    }

    /// <inheritdoc/>
    public async Task CheckAsync(CancellationToken stop) =>
        Compare(await AskAsync(static _ => Task.CompletedTask, stop) ?? throw new RedisAwayException($"{Place} knows no cluster {options.Id}: no daemon was ever there.", isRefusal: false));

    private async Task<int?> AskAsync(Func<IDatabase, Task> before, CancellationToken stop)
    {
        await using var connection = NewConnection();
        await connection.ConnectAsync(stop);
        return await connection.RunAsync(async commands =>
        {
            await before(commands);
            return (int?)await commands.HashGetAsync(key, Shards, CommandFlags.DemandMaster);
        });
    }

    private void Compare(int? found)
    {
        if (found != options.Shards)
        {
            throw new ShardCountException(string.Create(
                CultureInfo.InvariantCulture,
                $"The daemons of cluster {options.Id} have {found} shards, and CLUSTER.shards is {options.Shards} here: give all members the same number. To change it, stop all daemons and gateways and HSET {key} {Shards} {options.Shards} in {Place}."));
        }
    }

    private void Configure(RedisClusteringOptions clustering)
    {
        clustering.ConfigurationOptions = RedisConfiguration.Of(redis.Server);
        clustering.CreateRedisKey = _ => MembersKey;
    }

    [LoggerMessage(3507, LogLevel.Warning, "Others are told that this daemon is at {Address}, where no other machine finds it, and {Place} does not look as if it were on this one: set CLUSTER.host, or CLUSTER.advertise")]
    private partial void LogLoopback(IPAddress address, string place);

    [LoggerMessage(3501, LogLevel.Warning, "Who else is there is not known, and asked for until it is: {Reason}")]
    private partial void LogWaits(string reason);
}
