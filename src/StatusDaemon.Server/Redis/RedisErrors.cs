using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using StackExchange.Redis;

namespace StatusDaemon.Redis;

/// <summary>What a failure of Redis means to whoever runs the daemon, and what to do about it.</summary>
internal static class RedisErrors
{
    // What a server says that is there and does not let us; what it says at its end is its own.
    private static readonly (string Said, string Words)[] Refusals =
    [
        ("WRONGPASS", "refuses user or password; set {0}.user and {0}.password"),
        ("NOAUTH", "wants a password; set {0}.password, and {0}.user if it has users"),
        ("ERR AUTH", "knows no password; take {0}.password out"),
        ("EXECABORT", "does not let this user do what it must; give it the rights that docs/operations.md names"),
        ("increment or decrement would overflow", "has a marker whose epoch is at its end; delete it, then every status is written again ({0}.keys.marker)"),
        ("NOPERM", "does not let this user do what it must; give it the rights that docs/operations.md names"),
        ("database does not exist", "has no such database; set {0}.db to one that it has"),
        ("ERR DB index", "has no such database; set {0}.db to one that it has"),
        ("ERR invalid DB index", "has no such database; set {0}.db to one that it has"),
        ("ERR SELECT is not allowed", "is a cluster, which has database 0 alone; take {0}.db out"),
        ("WRONGTYPE", "holds something else under the key of the marker; delete it, or set {0}.keys.marker to another one"),
    ];

    // What passes by itself, or when an administrator of the server does something.
    private static readonly (string Said, string Words)[] Troubles =
    [
        ("LOADING", "is reading its data from the disk"),
        ("MISCONF", "can't save to its disk and takes no writes; see its log"),
        ("OOM", "has no memory left for writes; see its maxmemory"),
        ("READONLY", "is a replica now; its primary is looked for"),
        ("CLUSTERDOWN", "has lost a part of its cluster"),
        ("TRYAGAIN", "moves the slot just now"),
        ("NOREPLICAS", "has too few replicas to take writes (min-replicas-to-write)"),
        ("BUSY", "is held up by somebody's script"),
    ];

    /// <summary>Whether an exception tells of the server and not of us.</summary>
    public static bool IsOfRedis(Exception e) => e is RedisException or RedisTimeoutException or RedisCommandException or TimeoutException or SocketException or IOException or AuthenticationException or ObjectDisposedException; // the last: a connection that was just given up for a new one

    /// <summary>Whether a server answered that it is a replica.</summary>
    public static bool IsOfReplica(Exception e) => Find<RedisServerException>(e) is { } said && said.Message.StartsWith("READONLY", StringComparison.Ordinal);

    /// <summary>Whether a server answered that this user may not do that.</summary>
    public static bool IsOfMissingRight(RedisServerException e) => e.Message.StartsWith("NOPERM", StringComparison.Ordinal);

    /// <summary>Whether a server answered that a key is of another type than the command is for.</summary>
    public static bool IsOfAnotherType(RedisServerException e) => e.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal);

    /// <summary>What a command brings; null if its key is of another type.</summary>
    public static async Task<T?> NullIfOfAnotherTypeAsync<T>(Task<T> answer)
        where T : class
    {
        try
        {
            return await answer;
        }
        catch (RedisServerException e) when (IsOfAnotherType(e))
        {
            return null;
        }
    }

    /// <inheritdoc cref="NullIfOfAnotherTypeAsync{T}(Task{T})"/>
    public static async Task<RedisValue?> NullIfOfAnotherTypeAsync(Task<RedisValue> answer)
    {
        try
        {
            return await answer;
        }
        catch (RedisServerException e) when (IsOfAnotherType(e))
        {
            return null;
        }
    }

    /// <summary>The failure in words. Redis' own text stands at its end.</summary>
    public static RedisAwayException Explain(Exception? failure, ConnectionFailedEventArgs? connection, RedisConnection redis)
    {
        var texts = Texts(failure).Concat(Texts(connection?.Exception)).ToArray();
        foreach (var (table, isRefusal) in (ReadOnlySpan<((string Said, string Words)[], bool)>)[(Refusals, true), (Troubles, false)])
        {
            foreach (var (said, words) in table)
            {
                if (texts.FirstOrDefault(text => text.Contains(said, StringComparison.Ordinal)) is { } whole)
                {
                    return Make(string.Format(CultureInfo.InvariantCulture, words, redis.Section), whole, isRefusal);
                }
            }
        }

        if (Find<AuthenticationException>(failure) is { } tls || (connection is not null && (tls = Find<AuthenticationException>(connection.Exception)) is not null))
        {
            return Make($"and this program do not agree about TLS; see {redis.Section}.tls and the keys beside it", tls.Message, isRefusal: true);
        }

        if (Find<RedisTimeoutException>(failure) is not null || failure is TimeoutException)
        {
            return new RedisAwayException($"Redis at {redis.Address} does not answer within {RedisConnection.Patience.TotalSeconds:0} s.", isRefusal: false, failure);
        }

        var reason = Find<SocketException>(failure)?.Message ?? Find<SocketException>(connection?.Exception)?.Message;
        return Make("can't be reached", reason ?? connection?.FailureType.ToString() ?? failure?.Message ?? "no connection yet", isRefusal: false);

        RedisAwayException Make(string words, string said, bool isRefusal) => new($"Redis at {redis.Address} {words}. ({said})", isRefusal, failure);
    }

    private static T? Find<T>(Exception? failure)
        where T : Exception
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is T found)
            {
                return found;
            }
        }

        return null;
    }

    private static IEnumerable<string> Texts(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            yield return failure.Message;
        }
    }
}
