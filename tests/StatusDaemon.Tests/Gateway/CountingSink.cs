using System.Text.Json;
using StatusDaemon.Protocol;
using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>A client's socket that keeps what it was sent, and takes no more than the test lets it.</summary>
internal sealed class CountingSink : IFrameSink
{
    /// <summary>Frames that it takes until <see cref="Flush"/> says that the peer does not read.</summary>
    public int Room { get; set; } = int.MaxValue;

    /// <summary>Whether nothing is to be taken from the peer.</summary>
    public bool IsPaused { get; private set; }

    public List<(string Publisher, Status Status)> Shown { get; } = [];

    public List<byte[]> Frames { get; } = [];

    /// <summary>What was shown since the last time.</summary>
    public (string Publisher, Status Status)[] Taken()
    {
        var taken = Shown.ToArray();
        Shown.Clear();
        return taken;
    }

    public bool TryWrite(byte[] frame)
    {
        if (Room == 0)
        {
            return false;
        }

        Room--;
        Frames.Add(frame);
        using var json = JsonDocument.Parse(frame.AsMemory(2));
        if (json.RootElement.TryGetProperty("publisher", out var publisher))
        {
            Shown.Add((publisher.GetString()!, (Status)json.RootElement.GetProperty("status").GetInt32()));
        }

        return true;
    }

    public bool Flush() => Room > 0;

    public void Pause() => IsPaused = true;

    public void Resume() => IsPaused = false;

    public void Close(CloseCode code, string reason) => throw new InvalidOperationException("Nothing closes a connection here.");
}
