using System.Net;
using CsCheck;

namespace StatusDaemon.Cluster;

public sealed class ShardAssignmentTests
{
    private static readonly Gen<SiloAddress> Silo =
        Gen.Select(Gen.UInt, Gen.Int[1, 65_535], Gen.Int[1, 1_000_000_000], (address, port, generation) =>
            SiloAddress.New(new IPEndPoint(address, port), generation));

    private static readonly Gen<SiloAddress[]> Silos = Silo.ArrayUnique[1, 8];

    private static readonly Gen<int> Shards = Gen.Int[0, 7].Select(power => 1 << power);

    [Fact]
    public void Loads_differ_by_one_at_most() =>
        Gen.Select(Silos, Shards).Sample((silos, shards) =>
        {
            var placed = Assign(shards, silos);
            var loads = silos.Select(silo => placed.Count(silo.Equals)).ToArray();
            return loads.Max() - loads.Min() <= 1;
        });

    [Fact]
    public void The_order_in_which_silos_are_listed_does_not_matter() =>
        Gen.Select(Silos, Shards).SelectMany((silos, shards) => Gen.Shuffle(silos.ToArray()).Select(shuffled => (silos, shards, shuffled)))
            .Sample(t => Assign(t.shards, t.silos).SequenceEqual(Assign(t.shards, t.shuffled)));

    [Fact]
    public void A_lost_silo_moves_few_shards_of_the_others()
    {
        // Over many clusters, as a single one may be unlucky; a modulo over the list moves 2 of 3 and more.
        var (kept, moved) = (0, 0);
        for (var seed = 1; seed <= 200; seed++)
        {
            var silos = Enumerable.Range(0, 4).Select(i => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, (1000 * i) + 1), seed)).ToArray();
            var before = Assign(32, silos);
            var after = Assign(32, silos[..3]);
            kept += before.Zip(after).Count(shard => shard.First != silos[3] && shard.First == shard.Second);
            moved += before.Zip(after).Count(shard => shard.First != silos[3] && shard.First != shard.Second);
        }

        Assert.InRange(moved / (double)(kept + moved), 0, 0.2);
    }

    [Fact]
    public void The_assignment_is_the_same_in_every_release()
    {
        // A member of another release must choose alike while a cluster is updated one by one.
        SiloAddress[] silos = [.. Enumerable.Range(1, 3).Select(port => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, port), 1))];

        Assert.Equal("3212112133223113", string.Concat(Assign(16, silos).Select(silo => silo.Endpoint.Port)));
    }

    private static SiloAddress[] Assign(int shards, SiloAddress[] silos) =>
        [.. Enumerable.Range(0, shards).Select(shard => ShardAssignment.Choose(shard, shards, silos))];
}
