using System.Collections.Concurrent;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Imitation;

/// <summary>A conversation over a real WebSocket; the test speaks for the server.</summary>
public sealed class ConversationTests : IAsyncLifetime
{
    private readonly FakeTimeProvider clock = new(DateTimeOffset.UnixEpoch.AddSeconds(1_627_128_694));
    private readonly Channel<WebSocket> accepted = Channel.CreateUnbounded<WebSocket>();
    private readonly List<ServerMessage> taken = [];
    private readonly ConcurrentQueue<Status> published = [];
    private readonly TaskCompletionSource over = new();
    private readonly ClientWebSocket client = new();
    private readonly WebApplication app;
    private WebSocket server = null!;

    public ConversationTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.UseWebSockets();
        app.Run(async context =>
        {
            await accepted.Writer.WriteAsync(await context.WebSockets.AcceptWebSocketAsync());
            await over.Task;
        });
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await app.StartAsync(Stop);
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        await client.ConnectAsync(new Uri(address.Replace("http", "ws", StringComparison.Ordinal)), Stop);
        server = await accepted.Reader.ReadAsync(Stop);
    }

    public async ValueTask DisposeAsync()
    {
        over.TrySetResult();
        client.Dispose();
        await app.DisposeAsync();
    }

    [Fact]
    public async Task It_subscribes_first_in_messages_that_the_server_takes()
    {
        var running = Talk(uids: [.. Enumerable.Range(0, 1_001).Select(i => $"u{i}")]);

        Assert.StartsWith("""{"events":{"u0":9,"u1":9,""", await HearAsync(), StringComparison.Ordinal);
        Assert.Equal("""{"events":{"u1000":9}}""", await HearAsync());
        await CloseAsync(WebSocketCloseStatus.NormalClosure);
        Assert.IsType<Ending.Done>(await running);
    }

    [Fact]
    public async Task It_publishes_in_turn_and_waits_before_each()
    {
        var running = Talk(["BUSY", "ABSENT"]);

        var first = await HearPublicationAsync();
        var second = await HearPublicationAsync();

        Assert.Equal([2, 6], [first.Status, second.Status]);
        Assert.True(Seconds(first) >= 1_627_128_694 + 5, "the first one waits too");
        Assert.True(Seconds(second) >= Seconds(first) + 5, "the second one waits after the first");
        await CloseAsync(WebSocketCloseStatus.NormalClosure);
        Assert.IsType<Ending.Done>(await running);
    }

    [Fact]
    public async Task It_hands_on_what_comes_whole_even_in_parts()
    {
        var running = Talk(take: 2);

        await SayAsync("""{"status":1,"publ""", endOfMessage: false);
        await SayAsync("""isher":"u"}""");
        await SayAsync("not JSON");

        Assert.IsType<Ending.Done>(await running);
        Assert.Equal((1, "u"), (taken[0].Status, taken[0].Publisher));
        Assert.NotNull(taken[1].Error);
    }

    [Fact]
    public async Task Taking_enough_closes_with_1000()
    {
        var running = Talk(take: 1);

        await SayAsync("""{"status":1,"publisher":"u"}""");

        Assert.Equal("close 1000", await HearAsync());
        Assert.IsType<Ending.Done>(await running);
    }

    [Fact]
    public async Task Stopping_closes_with_1000()
    {
        using var stop = new CancellationTokenSource();
        var running = Talk(stop: stop.Token);

        await stop.CancelAsync();

        Assert.Equal("close 1000", await HearAsync());
        await CloseAsync(WebSocketCloseStatus.NormalClosure);
        Assert.IsType<Ending.Done>(await running);
    }

    [Fact]
    public async Task Stopping_does_not_wait_for_a_server_that_never_answers()
    {
        using var stop = new CancellationTokenSource();
        var running = Talk(stop: stop.Token);

        await stop.CancelAsync();
        Assert.Equal("close 1000", await HearAsync());
        while (!running.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.IsType<Ending.Done>(await running);
    }

    [Fact]
    public async Task A_close_code_ends_it_with_the_reason()
    {
        var running = Talk(["BUSY"]);

        await CloseAsync(WebSocketCloseStatus.PolicyViolation, "removed");

        Assert.Contains(" removed", Assert.IsType<Ending.Refused>(await running).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_connection_is_lost_and_not_refused()
    {
        var running = Talk(["BUSY"]);

        server.Abort();

        Assert.True(Assert.IsType<Ending.Lost>(await running).ServerRestarts, "docs/protocol.md §6: as 1012");
    }

    [Fact]
    public async Task Without_a_wait_it_floods_and_still_reads_and_ends_when_enough_was_taken()
    {
        var running = Talk(["BUSY"], take: 3, sleep: TimeSpan.Zero);
        await HearAsync();
        var hearing = HearAllAsync(); // reads all the while, so that no send ever has to wait for room

        for (var i = 0; i < 3; i++)
        {
            await SayAsync("""{"status":1,"publisher":"u"}""");
        }

        Assert.IsType<Ending.Done>(await running);
        Assert.Equal(3, taken.Count);
        Assert.Equal("close 1000", await hearing);
        Assert.All(published, status => Assert.Equal(Status.Busy, status));
        Assert.NotEmpty(published);
    }

    [Fact]
    public async Task Without_a_wait_it_ends_when_it_is_told_to()
    {
        using var stop = new CancellationTokenSource();
        var running = Talk(["BUSY"], stop: stop.Token, sleep: TimeSpan.Zero);
        await HearAsync();
        var hearing = HearAllAsync();

        await stop.CancelAsync();

        Assert.Equal("close 1000", await hearing);
        await CloseAsync(WebSocketCloseStatus.NormalClosure);
        Assert.IsType<Ending.Done>(await running);
    }

    [Fact]
    public async Task Enough_was_taken_is_the_end_also_if_the_server_reads_nothing_any_more()
    {
        var running = Talk(["BUSY"], take: 1, sleep: TimeSpan.Zero);
        await SayAsync("""{"status":1,"publisher":"u"}""");

        while (!running.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.IsType<Ending.Done>(await running);
    }

    [Fact]
    public async Task A_new_connection_says_the_current_status_at_once()
    {
        var plan = new StatusPlan(["BUSY", "ABSENT"], out _);
        plan.Next();
        var running = Talk(plan: plan);

        Assert.StartsWith("""{"status":2,""", await HearAsync(), StringComparison.Ordinal);
        Assert.Equal(6, (await HearPublicationAsync()).Status);
        await CloseAsync(WebSocketCloseStatus.NormalClosure);
        Assert.IsType<Ending.Done>(await running);
    }

    private Task<Ending> Talk(
        string[]? statuses = null, string[]? uids = null, int take = int.MaxValue, CancellationToken? stop = null, TimeSpan? sleep = null, StatusPlan? plan = null)
    {
        return new Conversation(client, plan ?? new StatusPlan(statuses ?? [], out _), sleep ?? TimeSpan.FromSeconds(5), clock, Take, published.Enqueue).RunAsync(uids ?? [], stop ?? Stop);

        bool Take(ServerMessage message)
        {
            taken.Add(message);
            return taken.Count < take;
        }
    }

    /// <summary>Lets time pass until the client has published.</summary>
    private async Task<Publication> HearPublicationAsync()
    {
        var hearing = HearAsync();
        while (!hearing.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        return JsonSerializer.Deserialize(await hearing, WireJson.Default.Publication)!;
    }

    /// <summary>Reads what comes until the client closes.</summary>
    private async Task<string> HearAllAsync()
    {
        await Task.Yield();
        while (true)
        {
            if (await HearAsync() is ['c', ..] close)
            {
                return close;
            }
        }
    }

    private static double Seconds(Publication publication) => double.Parse(publication.Timestamp, CultureInfo.InvariantCulture);

    private async Task<string> HearAsync()
    {
        var buffer = new byte[64 * 1024];
        var heard = new StringBuilder();
        while (true)
        {
            var part = await server.ReceiveAsync(buffer.AsMemory(), Stop);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return $"close {(int?)server.CloseStatus}";
            }

            heard.Append(Encoding.UTF8.GetString(buffer, 0, part.Count));
            if (part.EndOfMessage)
            {
                return heard.ToString();
            }
        }
    }

    private Task SayAsync(string text, bool endOfMessage = true) =>
        server.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage, Stop);

    private Task CloseAsync(WebSocketCloseStatus code, string? reason = null) => server.CloseOutputAsync(code, reason, Stop);
}
