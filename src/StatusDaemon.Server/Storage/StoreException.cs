namespace StatusDaemon.Storage;

/// <summary>The store cannot do what was asked, for a reason outside this process. The message says which file or server, why, and what to do.</summary>
internal sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner);
