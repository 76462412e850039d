using StackExchange.Redis;

namespace StatusDaemon.Redis;

/// <summary>The setting <c>notify-keyspace-events</c> of a Redis: which events of keys it tells.</summary>
internal sealed class RedisNotifications(RedisConnection connection)
{
    private const string Setting = "notify-keyspace-events";

    /// <summary>What we need: the events of each key, all kinds. Redis writes all kinds as one letter where they are complete.</summary>
    private const string Needed = "KA";

    // What the letter A stands for: https://redis.io/docs/latest/develop/use/keyspace-notifications/ ; later servers may add some, which no key of ours has.
    private const string AllKinds = "g$lshzxet";

    /// <summary>Whether flags as a server gives them hold all that is needed, in whatever order.</summary>
    public static bool Suffice(string flags) => flags.Contains('K', StringComparison.Ordinal) && (flags.Contains('A', StringComparison.Ordinal) || AllKinds.All(flags.Contains));

    /// <summary>Whether every server sends what is needed; null where one does not let us ask.</summary>
    /// <exception cref="RedisAwayException">Redis is away.</exception>
    public async Task<bool?> AreOnAsync(IReadOnlyList<IServer> servers)
    {
        foreach (var server in servers)
        {
            if (await AskAsync(server) is not { } flags)
            {
                return null;
            }

            if (!Suffice(flags))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Turns notifications on where they are not, beside those that are, and where we are let.</summary>
    /// <returns>Whether something was changed.</returns>
    /// <exception cref="RedisAwayException">Redis is away.</exception>
    public async Task<bool> TurnOnAsync(IReadOnlyList<IServer> servers)
    {
        var isChanged = false;
        foreach (var server in servers)
        {
            if (await AskAsync(server) is { } flags && !Suffice(flags))
            {
                isChanged |= await TryAsync(() => server.ConfigSetAsync(Setting, string.Concat((flags + Needed).Distinct())));
            }
        }

        return isChanged;
    }

    /// <returns>Null where we are not let ask.</returns>
    private async Task<string?> AskAsync(IServer server)
    {
        string? flags = null;
        return await TryAsync(async () => flags = (await server.ConfigGetAsync(Setting)).FirstOrDefault().Value) ? flags ?? "" : null;
    }

    private async Task<bool> TryAsync(Func<Task> command)
    {
        try
        {
            await command();
            return true;
        }
        catch (RedisServerException)
        {
            return false; // an ACL without CONFIG, or a service that has renamed it
        }
        catch (Exception e) when (RedisErrors.IsOfRedis(e))
        {
            throw connection.Away(e);
        }
    }
}
