using System.Net;

namespace StatusDaemon.Transport;

/// <summary>A listening socket on its loop: takes a few connections a turn, so that those that are there are served between.</summary>
/// <param name="arrivals">While they have no room, nobody is taken.</param>
/// <param name="take">Gets each connection.</param>
/// <param name="failed">Told the system's error number, once until a connection is taken again; each pause is followed by another try.</param>
internal sealed class AcceptingSocket(SocketLoop loop, int number, Arrivals arrivals, Action<int, IPEndPoint?> take, Action<int> failed) : LoopSocket(loop, number)
{
    private const int TurnConnections = 64;
    private const int TooManyFiles = 24; // EMFILE

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool isEnded;
    private bool isFailing;
    private bool isPausing;

    /// <summary>Ends when nobody is taken any more.</summary>
    public Task Ended => ended.Task;

    /// <inheritdoc/>
    public override bool IsNumberOurs => false;

    /// <summary>Begins to take connections.</summary>
    public void Begin()
    {
        arrivals.Room = TakeSoon;
        Loop.Add(this, Readiness.Readable | Readiness.OnChange);
    }

    /// <summary>Takes no more.</summary>
    public void End()
    {
        if (!isEnded)
        {
            isEnded = true;
            Loop.Close(this);
            ended.SetResult();
        }
    }

    /// <inheritdoc/>
    public override void OnReady(Readiness what) => Take();

    private void Take()
    {
        for (var taken = 0; taken < TurnConnections; taken++)
        {
            if (isEnded || isPausing || !arrivals.HasRoom)
            {
                return;
            }

            if (isFailing && OpenFiles.AreShort(NativeSocket.NextNumber(Number)))
            {
                Pause(TooManyFiles);
                return;
            }

            var connection = NativeSocket.Accept(Number, out var peer, out var error);
            if (connection >= 0)
            {
                take(connection, peer);
                if (OpenFiles.AreShort(connection))
                {
                    Pause(TooManyFiles);
                    return;
                }

                isFailing = false;
            }
            else
            {
                if (!NativeSocket.IsLater(error))
                {
                    Pause(error);
                }

                return;
            }
        }

        TakeSoon();
    }

    private void TakeSoon() => Loop.Post(static socket => ((AcceptingSocket)socket!).Take(), this);

    /// <summary>Takes nobody for a while.</summary>
    private void Pause(int error)
    {
        if (!isFailing)
        {
            isFailing = true;
            failed(error);
        }

        isPausing = true;
        _ = GoOnLaterAsync();
    }

    private async Task GoOnLaterAsync()
    {
        await Task.Delay(PauseAfterFailure);
        Loop.Post(
            static socket =>
            {
                var accepting = (AcceptingSocket)socket!;
                accepting.isPausing = false;
                accepting.Take();
            },
            this);
    }
}
