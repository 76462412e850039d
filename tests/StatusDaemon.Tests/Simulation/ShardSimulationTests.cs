namespace StatusDaemon.Simulation;

/// <summary>The guarantees of docs/protocol.md §10, under thousands of bad days. A failure names its seed.</summary>
public sealed class ShardSimulationTests
{
    private const int Days = 3000;
    private const int Steps = 250;

    [Fact]
    public async Task Whatever_the_network_does_the_last_status_arrives_and_no_older_one_follows()
    {
        for (var seed = 0; seed < Days; seed++)
        {
            await RunAsync(seed);
        }
    }

    private static async Task RunAsync(int seed)
    {
        await using var world = new World(seed);
        var broken = await world.RunAsync(Steps);
        Assert.True(broken is null, $"seed {seed}: {broken}");
    }
}
