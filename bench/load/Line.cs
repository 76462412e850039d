namespace StatusDaemon.Load;

/// <summary>How far a connection is.</summary>
internal enum LineState
{
    /// <summary>Not begun.</summary>
    Idle,

    /// <summary>The kernel connects.</summary>
    Connecting,

    /// <summary>The upgrade is sent.</summary>
    Upgrading,

    /// <summary>Greeting and watching, in the words of the dialect.</summary>
    Joining,

    /// <summary>The server has taken all watches.</summary>
    Ready,

    /// <summary>Broken, or never up.</summary>
    Lost,
}

/// <summary>One connection, of the person with the same number.</summary>
internal sealed class Line(int number)
{
    /// <summary>Counts from 0.</summary>
    public int Number => number;

    /// <summary>The kernel's number.</summary>
    public int Socket { get; set; } = -1;

    /// <summary>How far it is.</summary>
    public LineState State { get; set; }

    /// <summary>Answers of the server that it waits for before it is ready.</summary>
    public int AnswersToCome { get; set; }

    /// <summary>Received, and not a whole frame yet.</summary>
    public byte[] Rest { get; set; } = [];

    /// <summary>Payloads of frames that are not a whole message of the dialect yet.</summary>
    public byte[] Begun { get; set; } = [];

    /// <summary>What the kernel did not take.</summary>
    public byte[] Unsent { get; set; } = [];
}
