using Microsoft.Extensions.Logging;
using StatusDaemon.Daemon;
using StatusDaemon.Names;
using StatusDaemon.Protocol;

namespace StatusDaemon.Gateway;

/// <summary>Reads what clients send: frames, then messages. What is wrong with them is answered from here.</summary>
/// <remarks>One thread at a time. A client that is between two messages costs no frame reader: one serves all of those.</remarks>
internal sealed partial class ClientReader(Limits limits, UidTable uids, SteadyClock clock, ILogger log) : IDisposable
{
    private FrameReader? spare;

    /// <summary>Takes the next bytes. Does not throw: what the server fails at costs this client its connection, and nobody else anything.</summary>
    /// <param name="input">What is kept of the client from one piece to the next.</param>
    /// <param name="message">Where a message is read into; of use to one reader at a time.</param>
    /// <param name="inputs">Gets what the loop is to be told.</param>
    /// <returns>Whether nothing can follow.</returns>
    public bool Read(ReadOnlySpan<byte> bytes, Client client, ref ClientInput input, ClientMessage message, ICollection<LoopInput> inputs)
    {
        var frames = input.Unfinished ?? spare ?? new FrameReader(limits.MessageBytes);
        (input.Unfinished, spare) = (frames, ReferenceEquals(frames, spare) ? null : spare);
        try
        {
            return Read(bytes, frames, client, ref input.Budget, message, inputs);
        }
        catch (Exception e)
        {
            LogBroken(client.Origin.Through, e);
            inputs.Add(new LoopInput.Close(client, CloseCode.InternalError, "the server failed at what you sent"));
            return true;
        }
        finally
        {
            if (frames.IsBetweenMessages)
            {
                (spare, input.Unfinished) = (frames, null);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => spare?.Dispose();

    private bool Read(ReadOnlySpan<byte> bytes, FrameReader frames, Client client, ref MessageBudget budget, ClientMessage message, ICollection<LoopInput> inputs)
    {
        for (var found = frames.Read(ref bytes); found != FrameEvent.NeedsMore; found = frames.Read(ref bytes))
        {
            switch (found)
            {
                case FrameEvent.Text:
                    inputs.Add(Read(frames.Payload, client, ref budget, message));
                    break;
                case FrameEvent.Ping when budget.TrySpend(clock.Now.Steady, limits):
                    inputs.Add(new LoopInput.Reply(client, ServerFrame.Pong(frames.Payload)));
                    break;
                case FrameEvent.Refused:
                    inputs.Add(new LoopInput.Close(client, frames.CloseCode, frames.Reason));
                    break;
                case FrameEvent.Close:
                    inputs.Add(new LoopInput.Close(client, frames.CloseCode, frames.Reason));
                    return true;
            }
        }

        return false;
    }

    private LoopInput Read(ReadOnlySpan<byte> text, Client client, ref MessageBudget budget, ClientMessage message)
    {
        if (!budget.TrySpend(clock.Now.Steady, limits))
        {
            return new LoopInput.Reply(client, ErrorMessage.RateLimited.Frame);
        }

        if (!MessageReader.TryRead(text, message, out var refusal))
        {
            return new LoopInput.Reply(client, refusal.Frame);
        }

        if (!message.MayComeFrom(client.Subscriber.Utf8))
        {
            return new LoopInput.Reply(client, ErrorMessage.NotYourPublisher.Frame);
        }

        budget.Charge(message.EventCount);
        var events = message.EventCount == 0 ? [] : new (Uid, bool)[message.EventCount];
        for (var i = 0; i < events.Length; i++)
        {
            events[i] = (uids.Of(message.EventUid(i)), message.EventIsSubscribe(i));
        }

        var wish = new ClientWish(message.Status, message.Timestamp, events);
        message.Clear();
        return new LoopInput.Said(client, wish);
    }

    [LoggerMessage(2102, LogLevel.Error, "{Client} is closed 1011: what it sent could not be handled")]
    private partial void LogBroken(string client, Exception reason);
}

/// <summary>What is kept of a client from one piece of input to the next.</summary>
internal struct ClientInput
{
    /// <summary>What it may still ask.</summary>
    public MessageBudget Budget;

    /// <summary>Has the beginning of a frame or message, or has seen the last one; null between messages.</summary>
    public FrameReader? Unfinished;
}
