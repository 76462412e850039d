using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using StackExchange.Redis;
using StatusDaemon.Names;

namespace StatusDaemon.Chaos;

/// <summary>An installation under load, to which faults happen one after the other, while every frame that any client gets is held against the guarantees.</summary>
/// <remarks>
/// 64 talkers publish ten times a second, two of each shard, and 32 others only in the moment before a fault: what is accepted then is in no store yet. Another
/// program writes the statuses of 32 more. 48 watchers each see eight of all of them, and rules hide and reveal some. After each fault an auditor asks each gateway for
/// everybody: nothing that was accepted before may be missing.
/// </remarks>
internal sealed class ChaosRun : IAsyncDisposable
{
    /// <summary>How often each of those who talk does.</summary>
    public static readonly TimeSpan TalkEvery = TimeSpan.FromMilliseconds(100);

    private const int TalkersPerShard = 2;
    private const int Watchers = 48;
    private const int LampsOfWatcher = 8;

    private static readonly TimeSpan WriteEvery = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan FlipEvery = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>How long the shards take to spread over daemons that have come.</summary>
    private static readonly TimeSpan Balancing = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RestartPause = TimeSpan.FromSeconds(1);

    private readonly Installation installation;
    private readonly TextWriter output;
    private readonly Random random;
    private readonly long start = Stopwatch.GetTimestamp();
    private readonly List<Person> talkers = [];
    private readonly List<Person> quiet = [];
    private readonly List<Person> subjects = [];
    private readonly List<Person> watchers = [];
    private readonly Person auditor;
    private readonly List<ChaosClient> clients = [];
    private readonly ConcurrentQueue<string> violations = new();
    private readonly CancellationTokenSource end = new();
    private readonly Lock gate = new();
    private readonly List<Task> drivers = [];
    private HashSet<Person> excused = []; // who may be away for longer than the grace
    private TimeSpan excusedUntil;
    private TimeSpan late;
    private Fault? current;
    private bool mayLoseDaemon; // in this fault, or since the one before
    private int named;

    /// <param name="logs">A folder for what the members print.</param>
    /// <param name="seed">Of what the run does at random.</param>
    public ChaosRun(string logs, int seed, TextWriter output)
    {
        installation = new Installation(logs);
        random = new Random(seed);
        this.output = output;
        for (var shard = 0; shard < Installation.Shards; shard++)
        {
            talkers.AddRange(Enumerable.Range(0, TalkersPerShard).Select(_ => PersonOf("talker", shard)));
            quiet.Add(PersonOf("quiet", shard));
            subjects.Add(PersonOf("subject", shard));
        }

        watchers.AddRange(Enumerable.Range(0, Watchers).Select(number => PersonOf("watcher", number % Installation.Shards)));
        auditor = PersonOf("auditor", 0);
    }

    /// <summary>What must not have been, so far.</summary>
    public IReadOnlyCollection<string> Violations => violations;

    private TimeSpan Now => Stopwatch.GetElapsedTime(start);

    private IEnumerable<Person> Publishers => talkers.Concat(quiet).Concat(subjects);

    /// <summary>Those of somebody who talks, and whom no rule ever hides.</summary>
    private IEnumerable<Lamp> SteadyLamps => clients
        .SelectMany(client => watchers.Contains(client.Self) ? client.Lamps.Skip(1) : client.Lamps)
        .Where(lamp => talkers.Contains(lamp.Publisher));

    /// <summary>Starts everything; returns when every client has seen all that it watches.</summary>
    public async Task StartAsync()
    {
        await installation.StartAsync([.. Publishers, .. watchers, auditor]);
        await WaitAsync("every member is up", () => installation.Daemons.All(member => member.IsUp));
        await Task.Delay(Balancing);
        foreach (var subject in subjects)
        {
            await WriteAsync(subject);
        }

        clients.AddRange(talkers.Concat(quiet).Select(person => ClientOf(person, [person])));
        Person[] all = [.. Publishers];
        clients.AddRange(watchers.Select(watcher => ClientOf(watcher, Enumerable.Range(0, LampsOfWatcher).Select(_ => all[random.Next(all.Length)]).Distinct())));
        await WaitAsync("every client is connected", () => clients.All(client => client.IsConnected));
        foreach (var client in clients.Where(client => quiet.Contains(client.Self)))
        {
            await client.SayAsync();
        }

        drivers.AddRange([TalkAsync(), WriteAsync(), SuperviseAsync()]);
        await WaitAsync("every lamp shows something", () => clients.SelectMany(client => client.Lamps).All(lamp => lamp.Last > 0));
        drivers.Add(FlipAsync());
    }

    /// <summary>Lets a fault happen, puts it right, and audits.</summary>
    /// <returns>What came of it.</returns>
    public async Task<Outcome> SufferAsync(Fault fault)
    {
        await WaitAsync("every daemon has shards", installation.IsSpreadAsync);
        mayLoseDaemon = fault.LosesDaemon || current is { LosesDaemon: true };
        current = fault;
        await SpreadAsync();
        await SayQuietlyAsync();
        var returns = clients.Sum(client => client.Returns);
        var before = violations.Count;
        lock (gate)
        {
            excused = fault.OutlastsGrace ? [.. clients.Where(client => client.Gateway == installation.Gateways[0]).Select(client => client.Self)] : [];
            excusedUntil = TimeSpan.MaxValue;
        }

        var lamps = SteadyLamps.ToList();
        lamps.ForEach(lamp => lamp.BeginGap());
        late = TimeSpan.Zero;
        var clock = Stopwatch.StartNew();
        await fault.BeginAsync(installation);
        var began = clock.Elapsed;
        await Task.Delay(fault.Lasts - (began < fault.Lasts ? began : fault.Lasts));
        var dark = lamps.Count(lamp => lamp.OpenGap() > TimeSpan.FromSeconds(1));
        var meanwhile = GapsOf(lamps);
        lamps.Where(lamp => lamp.OpenGap() <= TimeSpan.FromSeconds(1)).ToList().ForEach(lamp => lamp.BeginGap());
        await fault.EndAsync(installation);
        await WaitAsync($"all lamps are lit after {fault}", () => lamps.All(lamp => lamp.OpenGap() < TimeSpan.FromSeconds(1)));
        lock (gate)
        {
            excusedUntil = Now + Installation.Grace;
        }

        await WaitAsync("every member is up", () => installation.Daemons.Concat(installation.Gateways).All(member => member.IsUp));
        await Task.Delay(Balancing);
        var afterwards = GapsOf(lamps);
        var accepted = Publishers.ToDictionary(person => person, person => person.Accepted);
        await WaitAsync("every lamp shows what was accepted", () => clients.SelectMany(client => client.Lamps).All(lamp => lamp.IsHidden || lamp.Shown >= accepted[lamp.Publisher]));
        await AuditAsync();
        var calm = Now;
        await WaitAsync("every rule that hides has arrived", () => clients.SelectMany(client => client.Lamps).All(lamp => !lamp.AwaitsHide(before: calm)));
        foreach (var member in installation.All)
        {
            while (member.Failures.TryDequeue(out var line))
            {
                Violate($"{member.Name} said: {line}");
            }
        }

        return new Outcome(fault, meanwhile, afterwards, dark, late, clients.Sum(client => client.Returns) - returns, violations.Count - before);
    }

    /// <summary>Everybody says his last word, and everybody who may must see it.</summary>
    public async Task FinishAsync()
    {
        await end.CancelAsync();
        await Task.Delay(TalkEvery * 5);
        await SayQuietlyAsync();
        foreach (var client in clients.Where(client => talkers.Contains(client.Self)))
        {
            await WaitAsync($"{client.Self.Name} is connected", () => client.IsConnected);
            await client.SayAsync();
        }

        await WaitAsync("every lamp shows the last word", () => clients.SelectMany(client => client.Lamps).All(lamp => lamp.IsHidden || lamp.Shown >= lamp.Publisher.Accepted));
        await AuditAsync();
        await Task.WhenAll(drivers);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        await installation.DisposeAsync();
        end.Dispose();
    }

    private Person PersonOf(string kind, int shard)
    {
        while (true)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{kind}{++named}");
            if (Uid.TryParse(name, out var uid) && uid.ShardOf(Installation.Shards) == shard)
            {
                return new Person(name, uid);
            }
        }
    }

    private ChaosClient ClientOf(Person person, IEnumerable<Person> watched) => new(
        person,
        watched.Select(publisher => new Lamp(publisher, MayBeOffline, () => Now)),
        installation,
        installation.Gateways,
        random.Next(installation.Gateways.Count),
        Violate,
        () => Now);

    /// <summary>Lets clients move until half are at the first gateway, to which faults of a gateway happen.</summary>
    private async Task SpreadAsync()
    {
        var first = installation.Gateways[0];
        ChaosClient[] moving = [.. clients.Where(client => client.Gateway != first).Skip(clients.Count / 2)];
        var before = clients.Sum(client => client.Returns);
        foreach (var client in moving)
        {
            client.MoveTo(first);
        }

        await WaitAsync("half of the clients are at the first gateway", () => clients.Sum(client => client.Returns) >= before + moving.Length
            && clients.All(client => client.IsConnected && client.Lamps.All(lamp => lamp.IsHidden || lamp.Shown > 0)));
    }

    private void Violate(string what) => violations.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{Now.TotalSeconds:F3} {what}"));

    private bool MayBeOffline(Person publisher)
    {
        lock (gate)
        {
            return (excused.Contains(publisher) && Now < excusedUntil) || (publisher.AwaySince is { } since && Now - since > Installation.Grace - TimeSpan.FromSeconds(1));
        }
    }

    private async Task TalkAsync()
    {
        using var timer = new PeriodicTimer(TalkEvery);
        ChaosClient[] talking = [.. clients.Where(client => talkers.Contains(client.Self))];
        for (var last = Now; await timer.WaitForNextTickAsync() && !end.IsCancellationRequested; last = Now)
        {
            var behind = Now - last - TalkEvery;
            late = behind > late ? behind : late;
            foreach (var client in talking)
            {
                _ = client.SayAsync();
            }
        }
    }

    private async Task WriteAsync()
    {
        while (!end.IsCancellationRequested)
        {
            await WriteAsync(subjects[random.Next(subjects.Count)]);
            await Task.Delay(WriteEvery);
        }
    }

    private async Task WriteAsync(Person subject)
    {
        var number = subject.Say();
        try
        {
            await installation.Statuses.StringSetAsync($"status:{subject.UidText}", Person.Json(number));
            subject.Accept(number);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // Away: nobody has accepted it.
        }
    }

    /// <summary>Hides and reveals the first lamp of each watcher in turn.</summary>
    private async Task FlipAsync()
    {
        ChaosClient[] watching = [.. clients.Where(client => watchers.Contains(client.Self))];
        for (var turn = 0; !end.IsCancellationRequested; turn++)
        {
            var client = watching[turn % watching.Length];
            var lamp = client.Lamps.First();
            var (key, selector) = ($"black:{lamp.Publisher.UidText}", client.Self.UidText);
            try
            {
                if (turn / watching.Length % 2 == 0)
                {
                    lamp.NoteHide();
                    await installation.Privileges.SetAddAsync(key, selector);
                }
                else
                {
                    lamp.NoteReveal();
                    await installation.Privileges.SetRemoveAsync(key, selector);
                }
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                turn--; // whether it was written is not known: again
            }

            await Task.Delay(FlipEvery);
        }
    }

    /// <summary>Starts again who has ended without being asked to, as a service manager does.</summary>
    private async Task SuperviseAsync()
    {
        while (!end.IsCancellationRequested)
        {
            await Task.Delay(RestartPause);
            foreach (var member in installation.All.Where(member => member.HasFailed))
            {
                await output.WriteLineAsync($"  {member.Name} has ended, and is started again");
                if (!mayLoseDaemon)
                {
                    Violate($"{member.Name} has ended by itself");
                }

                member.Start();
            }
        }
    }

    /// <summary>Those who seldom speak do, and hear themselves: what they said is accepted.</summary>
    private async Task SayQuietlyAsync()
    {
        ChaosClient[] speaking = [.. clients.Where(client => quiet.Contains(client.Self))];
        foreach (var client in speaking)
        {
            await WaitAsync($"{client.Self.Name} is connected", () => client.IsConnected);
            await client.SayAsync();
        }

        foreach (var client in speaking)
        {
            for (var waited = Stopwatch.StartNew(); client.Self.Accepted < client.Self.Said;)
            {
                if (waited.Elapsed > Patience)
                {
                    throw new TimeoutException($"{client.Self.Name} did not hear himself.");
                }

                await Task.Delay(1);
            }
        }
    }

    /// <summary>Asks each gateway for everybody, as somebody who has just come.</summary>
    private async Task AuditAsync()
    {
        foreach (var gateway in installation.Gateways)
        {
            await Installation.ReadyAsync(gateway);
            var expected = Publishers.Select(person => (Person: person, person.Accepted)).ToList();
            var lamps = Publishers.Select(person => new Lamp(person, MayBeOffline, () => Now)).ToList();
            await using var client = new ChaosClient(auditor, lamps, installation, [gateway], first: 0, Violate, () => Now);
            var waited = Stopwatch.StartNew();
            while (expected.Where(one => lamps.First(lamp => lamp.Publisher == one.Person).Last < one.Accepted).ToList() is { Count: > 0 } missing)
            {
                if (waited.Elapsed > Patience / 3)
                {
                    foreach (var (person, accepted) in missing)
                    {
                        var lamp = lamps.First(lamp => lamp.Publisher == person);
                        Violate($"at {gateway.Name} {person.Name} is {lamp.Status} at {lamp.Last}, and {accepted} was accepted");
                    }

                    break;
                }

                await Task.Delay(20);
            }
        }
    }

    private static Gaps GapsOf(List<Lamp> lamps)
    {
        TimeSpan[] gaps = [.. lamps.Select(lamp => lamp.Gap > lamp.OpenGap() ? lamp.Gap : lamp.OpenGap()).Order()];
        return new Gaps(gaps[gaps.Length / 2], gaps[^1]);
    }

    private static Task WaitAsync(string what, Func<bool> isSo) => WaitAsync(what, () => Task.FromResult(isSo()));

    private static async Task WaitAsync(string what, Func<Task<bool>> isSo)
    {
        for (var waited = Stopwatch.StartNew(); !await isSo();)
        {
            if (waited.Elapsed > Patience)
            {
                throw new TimeoutException($"It did not come to this: {what}.");
            }

            await Task.Delay(20);
        }
    }
}

/// <summary>What came of a fault.</summary>
/// <param name="Meanwhile">Until it was put right.</param>
/// <param name="Afterwards">From then on; of a lamp that was dark then, with the time before.</param>
/// <param name="Dark">Lamps without news for more than a second at the end of the fault, before it was put right.</param>
/// <param name="Late">How late those who talk themselves were, at most: as much of what lamps lacked is no member's fault.</param>
/// <param name="Returns">Times that clients had to come back.</param>
internal sealed record Outcome(Fault Fault, Gaps Meanwhile, Gaps Afterwards, int Dark, TimeSpan Late, int Returns, int Violations)
{
    /// <summary>How long some lamp was without news at most, beside the time between two statuses and what the load itself was late.</summary>
    public TimeSpan Standstill => new[] { Meanwhile.Longest, Afterwards.Longest }.Max() - ChaosRun.TalkEvery - Late;
}

/// <summary>The longest time that lamps of those who talk had no news.</summary>
/// <param name="Median">Of all those lamps.</param>
internal sealed record Gaps(TimeSpan Median, TimeSpan Longest)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Median.TotalMilliseconds,6:F0} {Longest.TotalMilliseconds,6:F0} ms");
}
