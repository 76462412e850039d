namespace StatusDaemon.Auth;

public sealed class LoginQueueTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Some_go_on_side_by_side_others_wait_in_order_and_those_beyond_are_sent_away_at_once()
    {
        using var queue = new LoginQueue(atOnce: 2, most: 2, longest: Timeout.InfiniteTimeSpan);
        Assert.True(await queue.TryEnterAsync(Stop));
        Assert.True(await queue.TryEnterAsync(Stop));
        var third = queue.TryEnterAsync(Stop).AsTask();
        var fourth = queue.TryEnterAsync(Stop).AsTask();
        Assert.False(await queue.TryEnterAsync(Stop));
        Assert.False(third.IsCompleted);

        queue.Leave();
        Assert.True(await third);
        Assert.False(fourth.IsCompleted);
        var fifth = queue.TryEnterAsync(Stop).AsTask(); // there is room to wait again, and nobody gets past the fourth
        queue.Leave();
        Assert.True(await fourth);
        Assert.False(fifth.IsCompleted);
        queue.Leave();
        Assert.True(await fifth);
    }

    [Fact]
    public async Task Who_waits_too_long_or_leaves_takes_no_turn_and_no_room()
    {
        using var queue = new LoginQueue(atOnce: 1, most: 1, longest: TimeSpan.FromMilliseconds(1));
        Assert.True(await queue.TryEnterAsync(Stop));
        Assert.False(await queue.TryEnterAsync(Stop));
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queue.TryEnterAsync(gone.Token).AsTask());

        queue.Leave();
        Assert.True(await queue.TryEnterAsync(Stop));
    }
}
