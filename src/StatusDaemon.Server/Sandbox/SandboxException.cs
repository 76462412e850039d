namespace StatusDaemon.Sandbox;

/// <summary>The sandbox realm cannot be had; the message says what to do.</summary>
internal sealed class SandboxException(string words) : Exception(words);
