using System.Globalization;
using CsCheck;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Privileges;

public sealed class PrefixIndexTests
{
    private static readonly Gen<(int Text, int Uid)[][]> Histories = Gen.Select(Gen.Int[0, 400], Gen.Int[0, 3]).Array[0, 200].Array[1, 10];

    [Fact]
    public void It_finds_all_with_a_prefix_in_order_whatever_came_and_went() => Histories.Sample(history =>
    {
        var index = PrefixIndex.Empty;
        var model = new HashSet<PrefixIndex.Entry>();
        foreach (var batch in history)
        {
            // What is there goes, what is not there comes.
            var entries = batch.Select(one => new PrefixIndex.Entry(one.Text.ToString(CultureInfo.InvariantCulture), UidOf($"u{one.Uid}"))).Distinct().ToArray();
            var before = index;
            var beforeAll = before.StartingWith("").ToArray();
            index = index.With([.. entries.Where(model.Contains)], [.. entries.Where(entry => !model.Contains(entry))]);
            model.SymmetricExceptWith(entries);
            Assert.Equal(beforeAll, before.StartingWith(""));
            foreach (var prefix in (string[])["", "1", "12", "123", "1234", "39", "4", "9", "x"])
            {
                var expected = model.Where(entry => entry.Text.StartsWith(prefix, StringComparison.Ordinal))
                    .OrderBy(entry => entry.Text, StringComparer.Ordinal).ThenBy(entry => entry.Uid!.ToString(), StringComparer.Ordinal);
                Assert.Equal(expected, index.StartingWith(prefix));
            }
        }
    }, iter: 200, threads: 1);

    [Fact]
    public void It_grows_one_by_one_and_empties_again()
    {
        var entries = Enumerable.Range(0, 2_000).Select(number => new PrefixIndex.Entry($"{number:D4}", UidOf("u0"))).ToArray();
        var index = entries.Aggregate(PrefixIndex.Empty, (index, entry) => index.With([], [entry]));
        Assert.Equal(entries, index.StartingWith("").ToArray());
        Assert.Equal(10, index.StartingWith("123").Count());
        index = entries.Skip(1).Aggregate(index, (index, entry) => index.With([entry], []));
        Assert.Equal([entries[0]], index.StartingWith(""));
        Assert.Empty(index.With([entries[0]], []).StartingWith(""));
    }
}
