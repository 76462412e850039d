using System.Diagnostics;
using Microsoft.Extensions.Logging;
using StatusDaemon.Auth;
using StatusDaemon.Cluster;
using StatusDaemon.Daemon;
using StatusDaemon.Directories;
using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;
using StatusDaemon.Transport;

namespace StatusDaemon.Gateway;

/// <summary>The one owner of its clients: takes inputs in order, writes frames, and calls shards, of which it waits for none.</summary>
/// <remarks>
/// A gateway has several, each a thread with its own sockets and its own name for the shards. Sockets that Kestrel has let go of speak on the loop itself;
/// what belongs to those that it keeps, for TLS, comes through <see cref="PostAsync"/>.
/// </remarks>
internal sealed partial class GatewayLoop : IGatewayObserver, ITurns, IDisposable
{
    /// <summary>Inputs of one turn, and the events in them: some ten milliseconds. Frames that are written meanwhile go out in one flush a client.</summary>
    private const int TurnInputs = 8192;

    /// <summary>Frames that a sink which has drained takes at once, roughly.</summary>
    private const int SinkFrames = 100;

    /// <summary>Frames of statuses of one turn: some tens of milliseconds. What is above waits for the next, and only the latest of each publisher.</summary>
    private const int TurnFrames = 32 * 1024;

    /// <summary>Clients that are looked at in one turn: a millisecond, if all are pinged. Those that came together are silent together, and no status waits for all of their pings.</summary>
    private const int TurnLooks = 64;

    /// <summary>Clients from which on a flush takes longer than shards take to answer, so that it waits for them.</summary>
    private const int WideFlush = 256;

    /// <summary>How long a wide flush waits for shards at most: less than it takes itself.</summary>
    private static readonly TimeSpan ShardPatience = TimeSpan.FromMilliseconds(1);

    /// <summary>How long a closed connection waits for the client's close frame, and for its taking ours.</summary>
    public static readonly TimeSpan LingerFor = TimeSpan.FromSeconds(2);

    private readonly ShardCalls calls;
    private readonly Mailbox mail;
    private readonly List<TaskCompletionSource> taken = []; // in this turn
    private readonly GatewayId id;
    private readonly FanOut fanOut;
    private readonly UidTable uids;
    private readonly Limits limits;
    private readonly ISubscriberDirectory directory;
    private readonly SteadyClock clock;
    private readonly TurnClock turns;
    private readonly TimeProvider time;
    private readonly ILogger<GatewayLoop> log;
    private readonly Queue<DetachedSocket> receiveDue = new(); // have more to say than one turn takes
    private readonly Attention attention;
    private readonly ConnectionCounts counts;
    private readonly ClientReader reader;
    private readonly List<LoopInput> said = [];
    private readonly ClientMessage message = new();
    private readonly byte[] sendRoom = new byte[DetachedSocket.MaxStagedBytes];
    private readonly TaskCompletionSource empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Moment now; // of this turn, by the clock that counts only while the loop is awake
    private TimeSpan? flushBy; // while a flush waits for shards
    private long awakeTicks; // of now, for other threads
    private int connections; // that are not gone, also after their clients have left
    private TimeSpan? tick; // in this turn
    private bool isLookDue; // more clients are to be looked at than the last turn did
    private ClientDrain? drain;
    private GatewayLoad load = new();

    public GatewayLoop(
        GatewayId id, UidTable uids, int shards, Limits limits, AuthOptions auth, ConnectionCounts counts, ISubscriberDirectory directory, SteadyClock clock, TimeProvider time, ILogger<GatewayLoop> log)
    {
        this.id = id;
        this.uids = uids;
        this.limits = limits;
        this.directory = directory;
        this.clock = clock;
        this.time = time;
        this.log = log;
        this.counts = counts;
        now = clock.Now;
        turns = new TurnClock(now);
        attention = new Attention(now.Steady, limits, auth.CloseAtTicketEnd);
        fanOut = new FanOut(id, uids, shards, limits, client => attention.FellBehind(client, now.Steady));
        reader = NewReader();
        Sockets = new SocketLoop($"gateway {id}", this);
        mail = new Mailbox(Sockets.Wake);
        calls = new ShardCalls(fanOut.Links, uids, clock, time, id, mail.Tell, log);
    }

    /// <summary>The thread, and the sockets on it.</summary>
    public SocketLoop Sockets { get; }

    /// <summary>Shards that have taken what this gateway had to tell; all of them once it is ready.</summary>
    public int ShardsReached => fanOut.Links.Count(link => link.IsReached);

    /// <summary>How much it has to do with, as of the last tick. For any thread.</summary>
    public GatewayLoad Load => Volatile.Read(ref load);

    /// <summary>Whether it closes its clients and takes no new ones in.</summary>
    public bool IsDraining => drain is not null;

    /// <summary>When this turn began, by the clock that counts only while the loop is awake. For any thread.</summary>
    public TimeSpan AwakeNow => TimeSpan.FromTicks(Volatile.Read(ref awakeTicks));

    /// <inheritdoc/>
    public bool HasWork => mail.HasMail;

    /// <summary>Frames of this turn that detached sockets have not sent yet.</summary>
    public FrameStage Stage { get; } = new();

    /// <summary>Where a detached socket puts together what it sends at once.</summary>
    public Span<byte> SendRoom => sendRoom;

    /// <summary>Begins to run. What clients say waits for <see cref="Attach"/>.</summary>
    public void Start() => Sockets.Start();

    /// <summary>Begins to call the shards.</summary>
    public void Attach(IClusterClient cluster)
    {
        var self = cluster.CreateObjectReference<IGatewayObserver>(this);
        Sockets.Post(
            _ =>
            {
                calls.Attach(cluster, self);
                tick = RouterSettings.TickInterval; // the first call of each shard
            },
            null);
    }

    /// <inheritdoc cref="Mailbox.PostAsync"/>
    public ValueTask<bool> PostAsync(LoopInput input, CancellationToken stop) => mail.PostAsync(input, stop);

    /// <inheritdoc/>
    /// <remarks>Answered at the end of the turn that took it: a daemon has at most one batch in a turn, and drops what is overtaken meanwhile.</remarks>
    public async Task DeliverAsync(Payload batch)
    {
        var isTaken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (mail.Tell(new LoopInput.Told(batch.AsDeliveries(id, uids), isTaken)))
        {
            await Task.WhenAny(isTaken.Task, Sockets.Ended);
        }
    }

    /// <summary>Closes all clients over a while and waits until they are gone and shards have taken what they said, or the time is over.</summary>
    public async Task DrainAsync(CloseCode code, string reason, TimeSpan over, CancellationToken stop)
    {
        if (await PostAsync(new LoopInput.Drain(code, reason, over), stop))
        {
            await empty.Task.WaitAsync(stop);
        }
    }

    /// <inheritdoc/>
    public void BeginTurn()
    {
        now = turns.Begin(clock.Now);
        Volatile.Write(ref awakeTicks, now.Steady.Ticks);
        if (flushBy is null)
        {
            fanOut.BeginTurn(now.Steady, TurnFrames);
        }

        for (var waiting = receiveDue.Count; waiting > 0; waiting--)
        {
            receiveDue.Dequeue().Receive();
        }
    }

    /// <inheritdoc/>
    public int EndTurn()
    {
        for (var weight = 0; weight < TurnInputs && mail.TryRead(out var input); weight += WeightOf(input))
        {
            Take(input);
        }

        while (mail.TryReadTiding(out var tiding))
        {
            Take(tiding);
        }

        if (isLookDue)
        {
            LookAtClients();
        }

        drain?.CloseSome(now.Steady);
        calls.Call(tick); // shards work while this thread sends
        tick = null;
        if (MustWaitForShards())
        {
            Acknowledge();
            mail.NeedsAnswers = true;
            return receiveDue.Count > 0 ? 0 : (int)ShardPatience.TotalMilliseconds;
        }

        fanOut.Flush(now.Steady);
        Stage.Clear();
        Acknowledge();
        mail.NeedsAnswers = drain is not null || calls.IsWaitedFor;
        if (drain is not null && connections == 0 && calls.IsQuiet)
        {
            empty.TrySetResult();
        }

        return fanOut.IsOverdue || receiveDue.Count > 0 || isLookDue ? 0 : drain?.Patience ?? Timeout.Infinite;
    }

    /// <summary>Whether a flush that takes long lets shards tell first what they are about to tell: each socket then gets in one send what would have been two.</summary>
    /// <remarks>Else clients that publish when they have seen the last status fall into two halves, of which one waits while the other is sent to.</remarks>
    private bool MustWaitForShards()
    {
        if (fanOut.Written < WideFlush || fanOut.IsOverdue || calls.IsQuiet)
        {
            flushBy = null;
            return false;
        }

        var at = clock.Now.Steady;
        flushBy ??= at + ShardPatience;
        if (at < flushBy)
        {
            return true;
        }

        flushBy = null;
        return false;
    }

    /// <summary>Takes in a client whose socket Kestrel has let go of. Only on the loop.</summary>
    /// <param name="behind">What it sent behind its handshake.</param>
    public DetachedSocket Adopt(int number, Caller caller, ClientOrigin origin, ReadOnlyMemory<byte> behind)
    {
        var socket = new DetachedSocket(Sockets, number, this);
        var client = Admit(caller, origin, socket);
        socket.Client = client;
        Sockets.Post(
            _ =>
            {
                if (drain is not null)
                {
                    Close(client, drain.Code, drain.Reason);
                }

                CloseIfRemoved(client);
                socket.Begin(behind.Span);
            },
            null);
        return socket;
    }

    /// <summary>A reader for clients whose bytes do not come on the loop.</summary>
    public ClientReader NewReader() => new(limits, uids, clock, log);

    /// <summary>Takes what a detached socket received.</summary>
    /// <returns>Whether nothing can follow.</returns>
    public bool Take(ReadOnlySpan<byte> bytes, Client client, ref ClientInput input)
    {
        client.Silence.Hear(now.Steady);
        said.Clear();
        var isEnded = reader.Read(bytes, client, ref input, message, said);
        foreach (var one in said)
        {
            Take(one);
        }

        return isEnded;
    }

    /// <summary>A detached socket has more than it could say in this turn.</summary>
    public void ReceiveNextTurn(DetachedSocket socket) => receiveDue.Enqueue(socket);

    /// <summary>Nothing more comes from a client.</summary>
    public void Left(Client client) => Take(new LoopInput.Left(client));

    /// <summary>A client's socket takes frames again: it reads, which is a sign of life, and maybe the only one while nothing is taken from it.</summary>
    public void Drained(Client client)
    {
        client.Silence.Hear(now.Steady);
        fanOut.Drained(client, now.Steady);
    }

    /// <summary>A closed socket has a little time for what is under way, and for the peer's close frame.</summary>
    public void Linger(Client client) => attention.LookOnce(client, now.Steady + LingerFor);

    /// <summary>A connection is gone; its client left before.</summary>
    public void Gone() => connections--;

    /// <inheritdoc/>
    public void Dispose()
    {
        mail.Close();
        Sockets.Dispose();
        reader.Dispose();
    }

    private void Acknowledge()
    {
        foreach (var batch in taken)
        {
            batch.SetResult();
        }

        taken.Clear();
    }

    // What concerns many watches counts for as much as it costs, so that nobody's frames wait for a turn full of it.
    private static int WeightOf(LoopInput input) => input switch
    {
        LoopInput.Said said => 1 + said.Wish.Events.Count,
        LoopInput.Left { Client: var client } => 1 + client.Topics.Count,
        LoopInput.Close { Client: var client } => 1 + client.Topics.Count,
        LoopInput.Drained => SinkFrames,
        _ => 1,
    };

    private void Take(LoopInput input)
    {
        switch (input)
        {
            case LoopInput.Said said:
                Take(said);
                break;
            case LoopInput.Answered answered:
                calls.Take(answered);
                break;
            case LoopInput.Unread unread:
                calls.Take(unread);
                break;
            case LoopInput.Failed failed:
                calls.Take(failed);
                break;
            case LoopInput.Told told:
                fanOut.Take(told.Batch);
                taken.Add(told.Taken);
                break;
            case LoopInput.Drained drained:
                Drained(drained.Client);
                break;
            case LoopInput.Reply reply:
                Reply(reply.Client, reply.Frame);
                break;
            case LoopInput.Join join:
                Take(join);
                break;
            case LoopInput.Close close:
                Close(close.Client, close.Code, close.Reason);
                break;
            case LoopInput.Left left:
                Close(left.Client, CloseCode.ProtocolError, "the stream ended without a close frame");
                break;
            case LoopInput.Gone:
                Gone();
                break;
            case LoopInput.DirectoryChanged changed:
                CloseRemoved(changed.Subscribers);
                break;
            case LoopInput.Tick ticked:
                tick = ticked.Every;
                isLookDue = true;
                Volatile.Write(ref load, fanOut.Load);
                break;
            case LoopInput.Drain begun:
                drain = new ClientDrain(begun, [.. fanOut.Clients], now.Steady, Close);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private void Take(LoopInput.Join join)
    {
        if (drain is not null)
        {
            join.Joined.SetCanceled();
            return;
        }

        var client = Admit(join.Caller, join.Origin, join.Sink);
        join.Joined.SetResult(client);
        CloseIfRemoved(client);
    }

    private Client Admit(Caller caller, ClientOrigin origin, IFrameSink sink)
    {
        connections++;
        var client = fanOut.Admit(caller.Uid, origin, sink, caller);
        attention.Begin(client, now);
        return client;
    }

    private void Take(LoopInput.Said said)
    {
        var saidAt = turns.SaidAt(said.Client.Sink.HasPeerLeft);
        if (fanOut.Has(said.Client) && fanOut.Take(said.Client, said.Wish, directory.Current.IsLocal(said.Client.Subscriber), saidAt) is { } refusal)
        {
            Reply(said.Client, refusal.Frame);
        }
    }

    private void Reply(Client client, byte[] frame)
    {
        if (fanOut.Has(client))
        {
            fanOut.Reply(client, frame);
        }
    }

    private void Close(Client client, CloseCode code, string reason)
    {
        if (fanOut.Has(client))
        {
            LogClosed(client.Origin.Through, (int)code, reason);
            fanOut.Remove(client);
            counts.Leave(client.Subscriber);
            client.Sink.Close(code, reason);
        }
    }

    private const string RemovedReason = "the directory does not know you any more";

    private void CloseRemoved(IReadOnlySet<Uid>? changed)
    {
        foreach (var client in fanOut.Clients.Where(client => changed?.Contains(client.Subscriber) != false).ToArray())
        {
            CloseIfRemoved(client);
        }
    }

    private void CloseIfRemoved(Client client)
    {
        if (IsRemoved(client.Caller!))
        {
            Close(client, CloseCode.PolicyViolation, RemovedReason);
        }
    }

    /// <summary>Whether the one who logged in is not the same subscriber any more: the name decides, not the ticket.</summary>
    /// <remarks>Asks what is in force now, never what this loop was told last, which may be older than the login.</remarks>
    private bool IsRemoved(Caller caller) =>
        caller.IsKnown && !(caller.DName.IsEmpty
            ? directory.Current.TryGet(caller.Uid, out _)
            : directory.Current.TryGet(caller.DName, out var now) && now.Uid.Equals(caller.Uid));

    /// <summary>Pings who is silent, closes who does not answer, does not read, or whose ticket has ended where that counts, and ends who has lingered.</summary>
    private void LookAtClients()
    {
        for (var looks = 0; looks < TurnLooks; looks++)
        {
            if (!attention.TryNext(now.Steady, out var client))
            {
                isLookDue = false;
                return;
            }

            LookAt(client);
        }

        isLookDue = true;
    }

    private void LookAt(Client client)
    {
        if (!fanOut.Has(client))
        {
            (client.Sink as DetachedSocket)?.End();
            return;
        }

        switch (attention.Judge(client, now))
        {
            case Finding.Silent:
                Reply(client, ServerFrame.Ping);
                break;
            case Finding.Gone:
                Close(client, CloseCode.TryAgainLater, "no answer to two pings");
                break;
            case Finding.Stalled:
                Close(client, CloseCode.TryAgainLater, "nothing was read for too long");
                break;
            case Finding.TicketEnded:
                Close(client, CloseCode.PolicyViolation, "the ticket has ended");
                break;
        }
    }

    [LoggerMessage(2001, LogLevel.Debug, "{Client} is closed {Code}: {Reason}")]
    private partial void LogClosed(string client, int code, string reason);
}
