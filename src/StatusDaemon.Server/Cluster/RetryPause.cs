namespace StatusDaemon.Cluster;

/// <summary>How long to wait before something is tried again: twice as long each time, up to a bound.</summary>
internal readonly record struct RetryPause(TimeSpan First, TimeSpan Longest)
{
    /// <summary>The pause that follows another; zero where there was none.</summary>
    public TimeSpan After(TimeSpan pause) =>
        pause == TimeSpan.Zero ? First
        : pause * 2 < Longest ? pause * 2
        : Longest;
}
