using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using StatusDaemon.Language;
using StatusDaemon.Statuses;

namespace StatusDaemon.Imitation;

/// <summary>Writes what the server says, a line each: for people or, with JSON, for programs.</summary>
/// <param name="names">Domain names of the watched, by UID.</param>
internal sealed class NotificationPrinter(TextWriter output, bool json, TimeProvider clock, IReadOnlyDictionary<string, string> names)
{
    // To a terminal or a file, never into a page: names stay readable.
    private static readonly LineJson Lines = new(new JsonSerializerOptions(LineJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    // What is published and what comes are written by different threads.
    private readonly Lock turn = new();

    /// <summary>Writes what we have just published. Programs are told by the notification, if they watch themselves.</summary>
    public void PrintPublished(Status status)
    {
        if (!json)
        {
            Write($"{Time(clock.GetUtcNow())}  {Text.Published.With(StatusNames.Of(status))}");
        }
    }

    /// <summary>Writes a message that has just come.</summary>
    /// <returns>Whether it was a notification.</returns>
    public bool Print(ServerMessage message)
    {
        var now = clock.GetUtcNow();
        if (message is { Status: { } number, Publisher: { } publisher } && StatusNames.IsStatus(number))
        {
            var status = StatusNames.Of((Status)number);
            var delay = UnixTimestamp.MillisecondsSince(message.Timestamp, now);
            Write(json
                ? JsonSerializer.Serialize(new NotificationLine(now, publisher, names.GetValueOrDefault(publisher), status, UnixTimestamp.Characters(message.Timestamp), delay), Lines.NotificationLine)
                : $"{Time(now)}  {names.GetValueOrDefault(publisher, publisher)}  {status}  {Delay(delay)}");
            return true;
        }

        var error = message.Error ?? "?";
        Write(json
            ? JsonSerializer.Serialize(new ErrorLine(now, error, message.Detail), Lines.ErrorLine)
            : $"{Time(now)}  {Text.ServerError.With(error, message.Detail)}");
        return false;
    }

    private void Write(string line)
    {
        lock (turn)
        {
            output.WriteLine(line);
        }
    }

    private static string Delay(double? milliseconds) =>
        milliseconds is { } ms ? string.Create(CultureInfo.InvariantCulture, $"{ms:F2} {Text.Milliseconds}") : "-";

    private string Time(DateTimeOffset now) =>
        TimeZoneInfo.ConvertTime(now, clock.LocalTimeZone).ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
}
