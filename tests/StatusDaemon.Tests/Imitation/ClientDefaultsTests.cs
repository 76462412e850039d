namespace StatusDaemon.Imitation;

public sealed class ClientDefaultsTests
{
    [Theory]
    [InlineData("0.0.0.0", "127.0.0.1")]
    [InlineData("::", "::1")]
    [InlineData("10.1.2.3", "10.1.2.3")]
    public void A_server_on_every_interface_is_reached_on_loopback(string host, string reachable) =>
        Assert.Equal(reachable, Settings(host).ReachableHost);

    [Theory]
    [InlineData("127.0.0.1", "HTTP@localhost")]
    [InlineData("presence.example.org", "HTTP@presence.example.org")]
    [InlineData("PRESENCE.example.org", "HTTP@presence.example.org")]
    [InlineData("elsewhere.example.org", "HTTP@elsewhere.example.org")]
    public void The_ticket_is_for_the_host_and_the_settings_speak_for_their_own_server_only(string host, string service) =>
        Assert.Equal(service, Settings("127.0.0.1", "HTTP@localhost", "HTTP@presence.example.org").ServiceNameFor(host));

    [Fact]
    public void Without_a_service_name_in_the_settings_the_ticket_is_for_the_host() =>
        Assert.Equal("HTTP@127.0.0.1", Settings("127.0.0.1").ServiceNameFor("127.0.0.1"));

    private static ClientDefaults Settings(string host, params string[] services) => new(host, 8080, Tls: false, "/state", services);
}
