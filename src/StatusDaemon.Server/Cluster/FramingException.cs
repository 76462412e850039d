namespace StatusDaemon.Cluster;

/// <summary>A message that cannot be framed: a broken invariant, for which no other try is of use.</summary>
internal sealed class FramingException(Exception cause) : Exception($"A message cannot be framed: {cause.Message}", cause);
