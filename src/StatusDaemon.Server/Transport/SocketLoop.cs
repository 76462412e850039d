using System.Collections.Concurrent;
using System.IO.Pipelines;

namespace StatusDaemon.Transport;

/// <summary>One thread that owns sockets for life: it waits for all of them at once, lets each do what it can, and then lets its turns have a word.</summary>
/// <remarks>
/// A turn: what sockets say, then what others posted, then <see cref="ITurns.EndTurn"/>, which sends what has gathered meanwhile. There is no timer and no
/// delay: the more there is to do, the more one turn does. Whatever fails here ends the loop, and <see cref="Ended"/> says so.
/// </remarks>
internal sealed partial class SocketLoop : IDisposable
{
    private const int TurnEvents = 512;

    /// <summary>Bytes of one socket at once.</summary>
    private const int RoomBytes = 16 * 1024;

    /// <summary>Posted work of one turn: the rest waits for the next, so that sockets are not kept waiting by it.</summary>
    private const int TurnPosted = 4096;

    private readonly Epoll epoll = new(TurnEvents);
    private readonly WakeUp wakeUp = new();
    private readonly ConcurrentQueue<(Action<object?> What, object? With)> posted = new();
    private readonly List<LoopSocket?> sockets = [];
    private readonly List<uint> generations = [];
    private readonly Stack<int> free = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] room = new byte[RoomBytes];
    private readonly Thread thread;
    private readonly ITurns turns;
    private int isAsleep;
    private bool isStopping;

    /// <param name="name">Of its thread, for whoever looks at the process.</param>
    public SocketLoop(string name, ITurns turns)
    {
        this.turns = turns;
        Scheduler = new LoopScheduler(this);
        epoll.Watch(wakeUp.File, Readiness.Readable | Readiness.OnChange, ulong.MaxValue);
        thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    /// <summary>Runs the continuations of pipes on this loop.</summary>
    public PipeScheduler Scheduler { get; }

    /// <summary>Where a socket receives into: one has it at a time, so that none holds a buffer while it waits. Only on the loop.</summary>
    public Span<byte> Room => room;

    /// <summary>Ends with the loop; faulted if something failed in it.</summary>
    public Task Ended => ended.Task;

    /// <summary>Sockets that it owns.</summary>
    public int Count => sockets.Count - free.Count;

    /// <summary>Begins to run.</summary>
    public void Start() => thread.Start();

    /// <summary>Asks it to end, from any thread; sockets that are left are closed.</summary>
    public void Stop() => Post(static loop => ((SocketLoop)loop!).isStopping = true, this);

    /// <summary>Has something done on the loop, from any thread, in the order of posting.</summary>
    public void Post(Action<object?> what, object? with)
    {
        posted.Enqueue((what, with));
        Wake();
    }

    /// <summary>Lets a turn begin even if nothing happens. For work that lies elsewhere and is there already.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref isAsleep, 0) == 1)
        {
            wakeUp.Ring();
        }
    }

    /// <summary>Takes a socket over. Only on the loop.</summary>
    public void Add(LoopSocket socket, Readiness what)
    {
        if (!free.TryPop(out var slot))
        {
            slot = sockets.Count;
            sockets.Add(null);
            generations.Add(0);
        }

        sockets[slot] = socket;
        socket.Slot = slot;
        epoll.Watch(socket.Number, what, ((ulong)generations[slot] << 32) | (uint)slot);
    }

    /// <summary>Lets another take a socket's place, with its number. Only on the loop.</summary>
    public void Replace(LoopSocket socket, LoopSocket next)
    {
        sockets[socket.Slot] = next;
        next.Slot = socket.Slot;
    }

    /// <summary>Closes a socket, or leaves it to whom it belongs, who closes it before anything more can be reported. What was reported of it in this turn reaches nobody any more. Only on the loop.</summary>
    public void Close(LoopSocket socket)
    {
        sockets[socket.Slot] = null;
        generations[socket.Slot]++;
        free.Push(socket.Slot);
        if (socket.IsNumberOurs)
        {
            NativeSocket.Close(socket.Number);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (thread.IsAlive)
        {
            Stop();
            thread.Join();
        }

        epoll.Dispose();
        wakeUp.Dispose();
    }

    private void Run()
    {
        try
        {
            var patience = Timeout.Infinite;
            while (!isStopping)
            {
                var count = epoll.Wait(patience == 0 || !FallAsleep() ? 0 : patience);
                Volatile.Write(ref isAsleep, 0);
                turns.BeginTurn();
                for (var i = 0; i < count; i++)
                {
                    Tell(epoll.At(i));
                }

                DoPosted();
                patience = turns.EndTurn();
            }

            ended.SetResult();
        }
        catch (Exception e)
        {
            ended.SetException(e);
        }

        foreach (var socket in sockets.OfType<LoopSocket>().ToArray())
        {
            Close(socket);
        }
    }

    /// <returns>False if there is something to do: whoever posted it before this has not rung.</returns>
    private bool FallAsleep()
    {
        Interlocked.Exchange(ref isAsleep, 1);
        return posted.IsEmpty && !turns.HasWork;
    }

    private void Tell((Readiness What, ulong Data) happened)
    {
        var slot = (int)(uint)happened.Data;
        if (slot >= 0 && slot < sockets.Count && generations[slot] == (uint)(happened.Data >> 32))
        {
            sockets[slot]?.OnReady(happened.What);
        }
    }

    private void DoPosted()
    {
        for (var done = 0; done < TurnPosted && posted.TryDequeue(out var next); done++)
        {
            next.What(next.With);
        }
    }

    private sealed class LoopScheduler(SocketLoop loop) : PipeScheduler
    {
        public override void Schedule(Action<object?> action, object? state) => loop.Post(action, state);
    }
}
