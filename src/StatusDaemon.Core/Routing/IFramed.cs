namespace StatusDaemon.Routing;

/// <summary>A message that members exchange.</summary>
public interface IFramed
{
    /// <summary>The message as it travels between processes.</summary>
    byte[] ToBytes();
}
