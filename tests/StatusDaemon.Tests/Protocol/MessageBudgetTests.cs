using CsCheck;
using StatusDaemon.Protocol;

namespace StatusDaemon.Tests.Protocol;

public sealed class MessageBudgetTests
{
    private static readonly TimeSpan Start = TimeSpan.FromMinutes(1);
    private static readonly Limits Ten = new() { MessagesPerSecond = 10 };

    [Fact]
    public void A_burst_is_twice_the_rate_and_then_the_rate_counts()
    {
        var budget = default(MessageBudget);

        Assert.Equal(20, Spend(ref budget, Start, 100));
        Assert.Equal(0, Spend(ref budget, Start + TimeSpan.FromMilliseconds(99), 100));
        Assert.Equal(1, Spend(ref budget, Start + TimeSpan.FromMilliseconds(101), 100));
        Assert.Equal(10, Spend(ref budget, Start + TimeSpan.FromMilliseconds(1_101), 100));
    }

    [Fact]
    public void Silence_fills_the_bucket_and_no_more()
    {
        var budget = default(MessageBudget);
        Spend(ref budget, Start, 100);

        Assert.Equal(20, Spend(ref budget, Start + TimeSpan.FromHours(1), 100));
    }

    [Fact]
    public void No_way_of_spending_gets_more_than_the_burst_and_the_rate() =>
        Gen.Int[0, 2_000].Array[1, 50].Sample(pauses =>
        {
            var budget = default(MessageBudget);
            var now = Start;
            var spent = 0;
            foreach (var pause in pauses)
            {
                now += TimeSpan.FromMilliseconds(pause);
                spent += Spend(ref budget, now, 30);
            }

            Assert.InRange(spent, 1, 20 + (10 * (now - Start).TotalSeconds) + 0.001);
        }, iter: 1_000);

    private static int Spend(ref MessageBudget budget, TimeSpan now, int tries)
    {
        var spent = 0;
        for (var i = 0; i < tries; i++)
        {
            spent += budget.TrySpend(now, Ten) ? 1 : 0;
        }

        return spent;
    }

    [Fact]
    public void A_message_of_many_events_is_taken_and_paid_for_before_the_next()
    {
        var limits = new Limits { MessagesPerSecond = 10 };
        var now = TimeSpan.Zero;
        var budget = default(MessageBudget);

        Assert.True(budget.TrySpend(now, limits));
        budget.Charge(40 * Limits.EventsPerMessage); // of 20 at once 19 were left

        Assert.False(budget.TrySpend(now + TimeSpan.FromSeconds(2), limits));
        Assert.True(budget.TrySpend(now + TimeSpan.FromSeconds(2.3), limits));
    }
}
