using StackExchange.Redis;

namespace StatusDaemon.Redis;

/// <summary>Hears which keys of a Redis change, on every server that owns keys: a bell only, since what is said may get lost.</summary>
/// <remarks>
/// In a cluster each server tells of its own keys alone. After a connection was lost the library does not subscribe again by itself to what is listened to on all servers, so
/// <see cref="ListenAsync"/> is called after each interruption. <paramref name="ring"/> is called by any thread, also by several at once, and must not block.
/// </remarks>
/// <param name="globs">Patterns of keys, as Redis matches them.</param>
/// <param name="ring">Is told the bytes of a key that was set, changed, deleted, has expired or was evicted.</param>
internal sealed class RedisListener(RedisConnection connection, IReadOnlyList<string> globs, RedisListener.Bell ring)
{
    private const int UsualKeyBytes = 512;

    private long listeningSince = -1;

    /// <summary>Takes the key of an event.</summary>
    public delegate void Bell(ReadOnlySpan<byte> key);

    /// <summary>Whether something may have been missed since the last <see cref="ListenAsync"/>, or it has not been called.</summary>
    public bool HasGap => listeningSince != connection.Interruptions;

    /// <summary>Begins to listen, or begins anew. Whether it is heard what rings must be tried: a connection may come a moment later, or never.</summary>
    /// <exception cref="RedisAwayException">Redis is away.</exception>
    public async Task ListenAsync()
    {
        var now = connection.Interruptions;
        try
        {
            foreach (var glob in globs)
            {
                // Fire and forget: else one server that is down, such as the primary of before, would keep us from listening to all others.
                var channel = RedisChannel.KeySpacePattern(glob, connection.Database);
                await connection.Subscriber.UnsubscribeAsync(channel, flags: CommandFlags.FireAndForget);
                await connection.Subscriber.SubscribeAsync(channel, Hear, CommandFlags.FireAndForget);
            }
        }
        catch (Exception e) when (RedisErrors.IsOfRedis(e))
        {
            throw connection.Away(e);
        }

        listeningSince = now;
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
