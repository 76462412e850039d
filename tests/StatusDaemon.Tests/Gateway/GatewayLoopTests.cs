using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Auth;
using StatusDaemon.Cluster;
using StatusDaemon.Daemon;
using StatusDaemon.EndToEnd;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using StatusDaemon.Tests.Protocol;
using StatusDaemon.Transport;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Gateway;

public sealed class GatewayLoopTests
{
    private static readonly ConnectionCounts Counts = new(int.MaxValue);

    [Fact]
    public async Task A_loop_that_fails_ends_the_server_and_is_not_missing_in_silence()
    {
        await using var server = await ServerHere.StartAsync();
        var loop = server.Services.GetRequiredService<GatewayLoops>().All[0];
        var client = await JoinAsync(loop, new FaultySink());

        await loop.PostAsync(new LoopInput.Reply(client, ErrorMessage.NotJson.Frame), TestContext.Current.CancellationToken);

        Assert.False(await server.EndedAsync());
        Assert.False(await loop.PostAsync(new LoopInput.Tick(RouterSettings.TickInterval), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_client_that_is_not_heard_is_asked_twice_and_then_let_go()
    {
        await using var own = await OwnLoop.StartAsync();
        await own.PassAsync(100); // a new client of an old loop
        var sink = new NotingSink();
        var client = await JoinAsync(own.Loop, sink);

        await own.PassAsync(29);
        Assert.Empty(await sink.SeenAsync(own.Loop, client));
        await own.PassAsync(3); // a tick may be looked at with the time of the turn's beginning, a second ago
        Assert.Equal(["ping"], await sink.SeenAsync(own.Loop, client));
        client.Silence.Hear(own.Loop.AwakeNow);
        await own.PassAsync(62);
        Assert.Equal(["ping", "ping"], await sink.SeenAsync(own.Loop, client));
        await own.PassAsync(30);
        Assert.Equal("closed 1013: no answer to two pings", await sink.NextAsync());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_pause_of_the_process_makes_no_client_silent_or_slow(bool isBehind)
    {
        await using var own = await OwnLoop.StartAsync();
        var sink = new NotingSink { IsBehind = isBehind };
        var client = await JoinAsync(own.Loop, sink);
        await sink.SeenAsync(own.Loop, client);

        own.Clock.Advance(TimeSpan.FromHours(1));
        await own.PassAsync(2);

        Assert.Empty(await sink.SeenAsync(own.Loop, client));
    }

    [Fact]
    public async Task A_client_that_stays_behind_is_let_go()
    {
        await using var own = await OwnLoop.StartAsync();
        var sink = new NotingSink { IsBehind = true };
        var client = await JoinAsync(own.Loop, sink);
        await sink.SeenAsync(own.Loop, client);

        await own.PassAsync(62);

        Assert.Equal("closed 1013: nothing was read for too long", await sink.NextAsync());
    }

    [Fact]
    public async Task Of_many_that_are_silent_together_all_are_asked()
    {
        await using var own = await OwnLoop.StartAsync();
        var sinks = Enumerable.Range(0, 200).Select(_ => new NotingSink()).ToArray();
        foreach (var sink in sinks)
        {
            await JoinAsync(own.Loop, sink);
        }

        await own.PassAsync(31);

        foreach (var sink in sinks)
        {
            Assert.Equal("ping", await sink.NextAsync());
        }
    }

    [Fact]
    public async Task Who_says_nothing_but_reads_is_not_gone()
    {
        await using var own = await OwnLoop.StartAsync();
        var sink = new NotingSink { IsBehind = true };
        var client = await JoinAsync(own.Loop, sink);
        await sink.SeenAsync(own.Loop, client);

        for (var piece = 0; piece < 3; piece++)
        {
            await own.PassAsync(50);
            await own.Loop.PostAsync(new LoopInput.Drained(client), TestContext.Current.CancellationToken);
        }

        Assert.DoesNotContain(await sink.SeenAsync(own.Loop, client), one => one.StartsWith("closed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_logs_in_by_a_directory_that_the_loop_was_not_told_of_yet_stays_until_he_is_removed()
    {
        await using var own = await OwnLoop.StartAsync();
        var sink = new NotingSink();
        var subscriber = new Subscriber { Uid = UidOf("a"), DName = DNameOf("a@A") };
        own.Directory.Give(2, subscribers: subscriber);
        var client = await JoinAsync(own.Loop, sink, subscriber);
        Assert.Empty(await sink.SeenAsync(own.Loop, client));

        own.Directory.Give(3);
        await own.Loop.PostAsync(new LoopInput.DirectoryChanged(Subscribers: null), TestContext.Current.CancellationToken);
        Assert.Equal("closed 1008: the directory does not know you any more", await sink.NextAsync());
    }

    [Theory]
    [InlineData("phone@A", null, true)] // the name that logged in leads to nobody
    [InlineData("phone@A", "b", true)] // or to somebody else
    [InlineData("a@A", null, false)] // another name of his, also the one that is shown
    public async Task Who_logged_in_is_closed_when_the_very_name_does_not_mean_him_any_more(string moved, string? to, bool isClosed)
    {
        await using var own = await OwnLoop.StartAsync();
        var sink = new NotingSink();
        var subscriber = new Subscriber { Uid = UidOf("a"), DName = DNameOf("a@A"), DNames = [DNameOf("a@A"), DNameOf("phone@A")] };
        own.Directory.Give(2, subscribers: subscriber);
        var client = await JoinAsync(own.Loop, sink, subscriber, DNameOf("phone@A"));

        var edit = new DirectoryEdit(own.Directory.Current);
        edit.SetLookUp(DNameOf(moved), to is null ? null : UidOf(to));
        var next = edit.Apply();
        var change = DirectoryChange.Between(own.Directory.Current, next);
        own.Directory.Give(next);
        await own.Loop.PostAsync(new LoopInput.DirectoryChanged(change.AttributesChanged), TestContext.Current.CancellationToken);
        string[] expected = isClosed ? ["closed 1008: the directory does not know you any more"] : [];
        Assert.Equal(expected, await sink.SeenAsync(own.Loop, client));
    }

    [Fact]
    public async Task What_came_behind_a_handshake_is_taken_before_what_came_later()
    {
        await using var own = await OwnLoop.StartAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var peer = new TcpClient();
        await peer.ConnectAsync((IPEndPoint)listener.LocalEndpoint, TestContext.Current.CancellationToken);
        var number = NativeSocket.Accept((int)listener.Server.Handle, out _, out _);
        await peer.GetStream().WriteAsync(ClientFrames.Frame(ClientFrames.Ping, "2"), TestContext.Current.CancellationToken);

        own.Loop.Sockets.Post(
            _ =>
            {
                for (var i = 0; i < 10_000; i++)
                {
                    own.Loop.Sockets.Post(static _ => { }, null); // more than a turn does
                }

                var caller = new Caller(UidOf("a"), DName: default, IsKnown: false, TicketEnd: null);
                var adopted = own.Loop.Adopt(number, caller, new ClientOrigin("a", "a test"), ClientFrames.Frame(ClientFrames.Ping, "1"));
                own.Loop.Sockets.Add(adopted, Readiness.Readable | Readiness.Writable | Readiness.PeerEnded | Readiness.OnChange);
            },
            null);

        var pongs = new byte[6];
        var read = peer.GetStream().ReadExactlyAsync(pongs, TestContext.Current.CancellationToken).AsTask();
        await await Task.WhenAny(read, own.Loop.Sockets.Ended);
        Assert.Equal([0x8A, 1, (byte)'1', 0x8A, 1, (byte)'2'], pongs);
    }

    private static async Task<Client> JoinAsync(GatewayLoop loop, IFrameSink sink, Subscriber? subscriber = null, DName dname = default)
    {
        var joined = new TaskCompletionSource<Client>(TaskCreationOptions.RunContinuationsAsynchronously);
        Counts.TryEnter(UidOf("a"));
        await loop.PostAsync(new LoopInput.Join(new Caller(UidOf("a"), dname.IsEmpty ? subscriber?.DName ?? default : dname, IsKnown: subscriber is not null, TicketEnd: null), new ClientOrigin("a", "a test"), sink, joined), TestContext.Current.CancellationToken);
        return await joined.Task;
    }

    /// <summary>A loop beside that of a server, whose time the test moves.</summary>
    private sealed class OwnLoop : IAsyncDisposable
    {
        private readonly ServerHere server;

        private OwnLoop(ServerHere server)
        {
            this.server = server;
            Loop = ActivatorUtilities.CreateInstance<GatewayLoop>(
                server.Services, new GatewayId(1), 1, new Limits(), new AuthOptions { Mode = AuthMode.TrustedHeader }, Counts, Directory, new SteadyClock(Clock));
        }

        public FakeTimeProvider Clock { get; } = new();

        public GivenDirectory Directory { get; } = new();

        public GatewayLoop Loop { get; }

        public static async Task<OwnLoop> StartAsync()
        {
            var own = new OwnLoop(await ServerHere.StartAsync());
            own.Loop.Start();
            own.Loop.Attach(own.server.Services.GetRequiredService<IClusterClient>());
            return own;
        }

        /// <summary>Lets seconds pass, each with its tick.</summary>
        public async Task PassAsync(int seconds)
        {
            for (var second = 0; second < seconds; second++)
            {
                Clock.Advance(RouterSettings.TickInterval);
                await Loop.PostAsync(new LoopInput.Tick(RouterSettings.TickInterval), TestContext.Current.CancellationToken);
                await JoinAsync(Loop, new NotingSink()); // it is through with the tick when it has come to this
            }
        }

        public async ValueTask DisposeAsync()
        {
            Loop.Dispose();
            await server.DisposeAsync();
        }
    }

    /// <summary>Notes what a client would see, in words.</summary>
    private sealed class NotingSink : IFrameSink
    {
        private readonly Channel<string> seen = Channel.CreateUnbounded<string>();

        public bool IsBehind { get; init; }

        public bool TryWrite(byte[] frame) => seen.Writer.TryWrite(frame[0] == 0x89 ? "ping" : "answer");

        public bool Flush() => !IsBehind;

        public void Pause()
        {
        }

        public void Resume()
        {
        }

        public void Close(CloseCode code, string reason) => seen.Writer.TryWrite($"closed {(int)code}: {reason}");

        public Task<string> NextAsync() => seen.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask();

        /// <summary>What came since the last time, up to an answer that is asked for now.</summary>
        public async Task<string[]> SeenAsync(GatewayLoop loop, Client client)
        {
            await loop.PostAsync(new LoopInput.Reply(client, ErrorMessage.NotJson.Frame), TestContext.Current.CancellationToken);
            await JoinAsync(loop, new NotingSink());
            return [.. Drain(seen.Reader).Where(one => one != "answer")];
        }

        private static IEnumerable<string> Drain(ChannelReader<string> reader)
        {
            while (reader.TryRead(out var one))
            {
                yield return one;
            }
        }
    }

    private sealed class FaultySink : IFrameSink
    {
        public bool TryWrite(byte[] frame) => throw new InvalidTimeZoneException("a fault that nobody foresaw");

        public bool Flush() => true;

        public void Pause()
        {
        }

        public void Resume()
        {
        }

        public void Close(CloseCode code, string reason)
        {
        }
    }
}
