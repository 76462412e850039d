namespace StatusDaemon.Imitation;

/// <summary>A command can't go on; the message is one sentence for the user that says what to do. The exit code is 1.</summary>
internal sealed class CommandFailedException(string message) : Exception(message);
