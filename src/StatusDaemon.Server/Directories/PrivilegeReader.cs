using StackExchange.Redis;
using StatusDaemon.Redis;

namespace StatusDaemon.Directories;

/// <summary>Reads the privilege database, always from the server that takes writes: what a replica has not heard of yet may show what is hidden already. One caller at a time.</summary>
internal sealed class PrivilegeReader(RedisConnection connection, PrivilegeKeys keys)
{
    /// <summary>Keys that one answer to SCAN brings.</summary>
    public const int KeysPerPage = 2048;

    /// <summary>Items that are read at once; a millisecond of the server.</summary>
    public const int ItemsPerRead = 512;

    private readonly PrivilegeValues values = new();

    /// <summary>All keys of a server, ours or not, some perhaps twice, a page at a time.</summary>
    /// <remarks>Without a pattern: five of them would make five passes over the same keys.</remarks>
    /// <exception cref="RedisAwayException">It is away.</exception>
    public IAsyncEnumerable<IReadOnlyList<byte[]>> KeysAsync(IServer server) => connection.KeysAsync(server, "*", KeysPerPage);

    /// <summary>Reads items, in their order. Outside of a cluster all of them at one moment, so that what a transaction changed is seen whole.</summary>
    /// <exception cref="RedisAwayException">The database is away.</exception>
    public Task<PrivilegeFact[]> ReadAsync(IReadOnlyList<PrivilegeItem> items) =>
        connection.RunAsync(_ => connection.IsCluster ? ReadApartAsync(items) : ReadAtOnceAsync(items));

    /// <summary>Reads many items, in their order, in less time and not at one moment: where it tells news, read again.</summary>
    /// <exception cref="RedisAwayException">The database is away.</exception>
    public Task<PrivilegeFact[]> GlanceAsync(IReadOnlyList<PrivilegeItem> items) => connection.RunAsync(async _ =>
        (PrivilegeFact[])[.. (await Task.WhenAll(items.Chunk(ItemsPerRead).Select(chunk => Task.Run(() => connection.IsCluster ? ReadApartAsync(chunk) : GlanceChunkAsync(chunk))))).SelectMany(facts => facts)]);

    /// <summary>Reads look-ups by one command, and all else by one each.</summary>
    private async Task<PrivilegeFact[]> GlanceChunkAsync(PrivilegeItem[] items)
    {
        var facts = new PrivilegeFact[items.Length];
        int[] lookUps = [.. Enumerable.Range(0, items.Length).Where(index => items[index].Kind is PrivilegeKind.DName or PrivilegeKind.Number)];
        int[] others = [.. Enumerable.Range(0, items.Length).Except(lookUps)];
        var reading = ReadApartAsync([.. others.Select(index => items[index])]);
        var found = lookUps.Length == 0 ? [] : await connection.Commands.StringGetAsync([.. lookUps.Select(index => (RedisKey)keys.KeyOf(items[index]))], CommandFlags.DemandMaster);
        foreach (var (index, value) in lookUps.Zip(found).Where(pair => !pair.Second.IsNull))
        {
            facts[index] = PrivilegeValues.ReadLookUp(value);
        }

        int[] missing = [.. lookUps.Where(index => facts[index] is null)]; // gone, or of another type
        foreach (var (index, fact) in others.Zip(await reading).Concat(missing.Zip(await ReadApartAsync([.. missing.Select(index => items[index])]))))
        {
            facts[index] = fact;
        }

        return facts;
    }

    private async Task<PrivilegeFact[]> ReadAtOnceAsync(IReadOnlyList<PrivilegeItem> items)
    {
        var transaction = connection.Commands.CreateTransaction();
        var answers = Ask(transaction, items);
        try
        {
            if (await transaction.ExecuteAsync(CommandFlags.DemandMaster))
            {
                return await FactsAsync(answers);
            }
        }
        catch (RedisServerException)
        {
            await ReadApartAsync(items); // fails with the reason, where a transaction says only that it was discarded
            throw;
        }

        throw new RedisException("a transaction was not done");
    }

    private Task<PrivilegeFact[]> ReadApartAsync(IReadOnlyList<PrivilegeItem> items)
    {
        if (items.Count == 0)
        {
            return Task.FromResult<PrivilegeFact[]>([]);
        }

        var batch = connection.Commands.CreateBatch();
        var answers = Ask(batch, items);
        batch.Execute();
        return FactsAsync(answers);
    }

    private Answer[] Ask(IDatabaseAsync commands, IReadOnlyList<PrivilegeItem> items) => [.. items.Select(item => new Answer(commands, keys, item))];

    private async Task<PrivilegeFact[]> FactsAsync(Answer[] answers)
    {
        var facts = new PrivilegeFact[answers.Length];
        for (var i = 0; i < answers.Length; i++)
        {
            facts[i] = await answers[i].ReadAsync(values);
        }

        return facts;
    }

    /// <summary>What was asked for one item.</summary>
    private readonly struct Answer
    {
        private readonly PrivilegeKind kind;
        private readonly Task<RedisValue>? value;
        private readonly Task<HashEntry[]>? fields;
        private readonly Task<RedisValue[]>? black;
        private readonly Task<RedisValue[]>? white;

        public Answer(IDatabaseAsync commands, PrivilegeKeys keys, PrivilegeItem item)
        {
            const CommandFlags Flags = CommandFlags.DemandMaster;
            kind = item.Kind;
            switch (kind)
            {
                case PrivilegeKind.Description:
                    fields = commands.HashGetAllAsync(keys.KeyOf(item), Flags);
                    break;
                case PrivilegeKind.Rules:
                    var (blackKey, whiteKey) = keys.RulesOf(item.Name);
                    black = commands.SetMembersAsync(blackKey, Flags);
                    white = commands.SetMembersAsync(whiteKey, Flags);
                    break;
                default:
                    value = commands.StringGetAsync(keys.KeyOf(item), Flags);
                    break;
            }
        }

        public async Task<PrivilegeFact> ReadAsync(PrivilegeValues values) => kind switch
        {
            PrivilegeKind.Description => values.ReadDescription(await RedisErrors.NullIfOfAnotherTypeAsync(fields!)),
            PrivilegeKind.Rules => values.ReadRules(await RedisErrors.NullIfOfAnotherTypeAsync(black!), await RedisErrors.NullIfOfAnotherTypeAsync(white!)),
            _ => await RedisErrors.NullIfOfAnotherTypeAsync(value!) is { } text ? PrivilegeValues.ReadLookUp(text) : PrivilegeValues.NoText,
        };
    }
}
