namespace StatusDaemon.Auth;

/// <summary>The Kerberos library cannot work with what it was given at start; the message is the library's own words.</summary>
internal sealed class GssException(string words) : Exception(words);
