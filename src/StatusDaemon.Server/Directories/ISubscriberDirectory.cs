using StatusDaemon.Privileges;

namespace StatusDaemon.Directories;

/// <summary>Who is there and who may see whom, followed live. Any thread may call.</summary>
internal interface ISubscriberDirectory
{
    /// <summary>The newest snapshot that was accepted.</summary>
    DirectorySnapshot Current { get; }

    /// <summary>Whether the source was read once: until then <see cref="Current"/> knows nobody, and nobody is to be judged by it.</summary>
    bool IsThere { get; }

    /// <summary>Why the source as it is now is not in force; null while it is. In words, for administrators.</summary>
    string? LastProblem { get; }

    /// <summary>The same for anybody's eyes: without what the source holds.</summary>
    string? Trouble { get; }

    /// <summary>Looks at the source at a moment later than the call, and returns what is in force after that.</summary>
    /// <remarks>
    /// The snapshot holds all that the source said when the call was made, or something newer. Where the source is bad it is the last good snapshot: the
    /// source was tried, and what was refused is <see cref="LastProblem"/>; an administrator's mistake must not stop a shard from starting. Before there was a good one it waits for it.
    /// </remarks>
    Task<DirectorySnapshot> RefreshAsync(CancellationToken stop);

    /// <summary>The current snapshot first, then each newer one, until the caller stops.</summary>
    /// <remarks>The first comes when <see cref="IsThere"/>. A slow follower skips what was replaced meanwhile and gets the latest; it never makes anyone wait. Revisions grow.</remarks>
    IAsyncEnumerable<DirectorySnapshot> FollowAsync(CancellationToken stop);
}
