using Microsoft.Extensions.Logging;
using StatusDaemon.Daemon;
using StatusDaemon.Names;
using StatusDaemon.Protocol;

namespace StatusDaemon.Gateway;

/// <summary>Reads what one client sends: frames, then messages. What is wrong with them is answered from here.</summary>
internal sealed partial class ClientReader(Limits limits, UidTable uids, SteadyClock clock, ILogger log) : IDisposable
{
    private readonly FrameReader frames = new(limits.MessageBytes);
    private MessageBudget budget;

    /// <summary>Takes the next bytes. Does not throw: what the server fails at costs this client its connection, and nobody else anything.</summary>
    /// <param name="message">Where a message is read into; of use to one reader at a time.</param>
    /// <param name="inputs">Gets what the loop is to be told.</param>
    /// <returns>Whether nothing can follow.</returns>
    public bool Read(ReadOnlySpan<byte> bytes, Client client, ClientMessage message, ICollection<LoopInput> inputs)
    {
        try
        {
            return ReadFrames(bytes, client, message, inputs);
        }
        catch (Exception e)
        {
            LogBroken(client.Origin.Through, e);
            inputs.Add(new LoopInput.Close(client, CloseCode.InternalError, "the server failed at what you sent"));
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => frames.Dispose();

    private bool ReadFrames(ReadOnlySpan<byte> bytes, Client client, ClientMessage message, ICollection<LoopInput> inputs)
    {
        for (var found = frames.Read(ref bytes); found != FrameEvent.NeedsMore; found = frames.Read(ref bytes))
        {
            switch (found)
            {
                case FrameEvent.Text:
                    inputs.Add(Read(frames.Payload, client, message));
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

    private LoopInput Read(ReadOnlySpan<byte> text, Client client, ClientMessage message)
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
