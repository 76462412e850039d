using System.Buffers.Binary;
using System.Text;
using BenchmarkDotNet.Attributes;
using StatusDaemon.Protocol;

namespace StatusDaemon.Bench;

/// <summary>The reader of client frames: what one message costs, with and without what it says.</summary>
public class FrameReaderBench
{
    private const int Messages = 1000;
    private const int Events = 100;

    private readonly byte[] statuses = [.. Enumerable.Range(0, Messages).SelectMany(_ => Masked("""{"status":2,"timestamp":"1627128694.693686"}"""))];
    private readonly byte[] events = Masked("{\"events\":{" + string.Join(',', Enumerable.Range(0, Events).Select(number => $"\"{BenchUids.Of(number)}\":9")) + "}}");

    private readonly ClientMessage message = new();

    /// <summary>A status, of which many came at once.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public int ReadStatus() => Read(statuses, statuses.Length);

    /// <summary>A status, of which each piece of 16 bytes came alone.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public int ReadStatusInPieces() => Read(statuses, 16);

    /// <summary>A status, up to what the client means.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public int ReadAndUnderstandStatus() => Understand(statuses);

    /// <summary>A message of 100 subscriptions.</summary>
    [Benchmark]
    public int ReadSubscriptions() => Read(events, events.Length);

    /// <summary>The same, up to what the client means.</summary>
    [Benchmark]
    public int ReadAndUnderstandSubscriptions() => Understand(events);

    private static int Read(byte[] bytes, int piece)
    {
        using var reader = new FrameReader(256 * 1024);
        var read = 0;
        for (var at = 0; at < bytes.Length; at += piece)
        {
            ReadOnlySpan<byte> input = bytes.AsSpan(at, Math.Min(piece, bytes.Length - at));
            while (reader.Read(ref input) == FrameEvent.Text)
            {
                read++;
            }
        }

        return read;
    }

    private int Understand(byte[] bytes)
    {
        using var reader = new FrameReader(256 * 1024);
        ReadOnlySpan<byte> input = bytes;
        var read = 0;
        while (reader.Read(ref input) == FrameEvent.Text)
        {
            read += MessageReader.TryRead(reader.Payload, message, out _) ? 1 : throw new InvalidOperationException("The message is good.");
        }

        return read;
    }

    private static byte[] Masked(string text)
    {
        ReadOnlySpan<byte> key = [0x12, 0x34, 0x56, 0x78];
        var payload = Encoding.UTF8.GetBytes(text);
        var header = payload.Length < 126 ? 2 : 4;
        var frame = new byte[header + 4 + payload.Length];
        frame[0] = 0x81;
        frame[1] = (byte)(0x80 | (header == 2 ? payload.Length : 126));
        if (header == 4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
        }

        key.CopyTo(frame.AsSpan(header));
        for (var i = 0; i < payload.Length; i++)
        {
            frame[header + 4 + i] = (byte)(payload[i] ^ key[i & 3]);
        }

        return frame;
    }
}
