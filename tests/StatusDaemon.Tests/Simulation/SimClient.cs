using System.Globalization;
using System.Text.Json;
using StatusDaemon.Gateway;
using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Statuses;

namespace StatusDaemon.Simulation;

/// <summary>A client's end of a connection: it keeps what it was sent, and may stop reading.</summary>
/// <param name="maySee">Whether a watcher may be shown a publisher's status of this timestamp.</param>
internal sealed class SimClient(Uid subscriber, Func<Uid, string, int, bool> maySee) : IFrameSink
{
    private readonly List<byte[]> unread = [];

    public Uid Subscriber { get; } = subscriber;

    /// <summary>The gateway's side of it; null while it is not connected.</summary>
    public Client? Connection { get; set; }

    /// <summary>What it watches, by its own reckoning.</summary>
    public HashSet<string> Watched { get; } = [];

    /// <summary>What it was last shown of each publisher: status, and the publisher's timestamp or 0.</summary>
    public Dictionary<string, (int Status, int Timestamp)> Shown { get; } = [];

    /// <summary>The newest timestamp that it was shown of each publisher on this connection.</summary>
    public Dictionary<string, int> Newest { get; } = [];

    /// <summary>How often it may be sent UNKNOWN of each publisher, and how often it was.</summary>
    public Dictionary<string, (int Reasons, int Sent)> Unknown { get; } = [];

    public bool IsReading { get; set; } = true;

    /// <summary>The first broken promise that it saw; null if all is well.</summary>
    public string? Complaint { get; private set; }

    public bool TryWrite(byte[] frame)
    {
        if (!IsReading && unread.Count >= 2)
        {
            return false;
        }

        unread.Add(frame.ToArray());
        return true;
    }

    public void Pause() => throw new InvalidOperationException("Nobody is answered so often here.");

    public void Resume() => throw new InvalidOperationException("Nobody is answered so often here.");

    public bool Flush()
    {
        if (!IsReading)
        {
            return false;
        }

        foreach (var frame in unread)
        {
            Read(frame);
        }

        unread.Clear();
        return true;
    }

    public void Close(CloseCode code, string reason) => throw new InvalidOperationException("Nothing closes a connection here.");

    /// <summary>A new connection knows nothing.</summary>
    public void Forget()
    {
        unread.Clear();
        Watched.Clear();
        Shown.Clear();
        Newest.Clear();
        Unknown.Clear();
        IsReading = true;
    }

    /// <summary>Something happened for which UNKNOWN may be sent once more.</summary>
    public void Allow(string publisher) => Unknown[publisher] = (Unknown.GetValueOrDefault(publisher).Reasons + 1, Unknown.GetValueOrDefault(publisher).Sent);

    private void Read(byte[] frame)
    {
        using var json = JsonDocument.Parse(frame.AsMemory(frame[1] < 126 ? 2 : 4));
        var publisher = json.RootElement.GetProperty("publisher").GetString()!;
        var status = json.RootElement.GetProperty("status").GetInt32();
        var timestamp = json.RootElement.TryGetProperty("timestamp", out var given) ? int.Parse(given.GetString()!, CultureInfo.InvariantCulture) : 0;
        if (timestamp > 0 && timestamp < Newest.GetValueOrDefault(publisher))
        {
            Complaint ??= $"{Subscriber} was shown {publisher} of {timestamp} after {Newest[publisher]}";
        }

        if (!maySee(Subscriber, publisher, timestamp))
        {
            Complaint ??= $"{Subscriber} was shown {publisher} of {timestamp}, which was accepted after a hide";
        }

        if (status == (int)Status.Unknown)
        {
            var (reasons, sent) = Unknown.GetValueOrDefault(publisher);
            Unknown[publisher] = (reasons, sent + 1);
            if (sent + 1 > reasons)
            {
                Complaint ??= $"{Subscriber} was sent UNKNOWN of {publisher} {sent + 1} times for {reasons} reasons";
            }
        }

        Newest[publisher] = Math.Max(timestamp, Newest.GetValueOrDefault(publisher));
        Shown[publisher] = (status, timestamp);
    }
}
