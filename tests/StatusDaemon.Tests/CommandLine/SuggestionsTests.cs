using StatusDaemon.Imitation;

namespace StatusDaemon.CommandLine;

public sealed class SuggestionsTests
{
    private static readonly ClientDefaults Defaults = new("127.0.0.1", 8080, Tls: false, "/state", []);

    private static readonly LoginReport.Kerberos Sandbox = new(["HTTP@localhost", "HTTP@127.0.0.1"], [], ["R"], []);

    private static readonly LoginReport.Kerberos Company = new(["HTTP@status.example.org"], [], ["R"], []);

    [Fact]
    public void In_the_sandbox_with_the_default_settings_nothing_needs_to_be_said() => Assert.Equal(
        [
            "./statusd test-client --as alice@R -rn bob@R",
            "./statusd test-client --as bob@R -s ENABLE BUSY -sl 2",
            "curl http://127.0.0.1:8080/readyz",
        ],
        Suggestions.For(null, Report("http://127.0.0.1:8080", Sandbox, "R"), Defaults));

    [Fact]
    public void Another_settings_file_is_named() =>
        Assert.Equal("./statusd test-client --config '/etc/my settings.yml' --as alice@R -rn bob@R", First("/etc/my settings.yml", Report("http://127.0.0.1:8080", Sandbox, "R"), Defaults));

    [Fact]
    public void A_port_that_the_settings_do_not_tell_is_named() =>
        Assert.Equal("./statusd test-client -p 40123 --as alice@R -rn bob@R", First(null, Report("http://127.0.0.1:40123", Sandbox, "R"), Defaults with { Port = 0 }));

    [Fact]
    public void A_state_folder_that_only_a_variable_tells_is_given_as_one() => Assert.Equal(
        "STATUSD_STATE__PATH=/state ./statusd test-client --as alice@R -rn bob@R",
        First(null, Report("http://127.0.0.1:8080", Sandbox, "R"), Defaults with { StatePath = "/elsewhere" }));

    [Fact]
    public void With_a_ticket_of_ones_own_nobody_says_as_whom() => Assert.Equal(
        "./statusd test-client -rn bob@R",
        First(null, Report("http://10.1.2.3:8080", Company), Defaults with { Host = "10.1.2.3", ServiceNames = ["HTTP@status.example.org"] }));

    [Fact]
    public void With_TLS_the_host_is_the_certificate_s()
    {
        var commands = Suggestions.For(null, Report("https://status.example.org:8443", Company), Defaults with { Port = 8443, Tls = true, ServiceNames = ["HTTP@status.example.org"] });

        Assert.Equal(
            ["./statusd test-client -rh status.example.org -rn bob@R", "./statusd test-client -rh status.example.org -s ENABLE BUSY -sl 2", "curl https://status.example.org:8443/readyz"],
            commands);
    }

    [Fact]
    public void A_service_of_another_name_than_the_host_is_named() => Assert.Equal(
        "./statusd test-client -rh www.example.org --service HTTP@status.example.org -rn bob@R",
        First(null, Report("https://www.example.org:8080", Company), Defaults with { Tls = true, ServiceNames = ["HTTP@status.example.org"] }));

    [Fact]
    public void Settings_that_nobody_else_can_read_are_replaced_by_options() => Assert.Equal(
        "./statusd test-client -rh 127.0.0.1 -p 8080 --tls --service HTTP@status.example.org -rn bob@R",
        First(null, Report("https://127.0.0.1:8080", Company), elsewhere: null));

    [Fact]
    public void With_a_trusted_header_curl_gives_it() => Assert.Equal(
        ["curl -H 'X-Status-Uid: uid-a' http://127.0.0.1:8080/directory", "curl http://127.0.0.1:8080/readyz"],
        Suggestions.For(null, Report("http://127.0.0.1:8080", new LoginReport.TrustedHeader("X-Status-Uid")), Defaults));

    [Fact]
    public void Names_are_quoted_for_the_shell()
    {
        var report = Report("http://127.0.0.1:8080", Company) with { Subscribers = [("u", "a$(b)@R"), ("v", "o'neil@R")] };

        Assert.EndsWith(" -rn 'o'\\''neil@R'", First(null, report, Defaults with { ServiceNames = ["HTTP@status.example.org"] }), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_two_subscribers_there_is_only_the_health_to_ask() =>
        Assert.Equal(["curl http://127.0.0.1:8080/readyz"], Suggestions.For(null, Report("http://127.0.0.1:8080", Company) with { Subscribers = [] }, Defaults));

    private static string First(string? settingsPath, GatewayReport report, ClientDefaults? elsewhere) => Suggestions.For(settingsPath, report, elsewhere)[0];

    private static GatewayReport Report(string address, LoginReport login, params string[] sandboxRealms) => new()
    {
        Address = new Uri(address),
        StatePath = "/state",
        SandboxRealms = sandboxRealms,
        Login = login,
        Subscribers = [("uid-a", "alice@R"), ("uid-b", "bob@R")],
    };
}
