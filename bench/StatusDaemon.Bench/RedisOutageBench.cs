using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using StackExchange.Redis;

namespace StatusDaemon.Bench;

/// <summary>
/// The whole server over one Redis with statuses and privileges, which is killed with -9 under load and comes back: whether clients notice anything, and whether anything accepted is lost.
/// </summary>
/// <remarks>
/// 200 publishers, 1,000 publications a second; 500 watchers, each of four publishers and four other subscribers, and of three who hide from it; another program that sets 400 other subscribers, 100 a second; two logins a second, of
/// clients that watch, publish and stay. At once after Redis has come back 200 statuses are set and 20 rules written to it, before the server can be there. Everything that any client is told is held
/// against the laws of docs/protocol.md §10. In the end the server is killed with -9 and started again. Server, Redis, and load share the machine.
/// </remarks>
internal sealed class RedisOutageBench : IAsyncDisposable
{
    private const int People = 2000;
    private const int Publishers = 200;
    private const int Subjects = 400; // whom another program sets
    private const int Watchers = 500;
    private const int PublishersOfWatcher = 4;
    private const int LateHides = 20;
    private const int PublicationsPerSecond = 1000;
    private const int WritesPerSecond = 100;
    private const int WritesAtOnce = 200;
    private const int LoginsPerSecond = 2;
    private const int PrivilegeDatabase = 1;

    private const int FirstSubject = Publishers;
    private const int FirstWatcher = FirstSubject + Subjects;
    private const int FirstLogin = FirstWatcher + Watchers;
    private const int Auditor = People - 1;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(20);

    /// <summary>What is looked at for itself, after kill -9 and after the start.</summary>
    private static readonly TimeSpan Edge = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly PrivilegeRedis redis;
    private readonly BenchFolder folder;
    private readonly long start = Stopwatch.GetTimestamp();
    private readonly ConcurrentQueue<string> violations = new();
    private readonly List<OutageClient> publishers = [];
    private readonly List<OutageClient> watchers = [];
    private readonly ConcurrentDictionary<int, OutageClient> logins = new();
    private readonly ConcurrentBag<(long At, double Milliseconds)> loginTimes = [];
    private readonly List<long>[] published = [.. Enumerable.Range(0, Publishers).Select(_ => new List<long>())];
    private readonly List<(long Due, double Milliseconds)> lateness = [];
    private readonly ConcurrentQueue<(int Person, long At)> written = new(); // acknowledged by Redis
    private readonly List<Phase> phases = [];
    private readonly CancellationTokenSource end = new();
    private volatile IDatabase? forWrites; // null while Redis is away
    private Process? started;

    private RedisOutageBench(PrivilegeRedis redis, BenchFolder folder)
    {
        this.redis = redis;
        this.folder = folder;
    }

    private Process Server => started!;

    private long Now => Stopwatch.GetElapsedTime(start).Ticks;

    /// <summary>Runs it.</summary>
    /// <exception cref="ViolationException">A law was broken.</exception>
    public static async Task RunAsync(TimeSpan outage)
    {
        await using var redis = await PrivilegeRedis.StartAsync(isDurable: true);
        await redis.FillAsync(People, PrivilegeDatabase);
        using var folder = await BenchFolder.CreateAsync($$"""
            STORAGE: { kind: redis }
            REDIS: { port: {{redis.Port}} }
            PRIVILEGES: { source: redis }
            PRIVILEGE_REDIS: { port: {{redis.Port}}, db: {{PrivilegeDatabase}} }
            """);
        await using var bench = new RedisOutageBench(redis, folder);
        await bench.RunPhasesAsync(outage);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndServerAsync();
        end.Dispose();
    }

    /// <summary>What is said at a time: the same by clients and by the other program.</summary>
    public static string Json(long at) => string.Create(CultureInfo.InvariantCulture, $$"""{"status":{{OutageWatch.StatusAt(at)}},"timestamp":{{at}}}""");

    private async Task RunPhasesAsync(TimeSpan outage)
    {
        await WriteRulesAsync();
        started = BenchServer.Start(folder.Settings);
        await BenchServer.ReadyAsync(folder.Port);
        await ConnectAllAsync();
        forWrites = redis.Database(0);
        Task[] load = [PublishAsync(), WriteAsync(), LoginAsync(), AskReadinessAsync()];
        await Task.Delay(WarmUp);

        Begin("before");
        await Task.Delay(Quiet);

        var atKill = outage < Edge ? outage : Edge;
        Begin($"{atKill.TotalSeconds} s from kill -9");
        forWrites = null;
        await redis.KillAsync();
        await Task.Delay(atKill);
        if (outage > Edge)
        {
            Begin("rest of the outage");
            await Task.Delay(outage - Edge);
        }

        var launched = Now;
        await redis.StartAgainAsync();
        var restarted = Now;
        Begin($"{Edge.TotalSeconds} s from its start");
        var atOnce = WriteAtOnceAsync();
        var level = LevelAsync(restarted);
        await Task.Delay(Edge);

        Begin("after");
        await Task.Delay(Quiet - Edge);
        Begin("");
        await end.CancelAsync();
        await Task.WhenAll(load);
        await atOnce;
        await SettleAsync();
        await AllAreStoredAsync("after the end");
        PrintFigures();
        Print("Redis answers, after its start", $"{Milliseconds(restarted - launched),8:F0} ms");
        Print("  all that it missed is written, after that", $"{await level,8:F0} ms");
        JudgeFirstSecond(restarted);
        JudgeLateHides();
        JudgeLogins();
        await KillServerAsync();
        Conclude();
    }

    private void Begin(string name)
    {
        Server.Refresh();
        phases.Add(new Phase(name, Now, Server.TotalProcessorTime, Server.WorkingSet64));
    }

    private static IEnumerable<int> VisibleTo(int watcher) => Enumerable.Range(watcher * PublishersOfWatcher, PublishersOfWatcher).Select(number => number % Publishers);

    private static IEnumerable<int> HiddenFrom(int watcher) =>
        [((watcher * PublishersOfWatcher) + 4) % Publishers, ((watcher * PublishersOfWatcher) + 5) % Publishers, FirstSubject + (((watcher * PublishersOfWatcher) + 4) % Subjects)];

    private static int LateOf(int watcher) => ((watcher * PublishersOfWatcher) + 6) % Publishers;

    private static IEnumerable<int> SubjectsOf(int watcher) => Enumerable.Range(watcher * PublishersOfWatcher, PublishersOfWatcher).Select(number => FirstSubject + (number % Subjects));

    private static int HiddenFromLogin(int login) => ((login * 2) + 2) % Publishers;

    /// <summary>Who hides from whom, as the privilege service writes it.</summary>
    private async Task WriteRulesAsync()
    {
        var privileges = redis.Database(PrivilegeDatabase);
        var watchersHide = Enumerable.Range(0, Watchers).SelectMany(watcher => HiddenFrom(watcher).Select(hidden => (hidden, FirstWatcher + watcher)));
        var loginsHide = Enumerable.Range(0, Auditor - FirstLogin).Select(login => (HiddenFromLogin(login), FirstLogin + login));
        await Task.WhenAll(watchersHide.Concat(loginsHide).Select(pair => privileges.SetAddAsync($"black:{PrivilegeRedis.UidOf(pair.Item1)}", PrivilegeRedis.UidOf(pair.Item2))));
    }

    private async Task ConnectAllAsync()
    {
        foreach (var chunk in Enumerable.Range(0, Publishers).Chunk(50))
        {
            publishers.AddRange(await Task.WhenAll(chunk.Select(person => ConnectAsync(person, [new OutageWatch(person, isHidden: false)]))));
        }

        foreach (var chunk in Enumerable.Range(0, Watchers).Chunk(50))
        {
            watchers.AddRange(await Task.WhenAll(chunk.Select(watcher => ConnectAsync(FirstWatcher + watcher, [
                .. VisibleTo(watcher).Concat(SubjectsOf(watcher)).Concat(watcher < LateHides ? [LateOf(watcher)] : []).Select(person => new OutageWatch(person, isHidden: false)),
                .. HiddenFrom(watcher).Select(person => new OutageWatch(person, isHidden: true)),
            ]))));
        }

        await Task.WhenAll(publishers.Concat(watchers).Select(client => client.Told)).WaitAsync(Patience);
    }

    private Task<OutageClient> ConnectAsync(int person, IEnumerable<OutageWatch> watches) => OutageClient.ConnectAsync(folder, person, watches, start, violations);

    private async Task PublishAsync()
    {
        var begun = Now;
        for (var number = 0; !end.IsCancellationRequested; number++)
        {
            var due = begun + (number * TimeSpan.TicksPerSecond / PublicationsPerSecond);
            await UntilAsync(due);
            published[number % Publishers].Add(due);
            lateness.Add((due, Milliseconds(Now - due)));
            await publishers[number % Publishers].PublishAsync(due);
        }
    }

    /// <summary>The other program; what it can't write while Redis is away it does not write.</summary>
    private async Task WriteAsync()
    {
        var begun = Now;
        List<Task> under = [];
        for (var number = WritesAtOnce; !end.IsCancellationRequested; number++)
        {
            await UntilAsync(begun + ((number - WritesAtOnce) * TimeSpan.TicksPerSecond / WritesPerSecond));
            if (forWrites is { } commands)
            {
                under.Add(WriteAsync(commands, FirstSubject + (number % Subjects)));
            }
            else
            {
                number = WritesAtOnce - 1; // goes on behind those that are written at once
                begun = Now;
            }
        }

        await Task.WhenAll(under);
    }

    private async Task WriteAsync(IDatabase commands, int person)
    {
        var at = Now;
        try
        {
            await commands.StringSetAsync($"status:{PrivilegeRedis.UidOf(person)}", Json(at));
            written.Enqueue((person, at));
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
        {
            // It was killed; nobody knows whether this one happened.
        }
    }

    /// <summary>Writes statuses and rules as soon as Redis answers.</summary>
    private async Task WriteAtOnceAsync()
    {
        var commands = redis.Database(0);
        var writes = Enumerable.Range(0, WritesAtOnce).Select(number => WriteAsync(commands, FirstSubject + number)).ToArray();
        for (var watcher = 0; watcher < LateHides; watcher++)
        {
            watchers[watcher].Watches.First(watch => watch.Person == LateOf(watcher)).HideWrittenAt = Now;
            await redis.Database(PrivilegeDatabase).SetAddAsync($"black:{PrivilegeRedis.UidOf(LateOf(watcher))}", PrivilegeRedis.UidOf(FirstWatcher + watcher));
        }

        await Task.WhenAll(writes);
        forWrites = commands;
    }

    private async Task LoginAsync()
    {
        var begun = Now + TimeSpan.TicksPerSecond; // when everybody has published
        List<Task> under = [];
        for (var login = 0; !end.IsCancellationRequested && FirstLogin + login < Auditor; login++)
        {
            await UntilAsync(begun + (login * TimeSpan.TicksPerSecond / LoginsPerSecond));
            under.Add(LoginAsync(login));
        }

        await Task.WhenAll(under);
    }

    /// <summary>A client comes, sees whom it may see, publishes, and stays.</summary>
    private async Task LoginAsync(int login)
    {
        var (person, began) = (FirstLogin + login, Now);
        try
        {
            OutageWatch[] visible = [new(login * 2 % Publishers, isHidden: false), new(((login * 2) + 1) % Publishers, isHidden: false)];
            var client = await ConnectAsync(person, [.. visible, new OutageWatch(HiddenFromLogin(login), isHidden: true), new OutageWatch(person, isHidden: false)]);
            logins[person] = client;
            await client.Told.WaitAsync(Patience);
            loginTimes.Add((began, Milliseconds(Now - began)));
            if (visible.Any(watch => watch.Last == 0))
            {
                violations.Enqueue($"{person}, who logged in, was told UNKNOWN of somebody whom it may see");
            }

            await client.PublishAsync(began);
        }
        catch (Exception e) when (e is System.Net.WebSockets.WebSocketException or TimeoutException)
        {
            violations.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{person} could not log in at {began / (double)TimeSpan.TicksPerSecond:F1} s: {e.Message}"));
        }
    }

    private async Task AskReadinessAsync()
    {
        using var http = new HttpClient();
        while (!end.IsCancellationRequested)
        {
            using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{folder.Port}/readyz"), CancellationToken.None);
            if (!answer.IsSuccessStatusCode)
            {
                violations.Enqueue($"/readyz was {(int)answer.StatusCode}");
            }

            await Task.Delay(1000, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task UntilAsync(long due)
    {
        while (Now < due)
        {
            await Task.Delay(1, CancellationToken.None);
        }
    }

    /// <summary>How long after it answers Redis has all that was accepted before.</summary>
    private async Task<double> LevelAsync(long restarted)
    {
        var accepted = publishers.Select(client => client.Own).Concat(logins.Values.Select(client => client.Own)).Select(own => (own.Person, own.Last)).Where(own => own.Last > 0).ToArray();
        while (accepted.Length > 0 && Milliseconds(Now - restarted) < Patience.TotalMilliseconds)
        {
            var stored = await StoredAsync([.. accepted.Select(own => own.Person)]);
            accepted = [.. accepted.Where((own, index) => stored[index] < own.Last)];
            await Task.Delay(10);
        }

        if (accepted.Length > 0)
        {
            violations.Enqueue($"{accepted.Length} statuses of before are not in Redis {Patience.TotalSeconds} s after its start");
        }

        return Milliseconds(Now - restarted);
    }

    /// <summary>The timestamps in Redis; 0 where there is none.</summary>
    private async Task<long[]> StoredAsync(int[] people)
    {
        var values = await redis.Database(0).StringGetAsync([.. people.Select(person => (RedisKey)$"status:{PrivilegeRedis.UidOf(person)}")]);
        return [.. values.Select(value => value.IsNull ? 0 : JsonDocument.Parse((string)value!).RootElement is var json && json.TryGetProperty("timestamp", out var at) ? at.GetInt64() : 0)];
    }

    /// <summary>What was said last of each: by himself, or written last.</summary>
    private Dictionary<int, long> LastOfAll()
    {
        var last = new Dictionary<int, long>();
        foreach (var (person, at) in written)
        {
            last[person] = Math.Max(at, last.GetValueOrDefault(person));
        }

        foreach (var own in logins.Values.Select(client => client.Own).Where(own => own.Last > 0))
        {
            last[own.Person] = own.Last;
        }

        foreach (var (publisher, times) in published.Index())
        {
            last[publisher] = times[^1];
        }

        return last;
    }

    /// <summary>Waits until every watch that may has the last status.</summary>
    private async Task SettleAsync()
    {
        var last = LastOfAll();
        OutageWatch[] all = [.. publishers.Concat(watchers).Concat(logins.Values).SelectMany(client => client.Watches)];
        bool Lacks(OutageWatch watch) => !watch.IsHidden && (watch.HideWrittenAt > 0 ? watch.HidAt == 0 : watch.Last != last.GetValueOrDefault(watch.Person));
        for (var began = Now; all.Any(Lacks) && Milliseconds(Now - began) < Patience.TotalMilliseconds;)
        {
            await Task.Delay(50);
        }

        foreach (var watch in all.Where(Lacks))
        {
            violations.Enqueue($"a watcher of {watch.Person} has {watch.Last} in the end, not {last.GetValueOrDefault(watch.Person)}");
        }

        foreach (var watch in all.Where(watch => watch.IsHidden && !watch.IsTold))
        {
            violations.Enqueue($"a watcher was told nothing of {watch.Person}, who is hidden: not even UNKNOWN");
        }
    }

    private async Task AllAreStoredAsync(string when)
    {
        var last = LastOfAll();
        int[] people = [.. last.Keys];
        var stored = await StoredAsync(people);
        for (var began = Now; people.Where((person, index) => stored[index] != last[person]).Any() && Milliseconds(Now - began) < 5000;)
        {
            await Task.Delay(10);
            stored = await StoredAsync(people);
        }

        foreach (var (person, at) in people.Zip(stored).Where(pair => pair.Second != last[pair.First]))
        {
            violations.Enqueue($"{when} Redis has of {person} the status of {at}, not of {last[person]}");
        }
    }

    /// <summary>Each status that the other program wrote in the first second must be with each who may see it; only a later one may stand for it.</summary>
    private void JudgeFirstSecond(long restarted)
    {
        var first = written.Where(write => write.At >= restarted && write.At < restarted + TimeSpan.TicksPerSecond).ToArray();
        var watches = watchers.SelectMany(client => client.Watches).Where(watch => !watch.IsHidden).ToLookup(watch => watch.Person);
        List<double> delays = [];
        foreach (var (person, at) in first)
        {
            foreach (var watch in watches[person])
            {
                if (watch.Statuses.Find(status => status.At == at) is { At: > 0 } status)
                {
                    delays.Add(Milliseconds(status.Received - at));
                }
                else
                {
                    violations.Enqueue($"{person} was set at {at}, {Milliseconds(at - restarted):F0} ms after Redis answered, and a watcher was not told");
                }
            }
        }

        Print($"{first.Length} SETs of the first second, until the frame", $"{Quantiles(delays)} ms (median, p99, worst) of {delays.Count:N0}");
    }

    private void JudgeLateHides()
    {
        var late = watchers.SelectMany(client => client.Watches).Where(watch => watch is { HideWrittenAt: > 0, HidAt: > 0 }).ToArray();
        Print($"{late.Length} rules that hide, until UNKNOWN", $"{Quantiles([.. late.Select(watch => Milliseconds(watch.HidAt - watch.HideWrittenAt))])} ms");
    }

    private void JudgeLogins()
    {
        var unheard = logins.Values.Count(client => client.Own.Last == 0);
        if (unheard > 0)
        {
            violations.Enqueue($"{unheard} of those who logged in were not told the status that they published");
        }
    }

    private void PrintFigures()
    {
        Console.WriteLine($"  {"",-20} {"deliveries",10} {"left out",8} {"ms p50",8} {"p99",8} {"worst",8} {"late",6}   {"SET p50",8} {"p99",8} {"worst",8}   {"login p50",9} {"worst",8}   {"CPU",6} {"MiB",5}");
        var byPublisher = publishers.Concat(watchers).SelectMany(client => client.Watches).Where(watch => watch is { IsHidden: false, HideWrittenAt: 0, Person: < Publishers }).ToArray();
        var bySubject = watchers.SelectMany(client => client.Watches).Where(watch => watch is { IsHidden: false, Person: >= FirstSubject }).ToArray();
        foreach (var (phase, next) in phases.Zip(phases.Skip(1)))
        {
            bool IsIn(long at) => at >= phase.At && at < next.At;
            List<double> Delays(IEnumerable<OutageWatch> watches) => [.. watches.SelectMany(watch => watch.Statuses).Where(status => IsIn(status.At)).Select(status => Milliseconds(status.Received - status.At))];
            var delays = Delays(byPublisher);
            var expected = byPublisher.Sum(watch => published[watch.Person].Count(IsIn));
            List<double> logged = [.. loginTimes.Where(login => IsIn(login.At)).Select(login => login.Milliseconds)];
            logged.Sort();
            var used = (next.Cpu - phase.Cpu) / TimeSpan.FromTicks(next.At - phase.At);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {phase.Name,-20} {delays.Count,10:N0} {expected - delays.Count,8:N0} {Quantiles(delays)} {lateness.Where(publication => IsIn(publication.Due)).Max(publication => publication.Milliseconds),6:F0}   {Quantiles(Delays(bySubject))}   {(logged.Count == 0 ? 0 : logged[logged.Count / 2]),9:F1} {(logged.Count == 0 ? 0 : logged[^1]),8:F1}   {used,6:P0} {next.Memory / 1048576.0,5:F0}"));
        }

        Print("frames, logins", $"{watchers.Concat(publishers).Concat(logins.Values).SelectMany(client => client.Watches).Sum(watch => (long)watch.Statuses.Count),8:N0}, {logins.Count:N0}");
        Print("statuses that came twice", $"{watchers.Concat(publishers).Concat(logins.Values).SelectMany(client => client.Watches).Sum(watch => watch.Repeated),8:N0}");
    }

    /// <summary>What is there must outlive the server, too.</summary>
    private async Task KillServerAsync()
    {
        foreach (var client in publishers.Concat(watchers).Concat(logins.Values))
        {
            client.LetGo();
        }

        await EndServerAsync();
        started = BenchServer.Start(folder.Settings);
        await BenchServer.ReadyAsync(folder.Port);
        var last = LastOfAll();
        using var auditor = await ConnectAsync(Auditor, last.Keys.Select(person => new OutageWatch(person, isHidden: false)));
        await auditor.Told.WaitAsync(Patience);
        var lost = auditor.Watches.Where(watch => watch.Last != last[watch.Person]).ToArray();
        foreach (var watch in lost)
        {
            violations.Enqueue($"after kill -9 of the server {watch.Person} has the status of {watch.Last}, not of {last[watch.Person]}");
        }

        Print("statuses that kill -9 of the server left", $"{last.Count - lost.Length,8:N0} of {last.Count:N0}");
        await auditor.EndAsync();
        await Task.WhenAll(publishers.Concat(watchers).Concat(logins.Values).Select(client => client.EndAsync()));
    }

    private async Task EndServerAsync()
    {
        if (started is { } process)
        {
            started = null;
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    private void Conclude()
    {
        if (!violations.IsEmpty)
        {
            throw new ViolationException($"{violations.Count:N0} violations, the first of them:\n  {string.Join("\n  ", violations.Take(20))}");
        }

        Console.WriteLine("  no violation");
    }

    private static string Quantiles(List<double> delays)
    {
        delays.Sort();
        return delays.Count == 0 ? $"{"-",8} {"-",8} {"-",8}" : string.Create(CultureInfo.InvariantCulture, $"{delays[delays.Count / 2],8:F1} {delays[delays.Count * 99 / 100],8:F1} {delays[^1],8:F1}");
    }

    private static double Milliseconds(long ticks) => ticks / (double)TimeSpan.TicksPerMillisecond;

    private static void Print(string what, FormattableString result) => Measure.Print(what, result.ToString(CultureInfo.InvariantCulture));

    /// <summary>The beginning of a part of the run.</summary>
    private sealed record Phase(string Name, long At, TimeSpan Cpu, long Memory);
}
