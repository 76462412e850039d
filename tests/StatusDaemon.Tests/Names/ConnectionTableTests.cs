using System.Globalization;
using CsCheck;

namespace StatusDaemon.Names;

public sealed class ConnectionTableTests
{
    private const int People = 5;

    // Numbers of all stripes, the same ones at each gateway, and more of them than a chunk has places.
    private static readonly Gen<(bool IsHold, ulong Gateway, long Number)[]> Changes =
        Gen.Select(Gen.Int[0, 2], Gen.ULong[1, 3], Gen.Long[0, 60], (kind, gateway, number) => (kind > 0, gateway, number)).Array[0, 400];

    [Fact]
    public void A_table_is_a_dictionary_of_what_is_held() => Changes.Sample(changes =>
    {
        var uids = new UidTable();
        var table = uids.Connections;
        var model = new Dictionary<(ulong Gateway, long Number), (int Place, int Holds)>();
        foreach (var (isHold, gateway, number) in changes)
        {
            var held = model.GetValueOrDefault((gateway, number), (Place: -1, Holds: 0));
            Assert.Equal(held.Place, table.Find(gateway, number));
            if (isHold)
            {
                var place = table.Hold(gateway, number, SubscriberOf(number));
                Assert.True(held.Holds == 0 || held.Place == place);
                model[(gateway, number)] = (place, held.Holds + 1);
            }
            else if (held.Holds == 1)
            {
                table.Release(held.Place);
                model.Remove((gateway, number));
            }
            else if (held.Holds > 1)
            {
                table.Release(held.Place);
                model[(gateway, number)] = held with { Holds = held.Holds - 1 };
            }

            Assert.Equal(model.Count, table.Count);
        }

        Assert.Equal(model.Count, model.Values.DistinctBy(held => held.Place).Count());
        foreach (var ((gateway, number), (place, _)) in model)
        {
            Assert.Equal((gateway, number, SubscriberOf(number)), (table.GatewayOf(place), table.NumberOf(place), table.SubscriberOf(place)));
        }

        for (var person = 0; person < People; person++)
        {
            var found = new List<int>();
            table.Find(SubscriberOf(person), found);
            Assert.Equal(model.Where(pair => pair.Key.Number % People == person).Select(pair => pair.Value.Place).Order(), found.Order());
        }

        foreach (var (place, holds) in model.Values)
        {
            for (var i = 0; i < holds; i++)
            {
                table.Release(place);
            }
        }

        Assert.Equal((0, 0), (table.Count, uids.Count));
    }, iter: 100, threads: 1);

    [Fact]
    public void More_releases_than_holds_are_a_fault()
    {
        var table = new UidTable().Connections;
        var place = table.Hold(1, 1, SubscriberOf(1));
        table.Release(place);
        Assert.Throws<InvalidOperationException>(() => table.Release(place));
    }

    [Fact]
    public void Many_threads_hold_and_release_and_nothing_is_left()
    {
        var uids = new UidTable();
        var table = uids.Connections;
        Parallel.For(0, 4, worker =>
        {
            var random = new Random(worker);
            var held = new List<(int Place, long Number)>();
            var found = new List<int>();
            for (var i = 0; i < 20_000; i++)
            {
                if (held.Count > 0 && random.Next(2) == 0)
                {
                    var at = random.Next(held.Count);
                    table.Release(held[at].Place);
                    held.RemoveAt(at);
                }
                else
                {
                    var number = random.NextInt64(10_000);
                    held.Add((table.Hold(1, number, SubscriberOf(number)), number));
                }

                if (i % 100 == 0)
                {
                    found.Clear();
                    table.Find(SubscriberOf(i / 100), found);
                    Assert.All(held.Where(one => one.Number % People == i / 100 % People), one => Assert.Contains(one.Place, found));
                    Assert.All(held, one => Assert.Equal(one.Number, table.NumberOf(one.Place)));
                }
            }

            held.ForEach(one => table.Release(one.Place));
        });
        Assert.Equal((0, 0), (table.Count, uids.Count));
    }

    private static Uid SubscriberOf(long number) =>
        Uid.TryParse((number % People).ToString(CultureInfo.InvariantCulture), out var uid) ? uid : throw new InvalidOperationException("Digits are a UID.");
}
