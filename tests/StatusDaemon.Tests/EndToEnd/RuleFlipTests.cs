using System.Globalization;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;
using StatusDaemon.Auth;
using StatusDaemon.Redis;
using StatusDaemon.Settings;

namespace StatusDaemon.EndToEnd;

/// <summary>
/// The real program while publishers publish all the time and rules in the privilege database change all the time: every frame of every watcher is kept, and compared with what he may have been sent.
/// </summary>
/// <remarks>
/// A publication's <c>timestamp</c> is its number, so a frame says which one it shows. Whether one was published under a hide is known, not guessed: after UNKNOWN has come, whatever its publisher
/// sends is published later; and once a referee, from whom nobody hides, has seen one of these, all that were sent before it are older than the reveal that is written then.
/// </remarks>
public sealed class RuleFlipTests : IAsyncLifetime
{
    private const int Unknown = 8;
    private const int Publishers = 4;
    private const int Rounds = 25; // of a pair that is hidden and revealed with care
    private const int Proven = 2; // publications that the referee has seen under each hide of them

    // Of the watchers: two have one change at a time, which is waited for; one has changes that nobody waits for; the last two have none.
    private const int Watchers = 5;
    private const int Hasty = 2;
    private const int Outsider = 3;
    private const int Referee = 4;

    private readonly TempFolder folder = new();
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    private readonly long[] sent = new long[Publishers];
    private readonly Capture[,] captures = new Capture[Watchers, Publishers];
    private RedisProcess redis = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllBytesAsync(folder["keytab"], ForgedTicket.Keytab(key, 1, "HTTP/localhost"));
        redis = await RedisProcess.StartAsync("--notify-keyspace-events", "KA");
        foreach (var name in Enumerable.Range(0, Publishers).Select(PublisherOf).Concat(Enumerable.Range(0, Watchers).Select(WatcherOf)))
        {
            await redis.Commands.StringSetAsync($"dname:{name}@ALPHA.TEST", name);
        }

        for (var publisher = 0; publisher < Publishers; publisher++)
        {
            await redis.Commands.SetAddAsync($"black:{PublisherOf(publisher)}", WatcherOf(Outsider));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await redis.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task No_frame_shows_what_was_published_under_a_hide_and_each_ends_with_the_truth()
    {
        await using var server = await StatusdProcess.StartAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            AUTH: { keytab: {{folder["keytab"]}}, servicename: HTTP@localhost }
            PRIVILEGES: { source: redis }
            PRIVILEGE_REDIS: { port: {{redis.Port}} }

            """), directory: "");
        var publishers = await Task.WhenAll(Enumerable.Range(0, Publishers).Select(number => ConnectAsync(server, PublisherOf(number))));
        var watchers = await Task.WhenAll(Enumerable.Range(0, Watchers).Select(number => ConnectAsync(server, WatcherOf(number))));
        var reading = new List<Task>();
        for (var watcher = 0; watcher < Watchers; watcher++)
        {
            for (var publisher = 0; publisher < Publishers; publisher++)
            {
                captures[watcher, publisher] = new Capture();
            }

            await watchers[watcher].SendAsync("{\"events\":{" + string.Join(',', Enumerable.Range(0, Publishers).Select(number => $"\"{PublisherOf(number)}\":9")) + "}}");
            reading.Add(ReadAsync(watchers[watcher], watcher));
        }

        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var publishing = PublishAsync(publishers, end.Token);
        for (var publisher = 0; publisher < Publishers; publisher++)
        {
            await captures[Referee, publisher].ShowsAsync(1);
        }

        var hasty = FlipHastilyAsync(end.Token);
        await Task.WhenAll(from watcher in Enumerable.Range(0, Hasty) from publisher in Enumerable.Range(0, Publishers) select FlipCarefullyAsync(watcher, publisher));
        await end.CancelAsync();
        await Task.WhenAll(hasty, publishing);

        // The last word of each publisher is with all who see him; then once more, so that nothing can still be under way to those who do not.
        for (var round = 0; round < 2; round++)
        {
            for (var publisher = 0; publisher < Publishers; publisher++)
            {
                await PublishAsync(publishers[publisher], publisher);
                for (var watcher = 0; watcher < Watchers; watcher++)
                {
                    var capture = captures[watcher, publisher];
                    if (watcher == Outsider || capture.IsHidden)
                    {
                        await capture.EndsAsync(frame => frame.IsUnknown);
                        capture.Forbid(sent[publisher] + 1, long.MaxValue);
                    }
                    else
                    {
                        await capture.ShowsAsync(sent[publisher]);
                    }
                }
            }
        }

        foreach (var socket in publishers.Concat(watchers))
        {
            await socket.DisposeAsync();
        }

        await Task.WhenAll(reading);
        for (var publisher = 0; publisher < Publishers; publisher++)
        {
            foreach (var watcher in Enumerable.Range(0, Watchers).Where(watcher => watcher != Outsider))
            {
                captures[watcher, publisher].Check($"{WatcherOf(watcher)} of {PublisherOf(publisher)}", sent[publisher]);
            }

            Assert.Equal([new Frame(Unknown, 0)], captures[Outsider, publisher].Frames);
        }
    }

    private static string PublisherOf(int number) => $"publisher-{number}";

    private static string WatcherOf(int number) => $"watcher-{number}";

    /// <summary>The status of a publication: never UNKNOWN.</summary>
    private static int StatusOf(long number) => (int)(number % 7) + 1;

    private Task<TestSocket> ConnectAsync(StatusdProcess server, string name) => TestSocket.ConnectAsync(server, ForgedTicket.Good(key) with { Client = name });

    /// <summary>Each publishes some two hundred times a second.</summary>
    private async Task PublishAsync(TestSocket[] publishers, CancellationToken end)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!end.IsCancellationRequested)
        {
            for (var publisher = 0; publisher < Publishers; publisher++)
            {
                await PublishAsync(publishers[publisher], publisher);
            }

            await pace.WaitForNextTickAsync(Stop);
        }
    }

    private Task PublishAsync(TestSocket socket, int publisher)
    {
        var number = Interlocked.Increment(ref sent[publisher]); // before it is sent: whoever reads a lower one knows that this one comes later
        return socket.SendAsync(string.Create(CultureInfo.InvariantCulture, $$"""{"status":{{StatusOf(number)}},"timestamp":{{number}}}"""));
    }

    private Task<bool> FlipAsync(int watcher, int publisher, bool hides)
    {
        captures[watcher, publisher].Flip(hides);
        return hides ? redis.Commands.SetAddAsync($"black:{PublisherOf(publisher)}", WatcherOf(watcher)) : redis.Commands.SetRemoveAsync($"black:{PublisherOf(publisher)}", WatcherOf(watcher));
    }

    /// <summary>Hides and reveals one pair by turns; each time waits for the frame of it, and under a hide for the proof that publications went on. Half of the pairs end hidden.</summary>
    private async Task FlipCarefullyAsync(int watcher, int publisher)
    {
        var (mine, referee) = (captures[watcher, publisher], captures[Referee, publisher]);
        while ((await mine.NextAsync()).IsUnknown)
        {
            // He watched before anything was published.
        }

        for (var round = 1; ; round++)
        {
            await FlipAsync(watcher, publisher, hides: true);
            await mine.BecomesUnknownAsync();
            var under = Interlocked.Read(in sent[publisher]) + 1;
            var last = (await referee.ShowsAsync(under + Proven)).Number;
            if (round == Rounds && publisher % 2 == 0)
            {
                mine.Forbid(under, long.MaxValue);
                return;
            }

            mine.Forbid(under, last);
            await FlipAsync(watcher, publisher, hides: false);
            var revealed = await mine.NextAsync();
            Assert.True(revealed.Number >= last, $"{WatcherOf(watcher)} was shown {revealed} of {PublisherOf(publisher)}, and {last} is newer");
            if (round == Rounds)
            {
                return;
            }
        }
    }

    /// <summary>Hides and reveals the pairs of one watcher faster than anybody can follow.</summary>
    private async Task FlipHastilyAsync(CancellationToken end)
    {
        var random = new Random(1);
        while (!end.IsCancellationRequested)
        {
            var publisher = random.Next(Publishers);
            await FlipAsync(Hasty, publisher, !captures[Hasty, publisher].IsHidden);
            await Task.Delay(random.Next(8), Stop);
        }
    }

    private async Task ReadAsync(TestSocket socket, int watcher)
    {
        try
        {
            while (await socket.ReceiveAsync() is { } text)
            {
                using var json = JsonDocument.Parse(text);
                var publisher = int.Parse(json.RootElement.GetProperty("publisher").GetString()!.Split('-')[1], CultureInfo.InvariantCulture);
                captures[watcher, publisher].Add(new Frame(json.RootElement.GetProperty("status").GetInt32(), json.RootElement.TryGetProperty("timestamp", out var number) ? number.GetInt64() : 0));
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // It is over.
        }
    }

    /// <summary>What a frame says of a publisher.</summary>
    /// <param name="Number">Of the publication; 0 without one.</param>
    private readonly record struct Frame(int Status, long Number)
    {
        public bool IsUnknown => Status == Unknown;
    }

    /// <summary>All that a watcher was sent of a publisher.</summary>
    private sealed class Capture
    {
        private readonly Lock gate = new();
        private readonly List<Frame> frames = [];
        private readonly List<(long From, long Below)> forbidden = [];
        private readonly Channel<Frame> fresh = Channel.CreateUnbounded<Frame>(); // a run is short
        private TaskCompletionSource grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int hides;
        private int reveals;

        /// <summary>What the last change leads to.</summary>
        public bool IsHidden { get; private set; }

        public IReadOnlyList<Frame> Frames => frames;

        public void Add(Frame frame)
        {
            lock (gate)
            {
                frames.Add(frame);
                fresh.Writer.TryWrite(frame);
                grown.SetResult();
                grown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        public void Flip(bool isHide)
        {
            IsHidden = isHide;
            (hides, reveals) = isHide ? (hides + 1, reveals) : (hides, reveals + 1);
        }

        /// <summary>These were published under a hide, and are older than the reveal.</summary>
        public void Forbid(long from, long below) => forbidden.Add((from, below));

        /// <summary>The next frame that nobody has asked for.</summary>
        public Task<Frame> NextAsync() => fresh.Reader.ReadAsync(Stop).AsTask().WaitAsync(TimeSpan.FromSeconds(20), Stop);

        /// <summary>Passes over what was published before a hide.</summary>
        public async Task BecomesUnknownAsync()
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            patience.CancelAfter(TimeSpan.FromSeconds(20));
            while (!(await fresh.Reader.ReadAsync(patience.Token)).IsUnknown)
            {
                // It was under way.
            }
        }

        /// <summary>Waits until it has come to a publication.</summary>
        public Task<Frame> ShowsAsync(long number) => EndsAsync(frame => frame.Number >= number);

        /// <summary>Waits until the last frame is as it should be.</summary>
        public async Task<Frame> EndsAsync(Func<Frame, bool> isSo)
        {
            while (true)
            {
                Task more;
                lock (gate)
                {
                    if (frames.Count > 0 && isSo(frames[^1]))
                    {
                        return frames[^1];
                    }

                    more = grown.Task;
                }

                await more.WaitAsync(TimeSpan.FromSeconds(20), Stop);
            }
        }

        /// <summary>The law: what may follow what.</summary>
        public void Check(string pair, long last)
        {
            var newest = 0L;
            var before = default(Frame);
            foreach (var (at, frame) in frames.Index())
            {
                var where = $"{pair}, frame {at}: {frame} after {before}, newest {newest}";
                if (!frame.IsUnknown)
                {
                    Assert.True(frame.Status == StatusOf(frame.Number), where);
                    Assert.True(frame.Number > newest || (frame.Number == newest && before.IsUnknown), where);
                    Assert.False(forbidden.Any(hide => frame.Number >= hide.From && frame.Number < hide.Below), $"{where}: published under a hide");
                    newest = frame.Number;
                }

                before = frame;
            }

            Assert.Equal(IsHidden, before.IsUnknown);
            Assert.True(IsHidden || newest == last, pair);
            Assert.InRange(frames.Count(frame => frame.IsUnknown), 0, hides + 1); // one may be the answer to the first wish
            Assert.InRange(frames.Index().Count(pair => pair.Index > 0 && !pair.Item.IsUnknown && frames[pair.Index - 1].IsUnknown), 0, reveals + 1);
        }
    }
}
