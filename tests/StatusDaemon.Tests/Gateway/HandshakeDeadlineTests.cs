using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;

namespace StatusDaemon.Gateway;

public sealed class HandshakeDeadlineTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider time = new();
    private readonly Connection connection = new();
    private readonly TaskCompletionSource end = new();
    private readonly CancellationTokenSource drained = new();

    public HandshakeDeadlineTests() => _ = HandshakeDeadline.Middleware(_ => end.Task, Limit, time, drained.Token)(connection);

    public ValueTask DisposeAsync()
    {
        drained.Dispose();
        return connection.DisposeAsync();
    }

    [Fact]
    public void A_connection_without_a_request_is_aborted_when_its_time_is_over_and_not_before()
    {
        time.Advance(Limit - TimeSpan.FromTicks(1));
        Assert.False(connection.IsAborted);

        time.Advance(TimeSpan.FromTicks(1));

        Assert.True(connection.IsAborted);
    }

    [Fact]
    public void A_request_in_time_ends_the_deadline()
    {
        connection.Features.Get<HandshakeDeadline>()!.Dispose();

        time.Advance(Limit);

        Assert.False(connection.IsAborted);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task When_all_clients_are_gone_half_a_request_is_not_waited_for(bool isComplete)
    {
        if (isComplete)
        {
            connection.Features.Get<HandshakeDeadline>()!.Dispose();
        }

        await drained.CancelAsync();

        Assert.Equal(!isComplete, connection.IsAborted);
    }

    [Fact]
    public void The_deadline_ends_with_the_connection()
    {
        end.SetResult();

        time.Advance(Limit);

        Assert.False(connection.IsAborted);
    }

    private sealed class Connection : DefaultConnectionContext
    {
        public bool IsAborted { get; private set; }

        public override void Abort(ConnectionAbortedException abortReason) => IsAborted = true;
    }
}
