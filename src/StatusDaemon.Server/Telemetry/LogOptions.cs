using Microsoft.Extensions.Logging;
using StatusDaemon.Settings;

namespace StatusDaemon.Telemetry;

/// <summary>How an event of the log is written.</summary>
internal enum LogFormat
{
    /// <summary>One line for people: time, level, event id, category, message.</summary>
    Text,

    /// <summary>One JSON object a line, for collectors.</summary>
    Json,
}

/// <summary>Section <c>LOG</c> of the settings.</summary>
internal sealed class LogOptions
{
    /// <summary>The least level that is written. What ASP.NET says of itself is written from warnings up, and what Orleans says from errors up, but at <c>trace</c>.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>How an event is written.</summary>
    public LogFormat Format { get; init; } = LogFormat.Text;

    /// <summary>Reads the section.</summary>
    public static LogOptions Read(SettingsSection section)
    {
        var defaults = new LogOptions();
        return new LogOptions
        {
            Level = section.Choice("level", defaults.Level,
                ("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("info", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error), ("critical", LogLevel.Critical)),
            Format = section.Choice("format", defaults.Format, ("text", LogFormat.Text), ("json", LogFormat.Json)),
        };
    }
}
