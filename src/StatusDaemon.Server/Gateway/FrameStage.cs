namespace StatusDaemon.Gateway;

/// <summary>Frames that wait for the end of a turn, of all sockets of one loop: a socket is two numbers in it.</summary>
internal sealed class FrameStage
{
    private byte[][] frames = new byte[1024][];
    private int[] next = new int[1024];
    private int count;

    /// <summary>Appends a frame to a socket's row; the row begins with the number 0 for both ends.</summary>
    public void Append(byte[] frame, ref int first, ref int last)
    {
        if (count == frames.Length)
        {
            Array.Resize(ref frames, count * 2);
            Array.Resize(ref next, count * 2);
        }

        frames[count] = frame;
        next[count] = 0;
        count++;
        if (last == 0)
        {
            first = count;
        }
        else
        {
            next[last - 1] = count;
        }

        last = count;
    }

    /// <summary>The frame with a number.</summary>
    public byte[] this[int number] => frames[number - 1];

    /// <summary>The number behind another in a row; 0 at its end.</summary>
    public int After(int number) => next[number - 1];

    /// <summary>Forgets all frames, when no row is of use any more.</summary>
    public void Clear()
    {
        Array.Clear(frames, 0, count);
        count = 0;
    }
}
