using StatusDaemon.Privileges;

namespace StatusDaemon.Directories;

/// <summary>Who is there and who may see whom, followed live. Any thread may call.</summary>
internal interface ISubscriberDirectory
{
    /// <summary>The newest snapshot that was accepted.</summary>
    DirectorySnapshot Current { get; }

    /// <summary>Why the source as it is now is not in force; null while it is. In words, for the health check.</summary>
    string? LastProblem { get; }

    /// <summary>Looks at the source at a moment later than the call, and returns what is in force after that.</summary>
    /// <remarks>
    /// The snapshot holds all that the source said when the call was made, or something newer. Where the source is bad it is the last good snapshot: the
    /// source was tried, and what was refused is <see cref="LastProblem"/>; an administrator's mistake must not stop a shard from starting.
    /// </remarks>
    Task<DirectorySnapshot> RefreshAsync(CancellationToken stop);

    /// <summary>The current snapshot first, then each newer one, until the caller stops.</summary>
    /// <remarks>A slow follower skips what was replaced meanwhile and gets the latest; it never makes anyone wait. Revisions grow.</remarks>
    IAsyncEnumerable<DirectorySnapshot> FollowAsync(CancellationToken stop);
}
