
namespace StatusDaemon.Load;

/// <summary>What the load program takes for good, and what not.</summary>
public sealed class LedgerTests
{
    private const int Watcher = 1;
    private const int Publisher = 0;
    private const long Began = 1_000_000;
    private const long First = Began + 1;
    private const long Second = Began + 2;

    private readonly Community star = new(new Scenario("star", LoadKind.Flood, 3, 1, 0, IsStar: true, 1, 0, 0, 0), part: 0);
    private readonly Ledger ledger;

    public LedgerTests()
    {
        ledger = new Ledger(star, Began);
        ledger.Publish(Publisher, First);
        ledger.Publish(Publisher, Second);
    }

    [Fact]
    public void All_watchers_may_skip_a_status_and_are_well_with_the_last()
    {
        Assert.Equal(Ledger.Verdict.New, Take(Watcher, Publisher, Second));
        Assert.Equal(1, ledger.Missing(_ => true));
        Assert.Equal(Ledger.Verdict.New, Take(2, Publisher, Second));
        ledger.Close(_ => true);
        Assert.Equal(0, ledger.Violations);
    }

    [Fact]
    public void A_repeated_status_is_counted_and_allowed()
    {
        Take(Watcher, Publisher, First);
        Assert.Equal(Ledger.Verdict.Known, Take(Watcher, Publisher, First));
        Assert.Equal((1, 0), (ledger.Repeated, ledger.Violations));
    }

    [Fact]
    public void What_an_earlier_run_left_is_allowed_only_at_the_beginning()
    {
        Assert.Equal(Ledger.Verdict.Known, ledger.Take(Watcher, Publisher, status: 8, time: 0));
        Take(Watcher, Publisher, First);
        Assert.Equal(Ledger.Verdict.Wrong, ledger.Take(Watcher, Publisher, status: 8, time: 0));
    }

    [Fact]
    public void An_older_status_after_a_newer_one_is_a_violation()
    {
        Take(Watcher, Publisher, Second);
        Assert.Equal(Ledger.Verdict.Wrong, Take(Watcher, Publisher, First));
    }

    [Fact]
    public void A_status_of_somebody_not_watched_is_a_violation()
    {
        Assert.Equal(Ledger.Verdict.Wrong, Take(Publisher, Publisher, First));
        Assert.Equal(Ledger.Verdict.Wrong, Take(Watcher, star.NumberOf("nobody"u8), First));
    }

    [Fact]
    public void What_was_never_published_is_a_violation()
    {
        Assert.Equal(Ledger.Verdict.Wrong, Take(Watcher, Publisher, Second + 7));
        Assert.Equal(Ledger.Verdict.Wrong, ledger.Take(Watcher, Publisher, Ledger.StatusAt(First) % 7 + 1, First));
    }

    [Fact]
    public void A_last_status_that_never_came_is_a_violation_for_each_who_is_there()
    {
        Take(Watcher, Publisher, First);
        ledger.Close(person => person != 2);
        Assert.Equal(1, ledger.Violations);
        Assert.NotNull(ledger.Problem);
    }

    private Ledger.Verdict Take(int watcher, int publisher, long time) => ledger.Take(watcher, publisher, Ledger.StatusAt(time), time);
}
