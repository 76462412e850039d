using StackExchange.Redis;
using StatusDaemon.Redis;

namespace StatusDaemon.Directories;

/// <summary>The privilege database as tools need it: all of it as it is written, and changes to it. The daemon never writes there.</summary>
internal sealed class PrivilegeDatabase(RedisConnection connection, PrivilegeKeys keys)
{
    /// <summary>Changes that are made at one moment, outside of a cluster: those of one subscriber are never parted.</summary>
    private const int ChangesAtOnce = 500;

    private readonly PrivilegeReader reader = new(connection, keys);

    /// <summary>Reads everything; keys of other programs are passed over.</summary>
    /// <param name="misnamed">Keys with a name that can't be read, in words.</param>
    /// <param name="mistyped">Keys of another type, in words.</param>
    /// <exception cref="RedisAwayException">It is away, or refuses us.</exception>
    public async Task<PrivilegeContent> ReadAsync(List<string> misnamed, List<string> mistyped, CancellationToken stop)
    {
        var content = new PrivilegeContent();
        var seen = new HashSet<PrivilegeItem>();
        foreach (var server in connection.Primaries())
        {
            await foreach (var page in reader.KeysAsync(server))
            {
                stop.ThrowIfCancellationRequested();
                List<PrivilegeItem> items = [];
                foreach (var key in page)
                {
                    if (keys.TryRead(key, out var item, out var problem) && seen.Add(item))
                    {
                        items.Add(item);
                    }
                    else if (problem is not null)
                    {
                        misnamed.Add($"{System.Text.Encoding.UTF8.GetString(key)}: {problem}");
                    }
                }

                await Task.WhenAll(items.Select(item => ReadAsync(content, item, mistyped)));
            }
        }

        return content;
    }

    /// <summary>Makes changes.</summary>
    /// <exception cref="RedisAwayException">It is away, or refuses us; what was made before stays made.</exception>
    public async Task ApplyAsync(IEnumerable<PrivilegeChange> changes, CancellationToken stop)
    {
        List<PrivilegeChange> batch = [];
        foreach (var ofOne in changes.GroupBy(change => change.Uid))
        {
            batch.AddRange(ofOne);
            if (batch.Count >= ChangesAtOnce)
            {
                await WriteInStepsAsync(batch, stop);
                batch.Clear();
            }
        }

        await WriteInStepsAsync(batch, stop);
    }

    /// <summary>In a cluster, which makes no changes at one moment, what hides comes first and what shows last.</summary>
    private async Task WriteInStepsAsync(List<PrivilegeChange> changes, CancellationToken stop)
    {
        foreach (var step in connection.IsCluster ? changes.GroupBy(StepOf).OrderBy(step => step.Key).Select(step => step.ToList()) : [changes])
        {
            await WriteAsync(step, stop);
        }
    }

    private int StepOf(PrivilegeChange change)
    {
        var isList = change.Part is not null && !IsHash(change);
        return (change.Kind == PrivilegeChangeKind.Removed, isList) switch
        {
            (false, true) => 0,
            (true, false) => 1,
            (false, false) => 2,
            (true, true) => 3,
        };
    }

    private async Task WriteAsync(List<PrivilegeChange> changes, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        await connection.RunAsync(async commands =>
        {
            var transaction = connection.IsCluster ? null : commands.CreateTransaction();
            var batch = transaction ?? commands.CreateBatch();
            var made = changes.Select(change => WriteAsync(batch, change)).ToArray();
            if (transaction is null)
            {
                batch.Execute();
            }
            else if (!await transaction.ExecuteAsync())
            {
                throw new RedisException("a transaction was not done");
            }

            return await Task.WhenAll(made);
        });
    }

    private Task<bool> WriteAsync(IDatabaseAsync commands, PrivilegeChange change)
    {
        var isGone = change.Kind == PrivilegeChangeKind.Removed;
        return change switch
        {
            { Part: null } => isGone ? commands.KeyDeleteAsync(change.Key) : commands.StringSetAsync(change.Key, change.After),
            { Part: { } field } when IsHash(change) => isGone ? commands.HashDeleteAsync(change.Key, field) : commands.HashSetAsync(change.Key, field, change.After),
            { Part: { } member } => isGone ? commands.SetRemoveAsync(change.Key, member) : commands.SetAddAsync(change.Key, member),
        };
    }

    private bool IsHash(PrivilegeChange change) => keys.TryRead(System.Text.Encoding.UTF8.GetBytes(change.Key), out var item, out _) && item.Kind == PrivilegeKind.Description;

    private async Task ReadAsync(PrivilegeContent content, PrivilegeItem item, List<string> mistyped)
    {
        var commands = connection.Commands;
        switch (item.Kind)
        {
            case PrivilegeKind.Description:
                var hash = keys.KeyOf(item);
                RedisValue[] fields = [.. PrivilegeContent.Fields.Select(field => (RedisValue)field)];
                if (await ReadAsync(() => commands.HashGetAsync(hash, fields, CommandFlags.DemandMaster), hash, "hash", mistyped) is { } values)
                {
                    Add(PrivilegeContent.Fields.Zip(values).Where(pair => !pair.Second.IsNull).Select(pair => (new PrivilegeEntry(PrivilegeKeyType.Hash, hash, pair.First), (string)pair.Second!)));
                }

                break;
            case PrivilegeKind.Rules:
                var (black, white) = keys.RulesOf(item.Name);
                foreach (var list in (string[])[black, white])
                {
                    if (await ReadAsync(() => commands.SetMembersAsync(list, CommandFlags.DemandMaster), list, "set", mistyped) is { } members)
                    {
                        Add(members.Select(member => (new PrivilegeEntry(PrivilegeKeyType.Set, list, (string?)member ?? ""), "")));
                    }
                    else
                    {
                        lock (content)
                        {
                            content.Hidden.Add(item.Name);
                        }
                    }
                }

                break;
            default:
                var key = keys.KeyOf(item);
                if (await ReadAsync(async () => [await commands.StringGetAsync(key, CommandFlags.DemandMaster)], key, "string", mistyped) is [{ IsNull: false } value])
                {
                    lock (content)
                    {
                        content.Entries[new(PrivilegeKeyType.LookUp, key, "")] = new((string)value!, (string)value!);
                    }
                }

                break;
        }

        void Add(IEnumerable<(PrivilegeEntry Entry, string Value)> found)
        {
            lock (content)
            {
                foreach (var (entry, value) in found)
                {
                    content.Entries[entry] = new(value, item.Name);
                }
            }
        }
    }

    /// <returns>Null, and a problem, if the key is of another type.</returns>
    private async Task<RedisValue[]?> ReadAsync(Func<Task<RedisValue[]>> read, string key, string type, List<string> mistyped)
    {
        var values = await connection.RunAsync(_ => RedisErrors.NullIfOfAnotherTypeAsync(read()));
        if (values is null)
        {
            lock (mistyped)
            {
                mistyped.Add($"{key}: it is no {type}");
            }
        }

        return values;
    }
}
