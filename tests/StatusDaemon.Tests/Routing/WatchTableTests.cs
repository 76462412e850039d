using System.Globalization;
using CsCheck;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Routing;

/// <summary>Many watches of few connections, which begin and end in any order: what the four people of the other tests are too few for.</summary>
public sealed class WatchTableTests
{
    private const int Publishers = 40;
    private const int Connections = 5;
    private static readonly Uid[] People = [.. Enumerable.Range(0, Publishers).Select(number => UidOf(number.ToString(CultureInfo.InvariantCulture)))];

    private static readonly Gen<(int Kind, int Connection, int Publisher)[]> Steps =
        Gen.Select(Gen.Int[0, 20], Gen.Int[0, Connections - 1], Gen.Int[0, Publishers - 1], (kind, connection, publisher) => (kind, connection, publisher)).Array[0, 400];

    [Fact]
    public void A_status_goes_to_the_gateways_of_those_who_watch_and_nothing_is_left_of_who_is_gone() => Steps.Sample(steps =>
    {
        var shard = Shard.Ready(directory: new DirectorySnapshot([], new DirectoryPolicy { AcceptsUnknown = true, AdmitsUnknown = true }));
        var watched = new HashSet<(int Connection, int Publisher)>();
        foreach (var (kind, connection, publisher) in steps)
        {
            switch (kind)
            {
                case 0:
                    shard.Apply(new RouterInput.Close(IdOf(connection)));
                    watched.RemoveWhere(watch => watch.Connection == connection);
                    break;
                case < 7:
                    shard.Apply(new RouterInput.Unwatch(IdOf(connection), People[publisher]));
                    watched.Remove((connection, publisher));
                    break;
                default:
                    shard.Apply(new RouterInput.Watch(IdOf(connection), People[connection], People[publisher], 1));
                    watched.Add((connection, publisher));
                    break;
            }

            Assert.Equal(watched.DistinctBy(watch => watch.Connection).Count(), shard.Router.SessionCount);
            Assert.Equal(watched.DistinctBy(watch => watch.Publisher).Count(), shard.Router.RegisterCount);
        }

        for (var publisher = 0; publisher < Publishers; publisher++)
        {
            var told = shard.Apply(new RouterInput.Set(People[publisher], Status.Busy, default, SourceKind.Administrator, "root", ""));
            var expected = watched.Where(watch => watch.Publisher == publisher).Select(watch => IdOf(watch.Connection).Gateway).Distinct();
            Assert.Equal(expected.OrderBy(gateway => gateway.Value), told.OfType<Effect.Deliver>().Select(deliver => deliver.Gateway).OrderBy(gateway => gateway.Value));
        }

        shard.Apply(new RouterInput.Leave(Shard.GatewayA));
        shard.Apply(new RouterInput.Leave(Shard.GatewayB));
        Assert.Equal(0, shard.Router.SessionCount);
        shard.Router.Close();
        Assert.Equal(0, shard.Uids.Count);
    }, iter: 200, threads: 1);

    private static ConnectionId IdOf(int number) => Shard.Connection(number, number % 2 == 0 ? Shard.GatewayA : Shard.GatewayB);
}
