using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;

namespace StatusDaemon.Protocol;

/// <summary>Reads the WebSocket frames of one client, over bytes that somebody else received: RFC 6455 §5, strictly, without extensions.</summary>
/// <remarks>
/// <para>One owner at a time. For each piece of input, in order, call <see cref="Read"/> until it says <see cref="FrameEvent.NeedsMore"/>;
/// then the piece is used up, and its memory may be reused. The pieces may be cut anywhere.</para>
/// <para>What was received of an unfinished message waits in a pooled buffer, which grows with the bytes that came, not with the length
/// that was announced. After <see cref="FrameEvent.NeedsMore"/> between messages there is no buffer.</para>
/// </remarks>
/// <param name="maxMessageBytes"><see cref="Limits.MessageBytes"/>.</param>
public sealed class FrameReader(int maxMessageBytes) : IDisposable
{
    private const int MaskBytes = 4;

    private HeaderBytes header;
    private byte headerLength;
    private bool inMessage;
    private bool ended;
    private FrameEvent given;

    // Payload of the frame: still to come, and already taken (which byte of the mask is next).
    private int remaining;
    private int taken;

    // The message so far, then the payload of a control frame that came in between.
    private byte[]? buffer;
    private int messageLength;
    private int checkedLength;
    private int controlLength;

    /// <summary>The text of a message, or what a ping or pong carries; valid until the next call of <see cref="Read"/>.</summary>
    public ReadOnlySpan<byte> Payload => given switch
    {
        FrameEvent.Text => buffer.AsSpan(0, messageLength),
        FrameEvent.Ping or FrameEvent.Pong => buffer.AsSpan(messageLength, controlLength),
        _ => [],
    };

    /// <summary>With which code to close, after <see cref="FrameEvent.Close"/> (the client's own, 1000 if it gave none) or <see cref="FrameEvent.Refused"/>.</summary>
    public CloseCode CloseCode { get; private set; }

    /// <summary>Which rule was broken, in words, after <see cref="FrameEvent.Refused"/>.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Whether nothing of what was read is kept, after <see cref="FrameEvent.NeedsMore"/>: any connection's next frame may follow, this one's or another's.</summary>
    public bool IsBetweenMessages => headerLength == 0 && !inMessage && !ended && buffer is null;

    private Opcode Opcode => (Opcode)(header[0] & 0x0F);

    private bool IsControl => Opcode >= Opcode.Close;

    private bool IsFinal => (header[0] & 0x80) != 0;

    private int ShortLength => header[1] & 0x7F;

    private int HeaderBytesNeeded => MaskBytes + ShortLength switch { 126 => 4, 127 => 10, _ => 2 };

    /// <summary>Finds the next event in the input.</summary>
    /// <param name="input">Moved behind what was used. After <see cref="FrameEvent.Close"/> or <see cref="FrameEvent.Refused"/> all of it is dropped.</param>
    public FrameEvent Read(ref ReadOnlySpan<byte> input)
    {
        Forget();
        if (ended)
        {
            input = [];
            return FrameEvent.NeedsMore;
        }

        while (given == FrameEvent.NeedsMore && TakeHeader(ref input) && TakePayload(ref input))
        {
            given = EndFrame();
        }

        return given;
    }

    /// <summary>Gives the buffer back. Nothing can be read after it.</summary>
    public void Dispose()
    {
        ended = true;
        given = FrameEvent.NeedsMore;
        messageLength = 0;
        controlLength = 0;
        ReturnBuffer();
    }

    /// <summary>Takes what is there of the header and checks it as early as it can be.</summary>
    /// <returns>Whether the header is complete and good.</returns>
    private bool TakeHeader(ref ReadOnlySpan<byte> input)
    {
        if (headerLength >= 2 && headerLength == HeaderBytesNeeded)
        {
            return true;
        }

        return (headerLength >= 2 || (Fill(ref input, 2) && StartIsGood()))
            && Fill(ref input, HeaderBytesNeeded)
            && LengthIsGood();
    }

    private bool Fill(ref ReadOnlySpan<byte> input, int needed)
    {
        var bytes = Math.Min(needed - headerLength, input.Length);
        input[..bytes].CopyTo(header[headerLength..]);
        input = input[bytes..];
        headerLength += (byte)bytes;
        return headerLength == needed;
    }

    private bool StartIsGood()
    {
        if ((header[0] & 0x70) != 0)
        {
            return Refuse(CloseCode.ProtocolError, "reserved bits are set");
        }

        if (Opcode is not (Opcode.Continuation or Opcode.Text or Opcode.Binary or Opcode.Close or Opcode.Ping or Opcode.Pong))
        {
            return Refuse(CloseCode.ProtocolError, "reserved opcode");
        }

        if ((header[1] & 0x80) == 0)
        {
            return Refuse(CloseCode.ProtocolError, "frame is not masked");
        }

        if (IsControl)
        {
            return (IsFinal && ShortLength <= ServerFrame.MaxControlBytes)
                || Refuse(CloseCode.ProtocolError, "control frame is fragmented or longer than 125 bytes");
        }

        if (inMessage != (Opcode == Opcode.Continuation))
        {
            return Refuse(CloseCode.ProtocolError, inMessage ? "new message inside another one" : "continuation of no message");
        }

        return Opcode != Opcode.Binary || Refuse(CloseCode.UnsupportedData, "binary frame; the protocol is text");
    }

    private bool LengthIsGood()
    {
        var length = ShortLength switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(header[2..]),
            127 => BinaryPrimitives.ReadUInt64BigEndian(header[2..]),
            var itself => (ulong)itself,
        };
        if (length > long.MaxValue || (ShortLength == 126 && length < 126) || (ShortLength == 127 && length <= ushort.MaxValue))
        {
            return Refuse(CloseCode.ProtocolError, "length is not in its shortest form, or negative");
        }

        if (!IsControl && length > (ulong)(maxMessageBytes - messageLength))
        {
            return Refuse(CloseCode.MessageTooBig, "message over the size limit");
        }

        remaining = (int)length;
        taken = 0;
        return true;
    }

    /// <returns>Whether the payload is complete and, as far as it is text, good.</returns>
    private bool TakePayload(ref ReadOnlySpan<byte> input)
    {
        var bytes = Math.Min(remaining, input.Length);
        if (bytes > 0)
        {
            FrameMask.Apply(input[..bytes], Room(bytes), header[(headerLength - MaskBytes)..headerLength], taken);
            input = input[bytes..];
            remaining -= bytes;
            taken += bytes;
            if (IsControl)
            {
                controlLength += bytes;
            }
            else
            {
                messageLength += bytes;
            }
        }

        return (IsControl || TextIsGood()) && remaining == 0;
    }

    private bool TextIsGood()
    {
        var text = buffer.AsSpan(checkedLength, messageLength - checkedLength);
        var open = IsFinal && remaining == 0 ? 0 : OpenCharacter(text);
        checkedLength = messageLength - open;
        return Utf8.IsValid(text[..^open]) || Refuse(CloseCode.InvalidPayload, "text is not UTF-8");
    }

    /// <summary>How many bytes at the end begin a character whose rest is still to come: 0 to 3.</summary>
    private static int OpenCharacter(ReadOnlySpan<byte> text)
    {
        for (var bytes = 1; bytes <= 3 && bytes <= text.Length; bytes++)
        {
            if (Rune.DecodeFromUtf8(text[^bytes..], out _, out _) == OperationStatus.NeedMoreData)
            {
                return bytes;
            }
        }

        return 0;
    }

    private FrameEvent EndFrame()
    {
        headerLength = 0;
        switch (Opcode)
        {
            case Opcode.Ping:
                return FrameEvent.Ping;
            case Opcode.Pong:
                return FrameEvent.Pong;
            case Opcode.Close:
                return TakeClose(buffer.AsSpan(messageLength, controlLength)) ? FrameEvent.Close : FrameEvent.Refused;
            default:
                inMessage = !IsFinal;
                return inMessage ? FrameEvent.NeedsMore : FrameEvent.Text;
        }
    }

    private bool TakeClose(ReadOnlySpan<byte> payload)
    {
        ended = true;
        if (payload.IsEmpty)
        {
            CloseCode = CloseCode.Normal;
            return true;
        }

        if (payload.Length == 1 || !MaySend(BinaryPrimitives.ReadUInt16BigEndian(payload)))
        {
            return Refuse(CloseCode.ProtocolError, "close frame without a code that a client may send");
        }

        CloseCode = (CloseCode)BinaryPrimitives.ReadUInt16BigEndian(payload);
        return Utf8.IsValid(payload[2..]) || Refuse(CloseCode.InvalidPayload, "close reason is not UTF-8");
    }

    // RFC 6455 §7.4 and the IANA registry: 1004 to 1006 and 1015 never travel, 3000 to 4999 are free to use.
    private static bool MaySend(int code) => code is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999);

    /// <returns>False, so that a check can end with it.</returns>
    private bool Refuse(CloseCode code, string reason)
    {
        ended = true;
        CloseCode = code;
        Reason = reason;
        given = FrameEvent.Refused;
        return false;
    }

    /// <summary>Ends the life of the payload that was handed out last.</summary>
    private void Forget()
    {
        if (ended || given == FrameEvent.Text)
        {
            messageLength = 0;
            checkedLength = 0;
        }

        if (ended || given != FrameEvent.NeedsMore)
        {
            controlLength = 0;
        }

        given = FrameEvent.NeedsMore;
        if (messageLength + controlLength == 0)
        {
            ReturnBuffer();
        }
    }

    private Span<byte> Room(int bytes)
    {
        var used = messageLength + controlLength;
        if (buffer is null || buffer.Length - used < bytes)
        {
            var most = maxMessageBytes + ServerFrame.MaxControlBytes;
            var bigger = ArrayPool<byte>.Shared.Rent(Math.Max(used + bytes, Math.Min(2 * used, most)));
            buffer.AsSpan(0, used).CopyTo(bigger);
            ReturnBuffer();
            buffer = bigger;
        }

        return buffer.AsSpan(used, bytes);
    }

    private void ReturnBuffer()
    {
        if (buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = null;
        }
    }

    /// <summary>The longest header: two bytes, eight of length, four of mask.</summary>
    [InlineArray(14)]
    private struct HeaderBytes
    {
        private byte first;
    }
}
