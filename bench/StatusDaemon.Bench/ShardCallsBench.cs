using System.Collections;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StatusDaemon.Cluster;
using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Bench;

/// <summary>Publications through the shards of a daemon in another process, as fast as they go: from a gateway's links through the engine, TLS and the routers, and back with what each became and its delivery.</summary>
/// <remarks>
/// The real daemon, with SQLite, and this program in the place of a gateway with 8,000 clients, each of whom watches itself. Both share the machine's cores. Each of 32 links has one batch outstanding,
/// as a gateway's have, and the next one is full when the answer comes. What gateways and clients say to each other is not in it: that is what <c>bench/load</c> measures.
/// </remarks>
internal static class ShardCallsBench
{
    private const int Clients = 8_000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(5);

    public static async Task RunAsync()
    {
        using var folder = await BenchFolder.CreateAsync("LOG: { level: warning }\n");
        await File.WriteAllTextAsync(folder.DirectoryFile, "subscribers:\n" + string.Concat(Enumerable.Range(0, Clients).Select(number => $"  - {{ uid: {BenchUids.Of(number)}, dname: load{number}@BENCH.TEST }}\n")));
        if (!StatusdSettings.TryLoad(folder.Settings, new Hashtable(), out var settings, out var problems))
        {
            throw new InvalidOperationException(string.Join('\n', problems));
        }

        using var daemon = BenchServer.Start(folder.Settings, "daemon");
        try
        {
            var certificates = MemberCertificates.For(settings.Cluster, settings.ClusterFolder, DateTimeOffset.UtcNow);
            await using var elsewhere = new ShardsElsewhere(
                new LocalMembership(settings.ClusterFolder, settings.Cluster), settings.Cluster.Id, certificates, TimeProvider.System, NullLoggerFactory.Instance, NullLogger<ShardsElsewhere>.Instance);
            var cluster = await elsewhere.ConnectAsync(CancellationToken.None);
            await RunAsync(cluster, settings.Cluster.Shards, daemon);
        }
        finally
        {
            daemon.Kill();
            await daemon.WaitForExitAsync();
        }
    }

    private static async Task RunAsync(IClusterClient cluster, int shards, Process daemon)
    {
        var uids = new UidTable();
        var self = new Caller();
        var reference = cluster.CreateObjectReference<IGatewayObserver>(self);
        var people = Enumerable.Range(0, Clients).Select(number => uids.Hold(BenchUids.Of(number))).ToLookup(uid => uid.ShardOf(shards));
        using var end = new CancellationTokenSource();
        await CallEmptyAsync(cluster, shards, daemon, uids, reference);
        Line[] lines = [.. Enumerable.Range(0, shards).Select(shard => new Line(shard, [.. people[shard]], uids))];
        Task[] running = [.. lines.Select(line => line.RunAsync(cluster.GetGrain<IShardGrain>(line.Shard), reference, end.Token))];
        await Task.Delay(WarmUp);
        for (var round = 0; round < 5; round++)
        {
            daemon.Refresh();
            using var ours = Process.GetCurrentProcess();
            var (start, before, theirCpu, ourCpu) = (Stopwatch.GetTimestamp(), lines.Sum(line => line.Accepted), daemon.TotalProcessorTime, ours.TotalProcessorTime);
            await Task.Delay(Round);
            daemon.Refresh();
            ours.Refresh();
            var (time, accepted) = (Stopwatch.GetElapsedTime(start), lines.Sum(line => line.Accepted) - before);
            Print("publications accepted, and told back", $"{accepted / time.TotalSeconds,12:N0} /s; {(daemon.TotalProcessorTime - theirCpu).TotalMicroseconds / accepted:F2} us of the daemon, {(ours.TotalProcessorTime - ourCpu).TotalMicroseconds / accepted:F2} us here");
        }

        await end.CancelAsync();
        await Task.WhenAll(running);
        Print("of those accepted told back with the answer", $"{lines.Sum(line => line.Told) / (double)lines.Sum(line => line.Accepted),12:P1}; batches through the outbox: {self.Batches}");
    }

    /// <summary>Empty batches, one after the other to each shard: what a heartbeat costs, and the least that any call does.</summary>
    private static async Task CallEmptyAsync(IClusterClient cluster, int shards, Process daemon, UidTable uids, IGatewayObserver reference)
    {
        using var ours = Process.GetCurrentProcess();
        var calls = 0L;
        for (var isWarm = false; ; isWarm = true)
        {
            daemon.Refresh();
            ours.Refresh();
            var (start, theirCpu, ourCpu, before) = (Stopwatch.GetTimestamp(), daemon.TotalProcessorTime, ours.TotalProcessorTime, calls);
            await Task.WhenAll(Enumerable.Range(0, shards).Select(shard => Task.Run(async () =>
            {
                for (var number = 1; Stopwatch.GetElapsedTime(start) < Round; number++)
                {
                    var answer = await cluster.GetGrain<IShardGrain>(shard).TakeAsync(new Payload(new ShardBatch(new GatewayId(2), 0, number, [])), reference);
                    answer.AsAnswer(new GatewayId(2), uids);
                    Interlocked.Increment(ref calls);
                }
            })));
            if (isWarm)
            {
                daemon.Refresh();
                ours.Refresh();
                var made = calls - before;
                Print("empty calls", $"{made / Round.TotalSeconds,12:N0} /s; {(daemon.TotalProcessorTime - theirCpu).TotalMicroseconds / made:F1} us of the daemon, {(ours.TotalProcessorTime - ourCpu).TotalMicroseconds / made:F1} us here");
                return;
            }
        }
    }

    private static void Print(string what, FormattableString result) => Measure.Print(what, result.ToString(CultureInfo.InvariantCulture));

    /// <summary>The way to one shard, always with the next batch full.</summary>
    private sealed class Line
    {
        private static readonly GatewayId Gateway = new(1);

        private readonly Uid[] people;
        private readonly UidTable uids;
        private readonly ShardLink link;
        private int next;

        public Line(int shard, Uid[] people, UidTable uids)
        {
            Shard = shard;
            this.people = people;
            this.uids = uids;
            link = new ShardLink(
                Gateway,
                shard,
                Declare,
                static (publish, at) => new ChangeSource(SourceKind.Client, publish.Publisher.ToString(), "", at),
                _ => Told++);
        }

        public int Shard { get; }

        public long Accepted { get; private set; }

        public long Told { get; private set; }

        public async Task RunAsync(IShardGrain shard, IGatewayObserver self, CancellationToken end)
        {
            while (!end.IsCancellationRequested)
            {
                var batch = link.Next();
                var publications = batch.Inputs.Count(input => input is RouterInput.Publish);
                var call = Task.Run(() => shard.TakeAsync(new Payload(batch), self), CancellationToken.None);
                Fill();
                link.Answered((await call).AsAnswer(Gateway, uids));
                Accepted += publications;
            }
        }

        private void Declare(int shard, ICollection<RouterInput> inputs)
        {
            for (var number = 0; number < people.Length; number++)
            {
                var connection = ConnectionOf(number);
                inputs.Add(new RouterInput.Open(connection, people[number], people[number].ToString(), "bench"));
                inputs.Add(new RouterInput.Watch(connection, people[number], people[number], 1));
            }
        }

        private void Fill()
        {
            while (link.IsReached && link.Waiting < 2 * ShardLink.BatchInputs)
            {
                next = (next + 1) % people.Length;
                link.Add(new RouterInput.Publish(ConnectionOf(next), people[next], (Status)(1 + (next % 7)), default));
            }
        }

        private ConnectionId ConnectionOf(int number) => new(Gateway, 1 + (Shard * 1_000_000L) + number);
    }

    /// <summary>What comes through outboxes: the first answers to watches, and what could not go back with an answer.</summary>
    private sealed class Caller : IGatewayObserver
    {
        private int batches;

        public int Batches => batches;

        public Task DeliverAsync(Payload batch)
        {
            Interlocked.Increment(ref batches);
            return Task.CompletedTask;
        }
    }
}
