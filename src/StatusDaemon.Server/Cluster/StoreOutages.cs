using Microsoft.Extensions.Logging;

namespace StatusDaemon.Cluster;

/// <summary>Says once for all shards of the daemon when the store can't be read or written, and when it can again. Any thread may call.</summary>
internal sealed partial class StoreOutages
{
    private readonly ILogger<StoreOutages> log;

    public StoreOutages(ILogger<StoreOutages> log)
    {
        this.log = log;
        Reading = new Outage(LogUnreadable, LogRead);
        Saving = new Outage(LogUnsaved, LogSaved);
    }

    /// <summary>Of shards that wait for what the store has.</summary>
    public Outage Reading { get; }

    /// <summary>Of shards that have what the store has not.</summary>
    public Outage Saving { get; }

    [LoggerMessage(3001, LogLevel.Error, "The store can't be read, and whoever subscribes anew waits: {Reason}")]
    private partial void LogUnreadable(string reason);

    [LoggerMessage(3002, LogLevel.Error, "Statuses can't be saved, they wait in memory: {Reason}")]
    private partial void LogUnsaved(string reason);

    [LoggerMessage(3003, LogLevel.Information, "Statuses are saved again, with all that waited")]
    private partial void LogSaved();

    [LoggerMessage(3004, LogLevel.Information, "The store is read again")]
    private partial void LogRead();

    /// <summary>One thing that can't be done, by one shard or many.</summary>
    internal sealed class Outage(Action<string> begins, Action ends)
    {
        private readonly Lock gate = new();
        private readonly HashSet<int> shards = [];

        /// <summary>A shard can't do it.</summary>
        public void Begin(int shard, string reason)
        {
            lock (gate)
            {
                if (shards.Add(shard) && shards.Count == 1)
                {
                    begins(reason);
                }
            }
        }

        /// <summary>A shard can do it.</summary>
        public void End(int shard)
        {
            lock (gate)
            {
                if (shards.Remove(shard) && shards.Count == 0)
                {
                    ends();
                }
            }
        }

        /// <summary>A shard is here no more, whether or not it could do it since: nothing is said.</summary>
        public void Forget(int shard)
        {
            lock (gate)
            {
                shards.Remove(shard);
            }
        }
    }
}
