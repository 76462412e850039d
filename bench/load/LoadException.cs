namespace StatusDaemon.Load;

/// <summary>A run that cannot go on, in words for whoever started it.</summary>
internal sealed class LoadException(string message) : Exception(message);
