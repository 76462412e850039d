using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace StatusDaemon.Telemetry;

/// <summary>Where the log goes and what is in it.</summary>
internal static class LogSetup
{
    // Frameworks tell at information what is of use to their developers; each connection would be several lines.
    private static readonly string[] Frameworks = ["Microsoft", "System"];

    // It warns in vain: of the machine's whole uptime taken for a delay, of a collector that we leave on purpose, and of members that do not answer, a page each
    // time: of these we tell ourselves (3503, 3504).
    private const string Alarmist = "Orleans";

    // Each try to start a shard whose store is away would be two errors with their stacks; what a shard has met it says itself (3001, 3005).
    // A member that has just died is an error to those who had a word for it, and to one that joins, each half second; each call to it is two more, and so is each
    // look-up while Redis is away. Who called says what came of it (2002, 3101), and who looks for daemons what he finds (3401, 3403).
    internal static readonly string[] Mute =
    [
        "Orleans.Grain", "Orleans.GrainDirectory.Redis", "Orleans.Messaging", "Orleans.Runtime.GrainDirectory.ClientDirectory", "Orleans.Runtime.GrainCallCancellationManager",
        "Orleans.Runtime.MembershipService.MembershipAgent", "Orleans.Runtime.MembershipService.MembershipTableManager", "Orleans.Runtime.Messaging.MessageCenter", "Polly",
    ];

    /// <summary>Sends the log to standard error, one event a line; standard output belongs to what a command answers.</summary>
    /// <remarks>Replaces whatever providers were there.</remarks>
    public static ILoggingBuilder AddStatusdLog(this ILoggingBuilder logging, LogOptions options)
    {
        logging.ClearProviders().SetMinimumLevel(options.Level);
        if (options.Level > LogLevel.Trace)
        {
            Hear(Frameworks, LogLevel.Warning);
            Hear([Alarmist], LogLevel.Error);
            Hear(Mute, LogLevel.None);
        }

        logging.Services.TryAddSingleton(TimeProvider.System);
        logging.AddConsoleFormatter<LineFormatter, ConsoleFormatterOptions>();
        logging.AddJsonConsole(json =>
        {
            json.UseUtcTimestamp = true;
            json.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
        });
        logging.AddConsole(console =>
        {
            console.FormatterName = options.Format == LogFormat.Json ? ConsoleFormatterNames.Json : LineFormatter.FormatterName;
            console.LogToStandardErrorThreshold = LogLevel.Trace;
        });
        return logging;

        void Hear(IEnumerable<string> categories, LogLevel least)
        {
            foreach (var category in categories)
            {
                logging.AddFilter(category, options.Level > least ? options.Level : least);
            }
        }
    }
}
