using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>A publisher that somebody here watches: its newest record, the frame that all recipients share, and who they are.</summary>
internal sealed class Topic(int slot, Uid publisher) : ISlotted
{
    public SlotList<TopicWatch> Watches;

    private byte[]? frame;
    private byte[]? unknown;

    public int Slot { get; } = slot;

    public Uid Publisher { get; } = publisher;

    /// <summary>The newest record that its shard told of; the default one before that.</summary>
    public StatusRecord Record { get; private set; }

    /// <summary>Whether the newest record waits to be passed on; then nothing else is sent of it to those who are shown it.</summary>
    public bool IsOverdue { get; set; }

    /// <summary>When its shard told it.</summary>
    public DeliveryStamp Stamp { get; private set; }

    /// <summary>The current status as a frame.</summary>
    public byte[] Frame => frame ??= MessageWriter.Frame(new Notification(Record.Shown, Publisher, Record.Timestamp));

    /// <summary>What is sent where nothing may be seen; the same bytes as where nothing was ever published.</summary>
    public byte[] Unknown => unknown ??= MessageWriter.Frame(new Notification(Status.Unknown, Publisher, default));

    /// <summary>Takes a record that was told later than the last one.</summary>
    /// <returns>Whether watchers have something new to see. What was told before is left out; so is the same status under a new version, after a shard took it over.</returns>
    public bool Learn(in StatusRecord record, DeliveryStamp stamp)
    {
        if (stamp <= Stamp)
        {
            return false;
        }

        var isSame = record.Status == Record.Status && record.Timestamp == Record.Timestamp && record.Source == Record.Source && record.IsNone == Record.IsNone;
        Stamp = stamp;
        Record = record;
        if (!isSame)
        {
            frame = null;
        }

        return !isSame;
    }
}
