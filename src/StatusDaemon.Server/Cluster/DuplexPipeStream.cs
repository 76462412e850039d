using System.Buffers;
using System.IO.Pipelines;

namespace StatusDaemon.Cluster;

/// <summary>A connection's pipes as the one stream that <see cref="System.Net.Security.SslStream"/> works on.</summary>
/// <remarks>
/// Orleans ends a connection by cancelling what is pending on its pipes: a cancelled read is the end of the stream here,
/// a cancelled flush an <see cref="IOException"/>. Asynchronous only; the pipes belong to whoever made the connection.
/// </remarks>
internal sealed class DuplexPipeStream(IDuplexPipe pipe) : Stream
{
    // SslStream waits for data with an empty buffer, where 0 bytes do not mean the end: it would read on.
    private bool ended;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (ended)
        {
            return 0;
        }

        var read = await pipe.Input.ReadAsync(cancellationToken);
        ended = read.IsCanceled;
        var count = ended ? 0 : (int)Math.Min(read.Buffer.Length, buffer.Length);
        var taken = read.Buffer.Slice(0, count);
        taken.CopyTo(buffer.Span);
        pipe.Input.AdvanceTo(taken.End);
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var flushed = await pipe.Output.WriteAsync(buffer, cancellationToken);
        if (flushed.IsCanceled || flushed.IsCompleted)
        {
            throw new IOException("The connection is closing.");
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask; // each write is flushed

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
