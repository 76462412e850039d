namespace StatusDaemon.Settings;

/// <summary>A password: it is shown by <see cref="Reveal"/> alone, so that no log line or message gets it by accident.</summary>
internal sealed class Secret(string value)
{
    /// <summary>The password itself, for the one who logs in with it.</summary>
    public string Reveal() => value;

    /// <inheritdoc/>
    public override string ToString() => "***";
}
