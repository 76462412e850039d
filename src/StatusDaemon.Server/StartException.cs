namespace StatusDaemon;

/// <summary>Why the server does not start, in words that say what to do; the command line shows the message and ends with 1.</summary>
public sealed class StartException(string message, Exception? inner = null) : Exception(message, inner);
