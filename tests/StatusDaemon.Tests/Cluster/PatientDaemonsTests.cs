using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Messaging;

namespace StatusDaemon.Cluster;

public sealed class PatientDaemonsTests
{
    private static readonly Uri One = new("gwy.tcp://127.0.0.1:1/0");
    private static readonly Uri Other = new("gwy.tcp://127.0.0.1:2/0");

    private readonly Asked asked = new();

    [Fact]
    public async Task While_nobody_can_say_who_is_there_those_of_before_are()
    {
        var daemons = new PatientDaemons(asked, NullLogger<PatientDaemons>.Instance);
        asked.Answer = () => [One, Other];
        Assert.Equal([One, Other], await daemons.GetGateways());
        asked.Answer = () => throw new TimeoutException();
        Assert.Equal([One, Other], await daemons.GetGateways());
        asked.Answer = () => []; // a list that was lost, or that all have left: calling them costs nothing
        Assert.Equal([One, Other], await daemons.GetGateways());
        asked.Answer = () => [Other];
        Assert.Equal([Other], await daemons.GetGateways());
    }

    [Fact]
    public async Task Before_anybody_was_known_a_failure_is_one()
    {
        var daemons = new PatientDaemons(asked, NullLogger<PatientDaemons>.Instance);
        asked.Answer = () => throw new TimeoutException();
        await Assert.ThrowsAsync<TimeoutException>(daemons.GetGateways);
    }

    private sealed class Asked : IGatewayListProvider
    {
        public Func<IList<Uri>> Answer { get; set; } = () => [];

        public TimeSpan MaxStaleness => TimeSpan.Zero;

        public bool IsUpdatable => true;

        public Task InitializeGatewayListProvider() => Task.CompletedTask;

        public Task<IList<Uri>> GetGateways() => Task.FromResult(Answer());
    }
}
