using StatusDaemon.Auth;
using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;

namespace StatusDaemon.Gateway;

/// <summary>Everything that a gateway loop can be told.</summary>
internal abstract record LoopInput
{
    private LoopInput()
    {
    }

    /// <summary>A client has logged in and its socket is open.</summary>
    /// <param name="Joined">Gets the client, or is cancelled if the loop takes nobody in any more.</param>
    public sealed record Join(Caller Caller, ClientOrigin Origin, IFrameSink Sink, TaskCompletionSource<Client> Joined) : LoopInput;

    /// <summary>A client sent a message that could be read.</summary>
    public sealed record Said(Client Client, ClientWish Wish) : LoopInput;

    /// <summary>A client is to get an answer to something that it sent: an error, a pong.</summary>
    public sealed record Reply(Client Client, byte[] Frame) : LoopInput;

    /// <summary>A client closes, or broke a rule: close it.</summary>
    public sealed record Close(Client Client, CloseCode Code, string Reason) : LoopInput;

    /// <summary>Nothing more comes from a client: it has closed, or its connection is gone.</summary>
    public sealed record Left(Client Client) : LoopInput;

    /// <summary>A connection that Kestrel keeps has been let go of; its client left before.</summary>
    public sealed record Gone : LoopInput;

    /// <summary>A client's sink takes frames again.</summary>
    public sealed record Drained(Client Client) : LoopInput;

    /// <summary>A shard answered the batch that it was called with.</summary>
    public sealed record Answered(int Shard, ShardAnswer Answer) : LoopInput;

    /// <summary>A shard does not read the version of the batch that it was called with.</summary>
    /// <param name="Reads">Those that it reads.</param>
    public sealed record Unread(int Shard, WireRange Reads) : LoopInput;

    /// <summary>Calling a shard failed.</summary>
    public sealed record Failed(int Shard, string Reason) : LoopInput;

    /// <summary>A daemon tells what its shards owe this gateway.</summary>
    /// <param name="Taken">Ends when it was taken.</param>
    public sealed record Told(DeliveryBatch Batch, TaskCompletionSource Taken) : LoopInput;

    /// <summary>The directory has changed since some clients logged in.</summary>
    /// <param name="Subscribers">Those who may have been removed, or have lost the name that logged in; null if that may be anybody.</param>
    public sealed record DirectoryChanged(IReadOnlySet<Uid>? Subscribers) : LoopInput;

    /// <summary>Time has passed.</summary>
    public sealed record Tick(TimeSpan Every) : LoopInput;

    /// <summary>Close everybody, over a while, and take nobody in any more.</summary>
    public sealed record Drain(CloseCode Code, string Reason, TimeSpan Over) : LoopInput;
}
