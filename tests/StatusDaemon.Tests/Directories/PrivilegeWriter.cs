using StackExchange.Redis;
using StatusDaemon.Privileges;

namespace StatusDaemon.Directories;

/// <summary>Writes as the privilege service does, with the default names of keys.</summary>
internal static class PrivilegeWriter
{
    /// <summary>Makes the database say these, and nobody else, at one moment; what stays the same is left alone.</summary>
    public static async Task SayAsync(IDatabase database, IServer server, params Subscriber[] subscribers)
    {
        var wanted = subscribers.SelectMany(KeysOf).ToHashSet();
        var transaction = database.CreateTransaction();
        List<Task> done = [];
        await foreach (var key in server.KeysAsync())
        {
            if (!wanted.Contains(key!))
            {
                done.Add(transaction.KeyDeleteAsync(key));
            }
        }

        done.AddRange(subscribers.SelectMany(subscriber => Put(transaction, subscriber)));
        await transaction.ExecuteAsync();
        await Task.WhenAll(done);
    }

    /// <summary>Writes all of one subscriber.</summary>
    public static Task PutAsync(IDatabase database, Subscriber subscriber) => Task.WhenAll(Put(database, subscriber));

    /// <summary>Writes all of one subscriber, by commands that are not waited for.</summary>
    public static IEnumerable<Task> Put(IDatabaseAsync commands, Subscriber subscriber)
    {
        var uid = subscriber.Uid.ToString();
        foreach (var dname in subscriber.DNames)
        {
            yield return commands.StringSetAsync($"dname:{dname}", uid);
        }

        foreach (var number in subscriber.Numbers)
        {
            yield return commands.StringSetAsync($"number:{number}", uid);
        }

        yield return commands.HashSetAsync($"subscriber:{uid}", [new("dname", subscriber.DName.ToString()), new("numbers", string.Join(',', subscriber.Numbers)), new("domain", subscriber.Domain.ToString()), new("name", subscriber.Name)]);
        foreach (var (list, selectors) in ((string, IReadOnlyList<Names.Selector>)[])[("black", subscriber.Rules.Black), ("white", subscriber.Rules.White)])
        {
            yield return commands.KeyDeleteAsync($"{list}:{uid}");
            if (selectors.Count > 0)
            {
                yield return commands.SetAddAsync($"{list}:{uid}", [.. selectors.Select(selector => (RedisValue)selector.ToString())]);
            }
        }
    }

    private static IEnumerable<string> KeysOf(Subscriber subscriber) =>
    [
        .. subscriber.DNames.Select(dname => $"dname:{dname}"), .. subscriber.Numbers.Select(number => $"number:{number}"),
        $"subscriber:{subscriber.Uid}", $"black:{subscriber.Uid}", $"white:{subscriber.Uid}",
    ];
}
