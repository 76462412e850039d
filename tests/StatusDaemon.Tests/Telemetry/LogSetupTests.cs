using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Time.Testing;
using Orleans.GrainDirectory.Redis;
using Orleans.Messaging;
using StatusDaemon.EndToEnd;

namespace StatusDaemon.Telemetry;

public sealed class LogSetupTests
{
    [Fact]
    public void An_event_is_one_line_whatever_is_in_its_message()
    {
        using var writer = new StringWriter();
        var formatter = new LineFormatter(new FakeTimeProvider(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero)));
        var entry = new LogEntry<string>(
            LogLevel.Warning, "StatusDaemon.Gateway.Connection", new EventId(2001), "a\nb\r\u001b[31m\u2028c", new InvalidOperationException("x\ny"), (state, _) => state);
        formatter.Write(entry, scopeProvider: null, writer);
        Assert.Equal(
            "2026-01-31T12:00:00.000Z warning 2001 StatusDaemon.Gateway.Connection a\\nb\\r\\u001b[31m\\u2028c | System.InvalidOperationException: x\\ny\n",
            writer.ToString());
    }

    [Theory]
    [InlineData(LogLevel.Information, "StatusDaemon.Gateway", LogLevel.Information)]
    [InlineData(LogLevel.Debug, "StatusDaemon.Gateway", LogLevel.Debug)]
    [InlineData(LogLevel.Debug, "Orleans.Runtime.Grain", LogLevel.Error)]
    [InlineData(LogLevel.Information, "Microsoft.AspNetCore.Hosting", LogLevel.Warning)]
    [InlineData(LogLevel.Error, "Microsoft.AspNetCore.Hosting", LogLevel.Error)]
    [InlineData(LogLevel.Trace, "Orleans.Runtime.Grain", LogLevel.Trace)]
    [InlineData(LogLevel.Information, "Orleans.Runtime.Watchdog", LogLevel.Error)]
    [InlineData(LogLevel.Information, "Orleans.Runtime.Silo", LogLevel.Error)]
    public void Frameworks_are_heard_from_warnings_up(LogLevel level, string category, LogLevel least)
    {
        using var services = Services(new LogOptions { Level = level });
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(category);
        Assert.True(logger.IsEnabled(least));
        Assert.False(least > LogLevel.Trace && logger.IsEnabled(least - 1));
    }

    [Theory]
    [InlineData("Polly")]
    [InlineData("Orleans.Messaging")]
    [InlineData("Orleans.GrainDirectory.Redis.RedisGrainDirectory")]
    public void What_is_said_of_each_call_that_fails_is_heard_at_trace_alone(string category)
    {
        foreach (var level in Enum.GetValues<LogLevel>())
        {
            using var services = Services(new LogOptions { Level = level });
            Assert.Equal(level == LogLevel.Trace, services.GetRequiredService<ILoggerFactory>().CreateLogger(category).IsEnabled(LogLevel.Critical));
        }
    }

    [Fact]
    public void What_is_muted_is_there()
    {
        string[] known = [.. new[] { typeof(Grain), typeof(IGatewayListProvider), typeof(Silo), typeof(RedisGrainDirectory), typeof(Polly.ResiliencePipeline) }
            .SelectMany(type => type.Assembly.GetTypes()).Select(type => type.FullName!)];
        Assert.All(LogSetup.Mute, category => Assert.Contains(known, name => name.StartsWith(category, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Polly")]
    [InlineData("Orleans.Runtime.Silo")]
    [InlineData("Orleans.Messaging")]
    [InlineData("StatusDaemon.Gateway")]
    public async Task No_part_of_a_running_server_writes_below_the_level_of_the_settings(string category)
    {
        await using var server = await ServerHere.StartAsync(); // LOG.level: critical
        Assert.False(server.Services.GetRequiredService<ILoggerFactory>().CreateLogger(category).IsEnabled(LogLevel.Error));
    }

    [Theory]
    [InlineData("Text", LineFormatter.FormatterName)]
    [InlineData("Json", ConsoleFormatterNames.Json)]
    public void The_format_is_the_one_of_the_settings(string format, string formatter)
    {
        using var services = Services(new LogOptions { Format = Enum.Parse<LogFormat>(format) });
        var console = services.GetRequiredService<Microsoft.Extensions.Options.IOptions<ConsoleLoggerOptions>>().Value;
        Assert.Equal((formatter, LogLevel.Trace), (console.FormatterName, console.LogToStandardErrorThreshold));
        Assert.Contains(services.GetServices<ConsoleFormatter>(), candidate => candidate.Name == formatter);
    }

    [Fact]
    public void A_JSON_event_is_one_line_with_one_object()
    {
        using var services = Services(new LogOptions { Format = LogFormat.Json });
        using var writer = new StringWriter();
        var formatter = services.GetServices<ConsoleFormatter>().Single(candidate => candidate.Name == ConsoleFormatterNames.Json);
        formatter.Write(new LogEntry<string>(LogLevel.Error, "StatusDaemon.Directories", new EventId(5002), "a\nb", null, (state, _) => state), scopeProvider: null, writer);
        var line = Assert.Single(writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        using var json = JsonDocument.Parse(line);
        Assert.Equal(("a\nb", 5002), (json.RootElement.GetProperty("Message").GetString(), json.RootElement.GetProperty("EventId").GetInt32()));
    }

    private static ServiceProvider Services(LogOptions options) =>
        new ServiceCollection().AddLogging(logging => logging.AddStatusdLog(options)).BuildServiceProvider();
}
