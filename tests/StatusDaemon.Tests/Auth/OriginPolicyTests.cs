using Microsoft.Extensions.Primitives;

namespace StatusDaemon.Auth;

public sealed class OriginPolicyTests
{
    private static readonly ServiceName[] Services = [new("HTTP", "pbx.example.org"), new("HTTP", "localhost")];

    [Fact]
    public void Who_sends_no_origin_is_no_browser() =>
        Assert.True(new OriginPolicy([]).Allows(StringValues.Empty));

    [Theory]
    [InlineData("http://pbx.example.org:8080", true)]
    [InlineData("http://localhost:8080", true)]
    [InlineData("http://localhost:8081", false)]
    [InlineData("http://localhost", false)]
    [InlineData("https://localhost:8080", false)]
    [InlineData("http://pbx.example.org.evil:8080", false)]
    [InlineData("null", false)]
    [InlineData("", false)]
    public void The_server_s_own_pages_may_log_in(string origin, bool allowed) =>
        Assert.Equal(allowed, OriginPolicy.OfServer(Services, isTls: false, () => 8080).Allows(origin));

    [Fact]
    public void The_scheme_s_own_port_is_not_written() =>
        Assert.True(OriginPolicy.OfServer(Services, isTls: true, () => 443).Allows("https://pbx.example.org"));

    [Fact]
    public void A_free_port_is_asked_for_once_the_server_listens()
    {
        var port = 0;
        var policy = OriginPolicy.OfServer(Services, isTls: false, () => port);
        port = 50123;

        Assert.True(policy.Allows("http://localhost:50123"));
    }

    [Fact]
    public void Origins_that_are_set_count_instead() =>
        Assert.True(new OriginPolicy(["https://phone.example.org"]).Allows("https://phone.example.org"));

    [Fact]
    public void Two_origins_are_none_that_is_allowed() =>
        Assert.False(new OriginPolicy(["https://a"]).Allows(new StringValues(["https://a", "https://a"])));
}
