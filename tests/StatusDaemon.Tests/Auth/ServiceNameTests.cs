namespace StatusDaemon.Auth;

public sealed class ServiceNameTests
{
    [Theory, InlineData("HTTP/pbx.example.org@EXAMPLE.ORG"), InlineData("HTTP/PBX.Example.org@OTHER")]
    public void A_host_is_compared_without_case_and_in_any_realm(string principal)
    {
        Assert.True(ServiceName.TryParse("HTTP@Pbx.example.org", out var wanted));
        Assert.True(ServiceName.TryParsePrincipal(principal, out var name, out _));
        Assert.Equal(wanted, name);
    }

    [Fact]
    public void A_service_is_compared_with_case()
    {
        Assert.True(ServiceName.TryParsePrincipal("http/pbx@R", out var name, out _));
        Assert.NotEqual(new ServiceName("HTTP", "pbx"), name);
    }

    [Theory, InlineData(""), InlineData("HTTP"), InlineData("HTTP@"), InlineData("@pbx"), InlineData("HTTP/pbx"), InlineData("HTTP/pbx@R"), InlineData("HTTP@pbx@R")]
    public void What_is_not_a_service_at_a_host_is_no_name(string text) => Assert.False(ServiceName.TryParse(text, out _));
}
