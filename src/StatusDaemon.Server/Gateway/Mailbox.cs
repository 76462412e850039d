using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace StatusDaemon.Gateway;

/// <summary>What a gateway loop is told by other threads: of clients whose bytes come elsewhere, and by shards. Any thread writes, the loop reads.</summary>
/// <remarks>Shards have a channel of their own, so that what they tell does not wait behind what clients say: one answer of each waits at most, and one batch of each daemon.</remarks>
/// <param name="wake">Lets the loop look.</param>
internal sealed class Mailbox(Action wake)
{
    /// <summary>Inputs that may wait; whoever brings one more waits itself, and with it the client's socket.</summary>
    private const int MaxInputs = 8192;

    private readonly Channel<LoopInput> inputs = Channel.CreateBounded<LoopInput>(new BoundedChannelOptions(MaxInputs) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });
    private readonly Channel<LoopInput> tidings = Channel.CreateUnbounded<LoopInput>(new UnboundedChannelOptions { SingleReader = true });
    private volatile bool needsAnswers;

    /// <summary>Whether there is something to read.</summary>
    public bool HasMail => inputs.Reader.TryPeek(out _) || tidings.Reader.TryPeek(out _);

    /// <summary>Whether something waits for a shard's answer. Else one that says nothing wakes nobody: what the shard tells does, a moment later.</summary>
    public bool NeedsAnswers
    {
        get => needsAnswers;
        set => needsAnswers = value;
    }

    /// <summary>Brings an input; waits while too many are there already.</summary>
    /// <returns>False if the loop has ended: nothing takes it any more.</returns>
    public async ValueTask<bool> PostAsync(LoopInput input, CancellationToken stop)
    {
        try
        {
            await inputs.Writer.WriteAsync(input, stop);
            wake();
            return true;
        }
        catch (ChannelClosedException)
        {
            return false;
        }
    }

    /// <summary>Brings what a shard or a daemon says.</summary>
    /// <returns>As <see cref="PostAsync"/>.</returns>
    public bool Tell(LoopInput tiding)
    {
        if (!tidings.Writer.TryWrite(tiding))
        {
            return false;
        }

        if (needsAnswers || tiding is not LoopInput.Answered { Answer: { MustDeclare: false, Told: [] } })
        {
            wake();
        }

        return true;
    }

    /// <summary>The next input.</summary>
    public bool TryRead([NotNullWhen(true)] out LoopInput? input) => inputs.Reader.TryRead(out input);

    /// <summary>The next tiding.</summary>
    public bool TryReadTiding([NotNullWhen(true)] out LoopInput? tiding) => tidings.Reader.TryRead(out tiding);

    /// <summary>Takes nothing any more.</summary>
    public void Close()
    {
        inputs.Writer.TryComplete();
        tidings.Writer.TryComplete();
    }
}
