namespace StatusDaemon.Routing;

/// <summary>A message that members exchange.</summary>
public interface IFramed
{
    /// <summary>The message as it travels between processes.</summary>
    /// <param name="version">One of <see cref="WireRange.Ours"/>.</param>
    byte[] ToBytes(byte version = WireVersion.Newest);
}
