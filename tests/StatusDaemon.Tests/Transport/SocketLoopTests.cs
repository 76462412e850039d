using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace StatusDaemon.Transport;

public sealed class SocketLoopTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Turns turns = new();
    private readonly SocketLoop loop;

    public SocketLoopTests()
    {
        loop = new SocketLoop("test", turns);
        loop.Start();
    }

    public void Dispose() => loop.Dispose();

    [Fact]
    public async Task What_many_threads_post_is_done_on_one_thread_each_in_its_order()
    {
        const int Threads = 4;
        const int Each = 20_000;
        var done = new List<(int Thread, int Number)>();
        var threads = new HashSet<int>();

        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (var number = 0; number < Each; number++)
            {
                var one = (thread, number);
                loop.Post(_ => { done.Add(one); threads.Add(Environment.CurrentManagedThreadId); }, null);
            }
        })));
        await PassAsync();

        Assert.Single(threads);
        Assert.All(Enumerable.Range(0, Threads), thread => Assert.Equal(Enumerable.Range(0, Each), done.Where(one => one.Thread == thread).Select(one => one.Number)));
    }

    [Fact]
    public async Task A_loop_that_sleeps_wakes_for_each_post()
    {
        for (var round = 0; round < 2_000; round++)
        {
            await PassAsync();
        }
    }

    [Fact]
    public async Task What_fails_on_a_loop_ends_it_and_closes_its_sockets()
    {
        var (ours, theirs) = Pair();
        using (theirs)
        {
            loop.Post(_ => loop.Add(new Noting(loop, ours, _ => { }), Readiness.Readable), null);
            loop.Post(_ => throw new InvalidTimeZoneException("nobody foresaw it"), null);

            await Assert.ThrowsAsync<InvalidTimeZoneException>(() => loop.Ended.WaitAsync(Patience, TestContext.Current.CancellationToken));
            Assert.Equal(0, await theirs.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task What_was_reported_of_a_socket_that_is_closed_meanwhile_does_not_reach_the_next_in_its_place()
    {
        var (first, firstPeer) = Pair();
        var (second, secondPeer) = Pair();
        var (third, thirdPeer) = Pair();
        var reported = Channel.CreateUnbounded<string>();
        using (firstPeer)
        using (secondPeer)
        using (thirdPeer)
        {
            // Both have something to say in the same turn; whoever speaks first closes the other, whose place a third takes.
            LoopSocket? one = null;
            LoopSocket? other = null;
            var isReplaced = false;
            void Replace(LoopSocket victim)
            {
                if (!isReplaced)
                {
                    isReplaced = true;
                    loop.Close(victim);
                    loop.Add(new Noting(loop, third, _ => reported.Writer.TryWrite("third")), Readiness.Readable | Readiness.OnChange);
                    reported.Writer.TryWrite("replaced");
                }
            }

            firstPeer.Send([1]);
            secondPeer.Send([1]);
            loop.Post(
                _ =>
                {
                    one = new Noting(loop, first, _ => Replace(other!));
                    other = new Noting(loop, second, _ => Replace(one));
                    loop.Add(one, Readiness.Readable | Readiness.OnChange);
                    loop.Add(other, Readiness.Readable | Readiness.OnChange);
                },
                null);

            Assert.Equal("replaced", await reported.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken));
            await PassAsync();
            Assert.False(reported.Reader.TryRead(out _));
            thirdPeer.Send([1]);
            Assert.Equal("third", await reported.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Work_that_lies_elsewhere_gets_its_turn()
    {
        for (var round = 0; round < 1_000; round++)
        {
            turns.Bring();
            loop.Wake();
            await turns.TakenAsync().WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
    }

    private Task PassAsync()
    {
        var passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(_ => passed.SetResult(), null);
        return passed.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    /// <summary>Two ends of a connection; the number of ours belongs to whoever takes it.</summary>
    private static (int Ours, Socket Theirs) Pair()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var theirs = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        theirs.Connect(listener.LocalEndPoint!);
        return (NativeSocket.Accept((int)listener.Handle, out _, out _), theirs);
    }

    private sealed class Noting(SocketLoop loop, int number, Action<Readiness> note) : LoopSocket(loop, number)
    {
        public override void OnReady(Readiness what) => note(what);
    }

    private sealed class Turns : ITurns
    {
        private readonly Channel<bool> taken = Channel.CreateUnbounded<bool>();
        private int brought;

        public bool HasWork => Volatile.Read(ref brought) > 0;

        public void Bring() => Interlocked.Increment(ref brought);

        public Task<bool> TakenAsync() => taken.Reader.ReadAsync().AsTask();

        public void BeginTurn()
        {
        }

        public int EndTurn()
        {
            if (Interlocked.Exchange(ref brought, 0) > 0)
            {
                taken.Writer.TryWrite(true);
            }

            return Timeout.Infinite;
        }
    }
}
