using Microsoft.Extensions.Logging;
using StatusDaemon.Cluster;
using StatusDaemon.Daemon;
using StatusDaemon.Names;
using StatusDaemon.Routing;

namespace StatusDaemon.Gateway;

/// <summary>Calls the shards for one gateway loop: each has one batch outstanding at most, and an idle one is called with every tick: <see cref="IShardAccess.Heartbeat"/>.</summary>
/// <remarks>Owned by the loop, which waits for no call: what comes of it is an input of the loop again.</remarks>
/// <param name="tell">Brings what comes of a call to the loop.</param>
internal sealed partial class ShardCalls(
    IReadOnlyList<ShardLink> links, UidTable uids, SteadyClock clock, TimeProvider time, GatewayId id, Func<LoopInput, bool> tell, ILogger log)
{
    private static readonly RetryPause Retry = new(First: TimeSpan.FromMilliseconds(50), Longest: TimeSpan.FromMilliseconds(150));

    private readonly TimeSpan[] calledAt = new TimeSpan[links.Count];
    private readonly TimeSpan[] pauses = new TimeSpan[links.Count]; // zero where the last call was answered
    private readonly byte[] versions = [.. links.Select(_ => WireVersion.Newest)]; // of what each shard is told; a later activation may read a newer one
    private IShardGrain[] shards = []; // none until there is a way to them
    private IGatewayObserver self = null!;

    /// <summary>Whether no shard that can be reached has anything to be told, or to answer.</summary>
    public bool IsQuiet => shards.Length == 0 || links.All(link => !link.IsBusy && !link.HasWork);

    /// <summary>Whether something waits for an answer that is under way.</summary>
    public bool IsWaitedFor => links.Any(link => link.IsWaitedFor);

    /// <summary>There is a way to the shards: from now on they are called.</summary>
    /// <param name="gateway">How a daemon reaches the gateway.</param>
    public void Attach(IClusterClient cluster, IGatewayObserver gateway)
    {
        self = gateway;
        shards = [.. links.Select((_, shard) => cluster.GetGrain<IShardGrain>(shard))];
    }

    /// <summary>Calls every shard that there is something for, and with a tick every idle one: a heartbeat.</summary>
    /// <param name="tick">How often ticks come; null where this is none.</param>
    public void Call(TimeSpan? tick)
    {
        var now = clock.Now.Steady;
        List<(int Shard, Payload Batch, TimeSpan Pause)>? due = null;
        for (var shard = 0; shard < shards.Length; shard++)
        {
            var link = links[shard];
            if (!link.IsBusy && (link.HasWork || (tick is { } every && (link.Activation == 0 || now - calledAt[shard] >= every / 2))))
            {
                calledAt[shard] = now;
                var batch = link.Next(now);
                (due ??= []).Add((shard, new Payload(() => batch with { At = clock.Now.Steady }, versions[shard]), pauses[shard])); // however long it lies here
            }
        }

        if (due is not null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(CallAll, due, preferLocal: false);
        }
    }

    /// <summary>Takes the answer to a call.</summary>
    public void Take(LoopInput.Answered answered)
    {
        var (shard, activation) = (answered.Shard, links[answered.Shard].Activation);
        if (!links[shard].Answered(answered.Answer))
        {
            Pause(shard, "the answer is one to another batch, or of an activation that should be gone");
        }
        else if (pauses[shard] != TimeSpan.Zero)
        {
            pauses[shard] = TimeSpan.Zero;
            LogBack(shard);
        }

        if (activation != 0 && links[shard].Activation != activation)
        {
            versions[shard] = WireVersion.Newest;
        }
    }

    /// <summary>Takes a shard's word that it does not read what it was told, and tells it again in words that it reads.</summary>
    public void Take(LoopInput.Unread unread)
    {
        var shard = unread.Shard;
        links[shard].Failed();
        if (unread.Reads.Common(WireRange.Ours) is { } common && common != versions[shard])
        {
            versions[shard] = common;
            LogOlder(shard, common);
        }
        else
        {
            Pause(shard, $"it reads messages of versions {unread.Reads}, and this gateway writes {WireRange.Ours}: upgrade the older of the two by one release at a time");
        }
    }

    /// <summary>Notes that a call failed. Whatever the reason, the batch may or may not have been taken, so it goes again.</summary>
    public void Take(LoopInput.Failed failed)
    {
        links[failed.Shard].Failed();
        Pause(failed.Shard, failed.Reason);
    }

    /// <summary>Lets the next call wait, longer each time.</summary>
    private void Pause(int shard, string reason)
    {
        var isFirst = pauses[shard] == TimeSpan.Zero;
        pauses[shard] = Retry.After(pauses[shard]);
        if (isFirst)
        {
            LogAway(shard, reason);
        }
        else
        {
            LogStillAway(shard, reason);
        }
    }

    /// <summary>Makes the calls of a turn.</summary>
    /// <remarks>
    /// Not on the loop's thread: Orleans takes the object that waits for an answer from a pool of the thread that calls, and gives it back to that of the
    /// thread that goes on. A thread that only called would have a new one made for each call, and none of them would ever be collected.
    /// </remarks>
    private void CallAll(List<(int Shard, Payload Batch, TimeSpan Pause)> due)
    {
        foreach (var (shard, batch, pause) in due)
        {
            _ = CallAsync(shard, batch, pause);
        }
    }

    private async Task CallAsync(int shard, Payload batch, TimeSpan pause)
    {
        try
        {
            if (pause > TimeSpan.Zero)
            {
                await Task.Delay(pause, time);
            }

            var answer = await shards[shard].TakeAsync(batch, self).WaitAsync(ClusterHosting.Patience, time); // a batch is taken once however often it comes
            tell(answer.AsRange() is { } reads ? new LoopInput.Unread(shard, reads) : new LoopInput.Answered(shard, answer.AsAnswer(id, uids)));
        }
        catch (Exception e)
        {
            tell(new LoopInput.Failed(shard, e.Message));
        }
    }

    [LoggerMessage(2002, LogLevel.Warning, "Shard {Shard} did not answer and is asked until it does: {Reason}")]
    private partial void LogAway(int shard, string reason);

    [LoggerMessage(2003, LogLevel.Debug, "Shard {Shard} did not answer again: {Reason}")]
    private partial void LogStillAway(int shard, string reason);

    [LoggerMessage(2005, LogLevel.Debug, "Shard {Shard} is told in messages of version {Version}")]
    private partial void LogOlder(int shard, byte version);

    [LoggerMessage(2004, LogLevel.Information, "Shard {Shard} answers again")]
    private partial void LogBack(int shard);
}
