using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using StackExchange.Redis;
using StatusDaemon.Redis;

namespace StatusDaemon.Storage;

/// <summary>A counter of this daemon on each server that owns keys, which rings when it goes up: one that is lower than it was belongs to a server that has lost writes, one that is not heard to a server whose rings we miss.</summary>
/// <param name="noteLoss">Is told in words what a server has lost.</param>
/// <param name="noteDaemon">Is told of each pulse of another daemon.</param>
internal sealed class RedisPulses(RedisConnection connection, RedisStatusKeys keys, TimeProvider clock, Action<string> noteLoss, Action<DaemonName> noteDaemon) : IDisposable
{
    /// <summary>Keys of pulses and probes are some a server; others that somebody makes are not to fill the memory.</summary>
    private const int MaxHeard = 10_000;

    /// <summary>How long a ring may take that is tried.</summary>
    private static readonly TimeSpan TrialPatience = TimeSpan.FromMilliseconds(300);

    private readonly SemaphoreSlim raising = new(1);
    private readonly Dictionary<string, long> pulses = []; // by key, under the semaphore
    private readonly ConcurrentDictionary<string, int> heard = new();

    /// <summary>A key rang that is none of a status.</summary>
    public void Hear(ReadOnlySpan<byte> key)
    {
        var name = Encoding.UTF8.GetString(key);
        if (keys.TryReadPulse(name, out var daemon) && daemon != keys.Self)
        {
            noteDaemon(daemon);
            return;
        }

        if (heard.Count < MaxHeard || heard.ContainsKey(name))
        {
            heard.AddOrUpdate(name, 1, static (_, count) => count + 1);
        }
    }

    /// <summary>How often the pulse of each server was heard.</summary>
    public IReadOnlyDictionary<string, int> Heard() => connection.Primaries().Select(server => keys.KeysOn(server).Pulse).ToDictionary(key => key, CountOf);

    /// <summary>Whether each of them was heard again.</summary>
    public bool AreHeardSince(IReadOnlyDictionary<string, int> before) => before.All(key => CountOf(key.Key) > key.Value);

    /// <summary>Forgets how high they were: the store is another one now.</summary>
    public async Task ForgetAsync()
    {
        await raising.WaitAsync();
        pulses.Clear();
        raising.Release();
    }

    /// <summary>Raises the pulse of each server. One that is lower than it was is put right, and what it tells is noted.</summary>
    /// <exception cref="RedisAwayException">Redis is away.</exception>
    public async Task RaiseAsync()
    {
        await raising.WaitAsync();
        try
        {
            foreach (var server in connection.Primaries())
            {
                var (key, _) = keys.KeysOn(server);
                var pulse = await keys.PulseAsync(key);
                var isKnown = pulses.TryGetValue(key, out var seen);
                if (pulse is null || (isKnown && pulse <= seen))
                {
                    if (isKnown)
                    {
                        noteLoss(pulse is null ? $"somebody wrote over {key}" : string.Create(CultureInfo.InvariantCulture, $"{server.EndPoint} is {seen - pulse + 1} steps behind"));
                    }

                    pulse = seen + 1;
                    await keys.SetPulseAsync(key, seen + 1);
                }

                pulses[key] = pulse.Value;
            }
        }
        finally
        {
            raising.Release();
        }
    }

    /// <summary>Tries whether every server's rings are heard, of all kinds that we need.</summary>
    /// <exception cref="RedisAwayException">Redis is away.</exception>
    public async Task<bool> AreHeardAsync(IReadOnlyList<IServer> servers, CancellationToken stop)
    {
        foreach (var server in servers)
        {
            var (pulse, probe) = keys.KeysOn(server);
            var (pulsesHeard, probesHeard) = (CountOf(pulse), CountOf(probe));
            await RaiseAsync();
            await keys.ProbeAsync(probe);
            var since = clock.GetTimestamp();
            while (CountOf(pulse) == pulsesHeard || CountOf(probe) < probesHeard + 2)
            {
                if (clock.GetElapsedTime(since) > TrialPatience)
                {
                    return false;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(5), clock, stop);
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => raising.Dispose();

    private int CountOf(string key) => heard.GetValueOrDefault(key);
}
