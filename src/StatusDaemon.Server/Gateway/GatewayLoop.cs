using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Auth;
using StatusDaemon.Cluster;
using StatusDaemon.Daemon;
using StatusDaemon.Directories;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>The one owner of a gateway's clients: takes inputs in order, writes frames, and calls shards, of which it waits for none.</summary>
internal sealed partial class GatewayLoop : BackgroundService, IGatewayObserver
{
    /// <summary>Inputs that may wait; whoever brings one more waits itself, and with it the client's socket.</summary>
    private const int InboxInputs = 8192;

    /// <summary>Inputs of one turn, and the events in them: some ten milliseconds. Frames that are written meanwhile go out in one flush a client.</summary>
    private const int TurnInputs = 8192;

    /// <summary>Frames that a sink which has drained takes at once, roughly.</summary>
    private const int SinkFrames = 100;

    /// <summary>Frames of statuses of one turn: some tens of milliseconds. What is above waits for the next, and only the latest of each publisher.</summary>
    private const int TurnFrames = 32 * 1024;

    private readonly Channel<LoopInput> inbox = Channel.CreateBounded<LoopInput>(
        new BoundedChannelOptions(InboxInputs) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    // Beside the inbox, so that what is told does not wait behind what clients say. Each daemon has one batch under way.
    private readonly Channel<(DeliveryBatch Batch, TaskCompletionSource Taken)> delivered = Channel.CreateUnbounded<(DeliveryBatch, TaskCompletionSource)>(new UnboundedChannelOptions { SingleReader = true });
    private readonly List<TaskCompletionSource> taken = []; // in this turn
    private readonly GatewayId id;
    private readonly FanOut fanOut;
    private readonly UidTable uids;
    private readonly Limits limits;
    private readonly bool closesAtTicketEnd;
    private readonly IClusterClient cluster;
    private readonly ISubscriberDirectory source;
    private readonly SteadyClock clock;
    private readonly AwakeClock awake; // a pause of the process makes nobody silent, or slow
    private readonly TimeProvider time;
    private readonly ILogger<GatewayLoop> log;
    private readonly Dictionary<Client, ClientSocket> sockets = [];
    private readonly TaskCompletionSource empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ShardCalls calls = null!;
    private Task<bool>? said; // ends when there is something in the inbox; waited for again where it was not
    private Task<bool>? told; // the same of what is delivered
    private DirectorySnapshot directory;
    private Moment now; // of this turn
    private LoopInput.Drain? draining;

    public GatewayLoop(
        GatewayId id, UidTable uids, int shards, Limits limits, AuthOptions auth, IClusterClient cluster, ISubscriberDirectory source, SteadyClock clock, TimeProvider time, ILogger<GatewayLoop> log)
    {
        this.id = id;
        this.uids = uids;
        this.limits = limits;
        this.cluster = cluster;
        this.source = source;
        this.clock = clock;
        this.time = time;
        this.log = log;
        closesAtTicketEnd = auth.CloseAtTicketEnd;
        awake = new AwakeClock(clock.Now.Steady);
        directory = source.Current;
        fanOut = new FanOut(id, uids, shards, limits);
    }

    /// <summary>Shards that have taken what this gateway had to tell; all of them once it is ready.</summary>
    public int ShardsReached => fanOut.Links.Count(link => link.IsReached);

    /// <summary>Shards of the deployment.</summary>
    public int Shards => fanOut.Links.Count;

    /// <summary>Whether the gateway closes its clients and takes no new ones in.</summary>
    public bool IsDraining => draining is not null;

    /// <summary>The table of UIDs of this process.</summary>
    public UidTable Uids => uids;

    /// <summary>Brings an input; waits while too many are there already.</summary>
    /// <returns>False if the loop has ended: nothing takes it any more.</returns>
    public async ValueTask<bool> PostAsync(LoopInput input, CancellationToken stop)
    {
        try
        {
            await inbox.Writer.WriteAsync(input, stop);
            return true;
        }
        catch (ChannelClosedException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    /// <remarks>Answered at the end of the turn that took it: a daemon has at most one batch in a turn, and drops what is overtaken meanwhile.</remarks>
    public async Task DeliverAsync(Payload batch)
    {
        var isTaken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (delivered.Writer.TryWrite((DeliveryBatch.Parse(batch.Bytes, id, uids), isTaken)))
        {
            await Task.WhenAny(isTaken.Task, ExecuteTask!);
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
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        var self = cluster.CreateObjectReference<IGatewayObserver>(this);
        calls = new ShardCalls(fanOut.Links, cluster, self, uids, clock, time, input => PostAsync(input, CancellationToken.None).AsTask(), log);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] parts = [RunAsync(ending.Token), TickAsync(ending.Token), FollowDirectoryAsync(ending.Token)];
        try
        {
            // None of them ends by itself: without one the others would go on as if nothing were missing.
            await await Task.WhenAny(parts);
        }
        finally
        {
            inbox.Writer.TryComplete();
            delivered.Writer.TryComplete();
            await ending.CancelAsync();
            await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RunAsync(CancellationToken stop)
    {
        calls.Call(isTick: true);
        while (true)
        {
            if (!fanOut.IsOverdue)
            {
                await WaitAsync(stop);
            }

            stop.ThrowIfCancellationRequested();
            var isTick = false;
            now = awake.Advance(clock.Now);
            fanOut.BeginTurn(now.Steady, TurnFrames);
            for (var weight = 0; weight < TurnInputs && inbox.Reader.TryRead(out var input); weight += WeightOf(input))
            {
                isTick |= input is LoopInput.Tick;
                Take(input);
            }

            while (delivered.Reader.TryRead(out var tidings))
            {
                fanOut.Take(tidings.Batch);
                taken.Add(tidings.Taken);
            }

            fanOut.Flush(now.Steady);
            Acknowledge();
            calls.Call(isTick);
            if (draining is not null && sockets.Count == 0 && calls.IsQuiet)
            {
                empty.TrySetResult();
            }
        }
    }

    /// <summary>Waits until somebody has brought something.</summary>
    private async Task WaitAsync(CancellationToken stop)
    {
        if (inbox.Reader.TryPeek(out _) || delivered.Reader.TryPeek(out _))
        {
            return;
        }

        said = said is { IsCompleted: false } ? said : inbox.Reader.WaitToReadAsync(stop).AsTask();
        told = told is { IsCompleted: false } ? told : delivered.Reader.WaitToReadAsync(stop).AsTask();
        await Task.WhenAny(said, told);
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
            case LoopInput.Failed failed:
                calls.Take(failed);
                break;
            case LoopInput.Drained drained:
                fanOut.Drained(drained.Client, now.Steady);
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
            case LoopInput.DirectoryChanged changed:
                directory = changed.Directory;
                CloseRemoved();
                break;
            case LoopInput.Tick:
                LookAtClients();
                break;
            case LoopInput.Drain drain:
                draining = drain;
                _ = PaceAsync(drain, [.. sockets.Keys]);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private void Take(LoopInput.Join join)
    {
        if (draining is not null)
        {
            join.Joined.SetCanceled();
            return;
        }

        var client = fanOut.Admit(join.Subscriber, join.Origin, join.Socket.Sink);
        sockets.Add(client, join.Socket);
        join.Joined.SetResult(client);
        if (IsRemoved(join.Socket.Caller))
        {
            Close(client, CloseCode.PolicyViolation, RemovedReason); // between the login and now
        }
    }

    private void Take(LoopInput.Said said)
    {
        if (sockets.ContainsKey(said.Client) && fanOut.Take(said.Client, said.Wish, directory.IsLocal(said.Client.Subscriber)) is { } refusal)
        {
            Reply(said.Client, refusal.Frame);
        }
    }

    private void Reply(Client client, byte[] frame)
    {
        if (sockets.ContainsKey(client) && !fanOut.Reply(client, frame))
        {
            Close(client, CloseCode.TryAgainLater, "too many answers wait for you: read");
        }
    }

    private void Close(Client client, CloseCode code, string reason)
    {
        if (sockets.Remove(client))
        {
            LogClosed(client.Origin.Through, (int)code, reason);
            fanOut.Remove(client);
            client.Sink.Close(code, reason);
        }
    }

    private const string RemovedReason = "the directory does not know you any more";

    private void CloseRemoved()
    {
        foreach (var client in sockets.Where(pair => IsRemoved(pair.Value.Caller)).Select(pair => pair.Key).ToArray())
        {
            Close(client, CloseCode.PolicyViolation, RemovedReason);
        }
    }

    /// <summary>Whether the one who logged in is not the same subscriber any more: the name decides, not the ticket.</summary>
    private bool IsRemoved(Caller caller) =>
        caller.Subscriber is { } then && !(directory.TryGet(then.DName, out var now) && now.Uid.Equals(caller.Uid));

    /// <summary>Pings who is silent, and closes who does not answer, does not read, or whose ticket has ended where that counts.</summary>
    private void LookAtClients()
    {
        foreach (var (client, socket) in sockets.ToArray())
        {
            var liveness = socket.Judge(now.Steady);
            if (now.Steady - client.BehindSince > limits.Stalled)
            {
                Close(client, CloseCode.TryAgainLater, "nothing was read for too long");
            }
            else if (closesAtTicketEnd && socket.Caller.TicketEnd < now.Utc)
            {
                Close(client, CloseCode.PolicyViolation, "the ticket has ended");
            }
            else if (liveness == Liveness.Gone)
            {
                Close(client, CloseCode.TryAgainLater, "no answer to two pings");
            }
            else if (liveness == Liveness.Silent)
            {
                Reply(client, ServerFrame.Ping);
            }
        }
    }

    /// <summary>Closes clients evenly over the drain time, so that they do not come back all at once.</summary>
    private async Task PaceAsync(LoopInput.Drain drain, Client[] clients)
    {
        const int AtOnce = 100;
        var pause = drain.Over / Math.Max(1, (clients.Length / AtOnce) + 1);
        foreach (var some in clients.Chunk(AtOnce))
        {
            foreach (var client in some)
            {
                await PostAsync(new LoopInput.Close(client, drain.Code, drain.Reason), CancellationToken.None);
            }

            if (clients.Length > AtOnce)
            {
                await Task.Delay(pause, time);
            }
        }
    }

    private async Task TickAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(RouterSettings.TickInterval, time);
        while (await timer.WaitForNextTickAsync(stop))
        {
            await PostAsync(new LoopInput.Tick(), stop);
        }
    }

    private async Task FollowDirectoryAsync(CancellationToken stop)
    {
        await foreach (var snapshot in source.FollowAsync(stop))
        {
            await PostAsync(new LoopInput.DirectoryChanged(snapshot), stop);
        }
    }

    [LoggerMessage(2001, LogLevel.Debug, "{Client} is closed {Code}: {Reason}")]
    private partial void LogClosed(string client, int code, string reason);
}
