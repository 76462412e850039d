using System.Security.Cryptography;
using StackExchange.Redis;
using StatusDaemon.Redis;

namespace StatusDaemon.Directories;

/// <summary>What the members of a cluster show each other of their directory files, in the status database (docs/operations.md, "Several machines").</summary>
/// <remarks>
/// One hash has what each member says, and beside it is each file, zipped, under the hash of its content. No command names two keys, so that it works in a Redis Cluster too. One loop tells and forgets; another one may fetch.
/// </remarks>
/// <param name="prefix">Beginning of the keys of the cluster.</param>
internal sealed class SharedDirectoryFiles(RedisOptions redis, string prefix) : IAsyncDisposable
{
    /// <summary>How long what nobody has in force any more is kept.</summary>
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);

    private readonly RedisConnection connection = new(redis, "REDIS");
    private readonly RedisKey members = $"{prefix}:directories";
    private readonly string self = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)); // of this process: another one may have another file
    private long count;

    /// <summary>Says which file this member has in force, and hears the others.</summary>
    /// <returns>What each other member has said last, by its name.</returns>
    /// <remarks>Whoever says something first is heard by all who say something later: of two members with different files one at least hears the other.</remarks>
    /// <exception cref="RedisAwayException">Redis is away, or refuses it.</exception>
    public async Task<IReadOnlyDictionary<string, MemberSaying>> TellAsync(DirectoryFile file, CancellationToken stop)
    {
        await connection.ConnectAsync(stop);
        return await connection.RunAsync(async commands =>
        {
            if (!await commands.KeyExpireAsync(KeyOf(file.Hash), Life))
            {
                await commands.StringSetAsync(KeyOf(file.Hash), file.Zipped, Life); // before it is spoken of
            }

            await commands.HashSetAsync(members, self, new MemberSaying(file.Hash, ++count).ToString());
            await commands.KeyExpireAsync(members, Life);
            var said = new Dictionary<string, MemberSaying>();
            foreach (var entry in await commands.HashGetAllAsync(members, CommandFlags.DemandMaster))
            {
                if (entry.Name != self && MemberSaying.TryParse(entry.Value.ToString(), out var saying))
                {
                    said[entry.Name.ToString()] = saying;
                }
            }

            return said;
        });
    }

    /// <summary>Takes back what members have said who are gone.</summary>
    /// <exception cref="RedisAwayException">Redis is away, or refuses it.</exception>
    public Task<long> ForgetAsync(IReadOnlyList<string> gone) => connection.RunAsync(commands => commands.HashDeleteAsync(members, [.. gone.Select(name => (RedisValue)name)]));

    /// <summary>The file of another member, zipped; null if there is none.</summary>
    /// <exception cref="RedisAwayException">Redis is away, or refuses it.</exception>
    public Task<byte[]?> FetchAsync(string hash) =>
        connection.RunAsync(async commands => (byte[]?)await RedisErrors.NullIfOfAnotherTypeAsync(commands.StringGetAsync(KeyOf(hash), CommandFlags.DemandMaster)));

    /// <summary>The key of a file.</summary>
    public string KeyOf(string hash) => $"{prefix}:directory:{hash}";

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => connection.DisposeAsync();
}
