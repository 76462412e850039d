using System.Globalization;

namespace StatusDaemon.Chaos;

/// <summary>Something that happens to an installation, and ends.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Lasts">How long it lasts before it is put right.</param>
/// <param name="BeginAsync">Does it.</param>
/// <param name="EndAsync">Puts it right.</param>
/// <param name="Limit">How long a lamp may be without news for it, on a machine that has nothing else to do; null where nothing is promised.</param>
internal sealed record Fault(string Name, TimeSpan Lasts, Func<Installation, Task> BeginAsync, Func<Installation, Task> EndAsync, TimeSpan? Limit = null)
{
    /// <summary>For what nobody should notice, and for shards that move.</summary>
    private static readonly TimeSpan Unnoticed = TimeSpan.FromSeconds(0.5);

    /// <summary>For a daemon that is killed.</summary>
    private static readonly TimeSpan Killed = TimeSpan.FromSeconds(2.5);

    /// <summary>For a member that hangs, or is cut off.</summary>
    private static readonly TimeSpan Lost = TimeSpan.FromSeconds(6);

    /// <summary>Whether those who are connected to the first gateway may be away for longer than the grace for those who are offline.</summary>
    public bool OutlastsGrace => Lasts + TimeSpan.FromSeconds(4) >= Installation.Grace;

    /// <summary>Whether the others may give up a daemon, which then ends by itself.</summary>
    public bool LosesDaemon => Name is "hang-daemon" or "cut-daemons" or "lose-daemon" or "split";

    /// <summary>All there are, and nothing at all, which tells the faults from the machine. Those of one daemon or gateway are of the first; the order of the processes decides nothing.</summary>
    public static IReadOnlyList<Fault> All { get; } =
    [
        new("nothing", Seconds(5), Nothing, Nothing, Unnoticed),
        new("kill-daemon", Seconds(5), at => at.Daemons[0].KillAsync(), Start(at => at.Daemons[0]), Killed),
        new("kill-daemons", Seconds(3), at => Task.WhenAll(at.Daemons.Select(daemon => daemon.KillAsync())), Do(at => Start([.. at.Daemons]))),
        new("stop-daemon", Seconds(3), at => at.Daemons[0].StopAsync(), Start(at => at.Daemons[0]), Unnoticed),
        new("hang-daemon", Seconds(8), Do(at => at.Daemons[0].Suspend()), Do(at => at.Daemons[0].Resume()), Lost),
        new("cut-daemons", Seconds(8), Do(at => Network.Cut(at.Daemons[0].Host, at.Daemons[1].Host)), Healed, Lost),
        new("cut-daemon-redis", Seconds(8), Do(at => Network.Cut(at.Daemons[0].Host, at.Redis.Host)), Healed, Unnoticed),
        new("lose-daemon", Seconds(8), Do(at => Split(at, [at.Daemons[0]])), Healed, Lost),
        new("split", Seconds(8), Do(at => Split(at, [at.Daemons[0], at.Gateways[0]])), Healed),
        new("cut-gateway-daemon", Seconds(5), Do(at => Network.Cut(at.Gateways[0].Host, at.Daemons[0].Host)), Healed, Lost),
        new("cut-gateway-other-daemon", Seconds(5), Do(at => Network.Cut(at.Gateways[0].Host, at.Daemons[1].Host)), Healed, Lost),
        new("cut-gateway-daemons", Seconds(5), Do(at => CutFromDaemons(at, at.Gateways[0])), Healed),
        new("cut-gateway-daemons-long", Seconds(20), Do(at => CutFromDaemons(at, at.Gateways[0])), Healed),
        new("cut-gateway-redis", Seconds(8), Do(at => Network.Cut(at.Gateways[0].Host, at.Redis.Host)), Healed, Unnoticed),
        new("kill-gateway", Seconds(3), at => at.Gateways[0].KillAsync(), Start(at => at.Gateways[0])),
        new("stop-gateway", Seconds(3), at => at.Gateways[0].StopAsync(), Start(at => at.Gateways[0])),
        new("hang-gateway", Seconds(5), Do(at => at.Gateways[0].Suspend()), Do(at => at.Gateways[0].Resume())),
        new("hang-gateway-kill-daemon", Seconds(5), HangAndKillAsync, Do(ResumeAndStart)),
        new("kill-redis", Seconds(5), at => at.Redis.KillAsync(), Start(at => at.Redis), Unnoticed),
        new("kill-redis-long", Seconds(300), at => at.Redis.KillAsync(), Start(at => at.Redis), Unnoticed),
        new("kill-redis-and-daemon", Seconds(8), at => Task.WhenAll(at.Redis.KillAsync(), at.Daemons[0].KillAsync()), Do(at => Start(at.Redis, at.Daemons[0]))),
        new("kill-redis-and-gateway", Seconds(5), at => Task.WhenAll(at.Redis.KillAsync(), at.Gateways[0].KillAsync()), Do(at => Start(at.Redis, at.Gateways[0]))),
        new("stop-daemon-without-redis", Seconds(12), StopWithoutRedisAsync, Do(at => Start(at.Redis, at.Daemons[0]))),
        new("empty-redis", Seconds(5), at => at.EmptyAsync(), Nothing, Unnoticed),
        new("hang-redis", Seconds(5), Do(at => at.Redis.Suspend()), Do(at => at.Redis.Resume()), Unnoticed),
    ];

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);

    private static Func<Installation, Task> Do(Action<Installation> act) => at =>
    {
        act(at);
        return Task.CompletedTask;
    };

    private static Task Nothing(Installation at) => Task.CompletedTask;

    private static Func<Installation, Task> Start(Func<Installation, Member> whom) => Do(at => whom(at).Start());

    private static void Start(params ReadOnlySpan<Member> members)
    {
        foreach (var member in members)
        {
            member.Start();
        }
    }

    private static async Task StopWithoutRedisAsync(Installation at)
    {
        await at.Redis.KillAsync();
        await at.Daemons[0].StopAsync();
    }

    private static Task HangAndKillAsync(Installation at)
    {
        at.Gateways[0].Suspend();
        return at.Daemons[0].KillAsync();
    }

    private static void ResumeAndStart(Installation at)
    {
        at.Gateways[0].Resume();
        at.Daemons[0].Start();
    }

    private static Task Healed(Installation at)
    {
        at.Heal();
        return Task.CompletedTask;
    }

    /// <summary>Cuts some off from all others.</summary>
    private static void Split(Installation at, Member[] some)
    {
        foreach (var other in at.All.Except(some))
        {
            foreach (var member in some)
            {
                Network.Cut(member.Host, other.Host);
            }
        }
    }

    private static void CutFromDaemons(Installation at, Member gateway)
    {
        foreach (var daemon in at.Daemons)
        {
            Network.Cut(gateway.Host, daemon.Host);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} ({Lasts.TotalSeconds:0} s)");
}
