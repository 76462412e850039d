using System.Threading.Channels;
using StatusDaemon.Directories;
using StatusDaemon.Privileges;

namespace StatusDaemon.Cluster;

/// <summary>A directory that says what a test gives it.</summary>
internal sealed class GivenDirectory : ISubscriberDirectory
{
    private readonly Channel<DirectorySnapshot> given = Channel.CreateUnbounded<DirectorySnapshot>(); // a test gives few

    public DirectorySnapshot Current { get; private set; } = Revision(1);

    public bool IsThere => true;

    public string? LastProblem => null;

    public string? Trouble => null;

    /// <summary>Gives the next snapshot to the one who follows.</summary>
    public void Give(long revision, bool admitsUnknown = true, params Subscriber[] subscribers) => Give(Revision(revision, admitsUnknown, subscribers));

    /// <inheritdoc cref="Give(long, bool, Subscriber[])"/>
    public void Give(DirectorySnapshot snapshot) => given.Writer.TryWrite(Current = snapshot);

    public Task<DirectorySnapshot> RefreshAsync(CancellationToken stop) =>
        stop.IsCancellationRequested ? Task.FromCanceled<DirectorySnapshot>(stop) : Task.FromResult(Current);

    public IAsyncEnumerable<DirectorySnapshot> FollowAsync(CancellationToken stop) => given.Reader.ReadAllAsync(stop);

    private static DirectorySnapshot Revision(long number, bool admitsUnknown = true, params Subscriber[] subscribers) =>
        new(subscribers, new DirectoryPolicy { AcceptsUnknown = true, AdmitsUnknown = admitsUnknown }) { Revision = number };
}
