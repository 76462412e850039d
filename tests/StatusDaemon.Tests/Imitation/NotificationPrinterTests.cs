using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Imitation;

public sealed class NotificationPrinterTests : IDisposable
{
    private readonly StringWriter output = new();
    private readonly FakeTimeProvider clock = new(DateTimeOffset.UnixEpoch.AddSeconds(1_627_128_694.5));
    private readonly Dictionary<string, string> names = new() { ["u-1"] = "алиса@EXAMPLE.ORG" };

    public void Dispose() => output.Dispose();

    [Theory]
    [InlineData("""{"status":2,"publisher":"u-1","timestamp":"1627128694.4"}""", "12:11:34.500  алиса@EXAMPLE.ORG  BUSY  100.00 ms\n")]
    [InlineData("""{"status":8,"publisher":"u-2"}""", "12:11:34.500  u-2  UNKNOWN  -\n")]
    [InlineData("""{"error":"not-local","detail":"at home"}""", "12:11:34.500  error not-local: at home\n")]
    public void For_people_a_line_has_time_name_status_and_delay(string message, string line)
    {
        Print(message, json: false);

        Assert.Equal(line, output.ToString());
    }

    [Theory]
    [InlineData(
        """{"status":2,"publisher":"u-1","timestamp":1627128694.4}""",
        """{"time":"2021-07-24T12:11:34.5+00:00","publisher":"u-1","dname":"алиса@EXAMPLE.ORG","status":"BUSY","timestamp":"1627128694.4","delay_ms":100}""")]
    [InlineData(
        """{"status":1,"publisher":"u-2"}""",
        """{"time":"2021-07-24T12:11:34.5+00:00","publisher":"u-2","dname":null,"status":"ENABLE","timestamp":null,"delay_ms":null}""")]
    [InlineData("""{"error":"bad-json","detail":null}""", """{"time":"2021-07-24T12:11:34.5+00:00","error":"bad-json","detail":null}""")]
    public void For_programs_a_line_is_one_object(string message, string line)
    {
        Print(message, json: true);

        Assert.Equal(line + "\n", output.ToString());
    }

    [Theory]
    [InlineData(false, "12:11:34.500  published DO_NOT_DISTURB\n")]
    [InlineData(true, "")]
    public void What_is_published_is_for_people_only(bool json, string line)
    {
        CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
        new NotificationPrinter(output, json, clock, names).PrintPublished(Status.DoNotDisturb);

        Assert.Equal(line, output.ToString());
    }

    [Fact]
    public void Only_notifications_count()
    {
        Assert.True(Print("""{"status":1,"publisher":"u"}""", json: false));
        Assert.False(Print("""{"error":"bad-json"}""", json: false));
        Assert.False(Print("""{"status":9,"publisher":"u"}""", json: false));
    }

    private bool Print(string message, bool json)
    {
        CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
        return new NotificationPrinter(output, json, clock, names).Print(JsonSerializer.Deserialize(message, WireJson.Default.ServerMessage)!);
    }
}
