using StackExchange.Redis;

namespace StatusDaemon.Redis;

/// <summary>Hears which keys of a Redis change, on every server that owns keys: a bell only, since what is said may get lost.</summary>
/// <remarks>
/// In a cluster each server tells of its own keys alone. After a connection was lost the library does not subscribe again by itself to what is listened to on all servers, so
/// <see cref="ListenAsync"/> is called after each interruption. <paramref name="ring"/> is called by any thread, one at a time, and must not block.
/// </remarks>
/// <param name="globs">Patterns of keys, as Redis matches them.</param>
/// <param name="ring">Is told the bytes of a key that was set, changed, deleted, has expired or was evicted.</param>
internal sealed class RedisListener(RedisConnection connection, IReadOnlyList<string> globs, RedisListener.Bell ring)
{
    private const int UsualKeyBytes = 512;

    private readonly Lock gate = new();
    private ChannelMessageQueue[] queues = []; // what came and was not rung yet
    private long listeningSince = -1;
    private volatile string? refused;

    /// <summary>Takes the key of an event.</summary>
    public delegate void Bell(ReadOnlySpan<byte> key);

    /// <summary>Whether something may have been missed since the last <see cref="ListenAsync"/>, or it has not been called.</summary>
    public bool HasGap => listeningSince != connection.Interruptions;

    /// <summary>A channel that the server does not let us listen to; null if it lets us.</summary>
    public string? Refused => refused;

    /// <summary>Begins to listen, or begins anew. Whether it is heard what rings must be tried: a connection may come a moment later, or never.</summary>
    /// <exception cref="RedisAwayException">Redis is away.</exception>
    public async Task ListenAsync()
    {
        var now = connection.Interruptions;
        refused = null;
        List<ChannelMessageQueue> made = [];
        var answers = true;
        try
        {
            foreach (var glob in globs)
            {
                var channel = RedisChannel.KeySpacePattern(glob, connection.Database);
                await connection.Subscriber.UnsubscribeAsync(channel, flags: CommandFlags.FireAndForget);

                // The library fills the queue before it reads on, and calls us by another thread some time later.
                if (answers && await TrySubscribeAsync(channel) is { } queue)
                {
                    made.Add(queue);
                }
                else
                {
                    // One server that is down, such as the primary of before, must not keep us from listening to all others, nor hold us up for each channel.
                    answers = refused is not null;
                    await connection.Subscriber.UnsubscribeAsync(channel, flags: CommandFlags.FireAndForget);
                    made.Add(await connection.Subscriber.SubscribeAsync(channel, CommandFlags.FireAndForget));
                }

                await connection.Subscriber.SubscribeAsync(channel, (_, _) => Drain(), CommandFlags.FireAndForget);
            }
        }
        catch (Exception e) when (RedisErrors.IsOfRedis(e))
        {
            throw connection.Away(e);
        }

        lock (gate)
        {
            queues = [.. made];
        }

        listeningSince = now;
        Drain();
    }

    /// <summary>Waits until every event has rung that the server sent before the call: they and the answer come in one line. Outside of a cluster, where there is one such server.</summary>
    /// <exception cref="RedisAwayException">Redis is away, or the connection for listening is not there.</exception>
    public async Task CatchUpAsync()
    {
        try
        {
            await connection.Subscriber.PingAsync(CommandFlags.DemandMaster);
        }
        catch (Exception e) when (RedisErrors.IsOfRedis(e))
        {
            throw connection.Away(e);
        }

        Drain();
    }

    /// <returns>Null if the server does not let us, which is noted, or one of several is down.</returns>
    private async Task<ChannelMessageQueue?> TrySubscribeAsync(RedisChannel channel)
    {
        try
        {
            return await connection.Subscriber.SubscribeAsync(channel);
        }
        catch (RedisServerException e) when (RedisErrors.IsOfMissingRight(e))
        {
            refused = channel.ToString();
            return null;
        }
        catch (Exception e) when (RedisErrors.IsOfRedis(e))
        {
            return null;
        }
    }

    private void Drain()
    {
        lock (gate)
        {
            foreach (var queue in queues)
            {
                while (queue.TryRead(out var message))
                {
                    Hear(message.Channel, message.Message);
                }
            }
        }
    }

    private void Hear(RedisChannel channel, RedisValue kind)
    {
        if (!KeyNotification.TryParse(in channel, in kind, out var notification))
        {
            return;
        }

        var bytes = notification.GetKeyByteCount();
        Span<byte> key = bytes <= UsualKeyBytes ? stackalloc byte[bytes] : new byte[bytes];
        if (notification.TryCopyKey(key, out var copied))
        {
            ring(key[..copied]);
        }
    }
}
