namespace StatusDaemon.Bench;

/// <summary>The server did what it must not, in words.</summary>
internal sealed class ViolationException(string message) : Exception(message);
