using StatusDaemon.Statuses;

namespace StatusDaemon.Imitation;

public sealed class StatusPlanTests
{
    [Fact]
    public void Statuses_come_in_turn_without_end()
    {
        var plan = new StatusPlan(["1", "busy", "do-not-disturb"], out var unknown);

        Assert.Empty(unknown);
        Assert.Equal([Status.Enable, Status.Busy, Status.DoNotDisturb, Status.Enable, Status.Busy], Enumerable.Range(0, 5).Select(_ => plan.Next()));
    }

    [Fact]
    public void The_one_that_was_published_last_is_the_current_one()
    {
        var plan = new StatusPlan(["1", "2"], out _);
        Assert.Null(plan.Current);

        Assert.Equal([plan.Next(), plan.Next(), plan.Next()], [Status.Enable, Status.Busy, Status.Enable]);

        Assert.Equal(Status.Enable, plan.Current);
    }

    [Fact]
    public void What_is_no_status_is_named_and_skipped()
    {
        var plan = new StatusPlan(["9", "BUSY", "AWAY"], out var unknown);

        Assert.Equal(["9", "AWAY"], unknown);
        Assert.Equal([Status.Busy, Status.Busy], [plan.Next(), plan.Next()]);
        Assert.False(plan.IsEmpty);
    }

    [Fact]
    public void A_plan_without_a_status_is_empty() => Assert.True(new StatusPlan(["AWAY"], out _).IsEmpty);
}
