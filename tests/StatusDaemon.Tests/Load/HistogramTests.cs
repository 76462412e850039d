using CsCheck;

namespace StatusDaemon.Load;

public sealed class HistogramTests
{
    [Fact]
    public void A_quantile_is_within_two_hundredths_of_the_value() =>
        Gen.Long[0, 100_000_000].Array[1, 200].Sample(values =>
        {
            var histogram = new Histogram();
            Array.ForEach(values, histogram.Add);
            Array.Sort(values);
            foreach (var part in (double[])[0.01, 0.5, 0.99, 1])
            {
                var exact = values[(int)Math.Ceiling(values.Length * part) - 1];
                Assert.InRange(histogram.Quantile(part)!.Value, exact * 0.98, exact * 1.02);
            }
        });

    [Fact]
    public void Two_of_them_add_up()
    {
        var (one, other) = (new Histogram(), new Histogram());
        one.Add(10);
        other.Add(30);
        other.Add(30);
        one.Add(other.Counts);
        Assert.Equal((10, 30), (one.Quantile(0.3), one.Quantile(0.5)));
    }

    [Fact]
    public void Nothing_counted_has_no_quantile() => Assert.Null(new Histogram().Quantile(0.5));
}
