using System.Globalization;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Bench;

/// <summary>A rule of a publisher with 20,000 watchers comes and goes, in a directory of 100,000: what the shard does of it, beside judging all of its watches anew.</summary>
/// <remarks>Both are in one run: a white list of everybody that comes and goes touches nobody, and makes the shard judge all.</remarks>
internal static class RuleChangeBench
{
    private const int People = 100_000;
    private const int Watchers = 20_000;
    private const int Few = 100;
    private const int Flips = 200;
    private static readonly Moment Now = new(DateTimeOffset.UnixEpoch, TimeSpan.Zero);

    public static async Task RunAsync()
    {
        // A hundred of the watchers have numbers that begin with 1; those of all others begin with 2.
        var directory = new DirectorySnapshot(
            Enumerable.Range(0, People).Select(number => new Subscriber
            {
                Uid = BenchUids.Of(number),
                DName = DName.TryParse($"person{number}@EXAMPLE.ORG", out var dname) ? dname : default,
                Numbers = [PhoneNumber.TryParse($"{(number is > 0 and <= Few ? 1 : 2)}{number:D5}", out var own) ? own : default],
                Rules = number == 0 ? new BlackWhiteRules([Parse("number:9*"), Parse("domain:elsewhere")], []) : BlackWhiteRules.None,
            }),
            new DirectoryPolicy());
        var effects = new List<Effect>();
        var router = new Router(new RouterSettings(), new UidTable(), directory, incarnation: 1, epoch: 1, Now);
        router.Apply(new RouterInput.AllRead([]), Now, effects);
        router.Apply(new RouterInput.Declare(new GatewayId(1)), Now, effects);
        for (var number = 1; number <= Watchers; number++)
        {
            router.Apply(new RouterInput.Watch(new ConnectionId(new GatewayId(1), number), BenchUids.Of(number), BenchUids.Of(0), 1), Now, effects);
        }

        await FlipAsync("white list of *, all judged", told: 0, white: true, "*");
        await FlipAsync("black: a UID", told: 1, white: false, BenchUids.Of(7).ToString());
        await FlipAsync("black: number:100007", told: 1, white: false, "number:100007");
        await FlipAsync($"black: number:1*, which fits {Few}", told: Few, white: false, "number:1*");
        await FlipAsync("black: number:*00007, which no index tells", told: 2, white: false, "number:*0007");

        async Task FlipAsync(string what, int told, bool white, string text)
        {
            IReadOnlyList<Selector> with = white ? [Parse(text)] : [Parse("number:9*"), Parse("domain:elsewhere"), Parse(text)];
            IReadOnlyList<Selector> without = white ? [] : [Parse("number:9*"), Parse("domain:elsewhere")];
            var before = router.Verdicts;
            await Measure.RateAsync(what, Flips, () =>
            {
                for (var flip = 0; flip < Flips; flip++)
                {
                    var edit = new DirectoryEdit(directory);
                    if (white)
                    {
                        edit.SetWhite(BenchUids.Of(0), flip % 2 == 0 ? with : without);
                    }
                    else
                    {
                        edit.SetBlack(BenchUids.Of(0), flip % 2 == 0 ? with : without);
                    }

                    var next = edit.Apply();
                    effects.Clear();
                    router.Apply(new RouterInput.DirectoryChanged(DirectoryChange.Between(directory, next)), Now, effects);
                    directory = next;
                    if (effects.Count != told)
                    {
                        throw new InvalidOperationException($"{effects.Count} watchers were told, not {told}.");
                    }
                }

                return Task.CompletedTask;
            });
            Measure.Print("  verdicts for each", string.Create(CultureInfo.InvariantCulture, $"{(router.Verdicts - before) / (6.0 * Flips),12:N1}"));
        }
    }

    private static Selector Parse(string text) => Selector.TryParse(text, out var selector, out var problem) ? selector : throw new InvalidOperationException(problem);
}
