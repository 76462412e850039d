using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;

namespace StatusDaemon.Auth;

public sealed class AuthProbeTests : IDisposable
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    private readonly string folder = Directory.CreateTempSubdirectory("statusd-probe-").FullName;
    private readonly FakeTimeProvider clock = new(DateTimeOffset.UtcNow);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_good_set_up_says_services_key_versions_and_realms()
    {
        var probe = Run(new AuthOptions { Keytab = Keytab("HTTP/pbx", "cifs/pbx"), ServiceNames = ["HTTP@pbx"] });

        Assert.Empty(probe.Problems);
        Assert.Empty(probe.Warnings);
        Assert.Equal(["HTTP@pbx"], probe.Report!.Services);
        Assert.Equal(["HTTP/pbx@ALPHA.TEST (kvno 3)"], probe.Report.Keys);
        Assert.Equal(["ALPHA.TEST"], probe.Report.Realms);
        Assert.Equal(["ALPHA.TEST"], probe.Setup!.Realms);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(probe.Setup.ReplayCache));
        using var acceptor = new GssAcceptor(probe.Setup);
    }

    [Fact]
    public void The_service_is_HTTP_at_this_host_with_any_domain_unless_it_is_set()
    {
        var probe = Run(new AuthOptions { Keytab = Keytab("HTTP/vm", "HTTP/VM.example.org", "HTTP/vmware", "cifs/vm") });

        Assert.Equal(["HTTP@vm", "HTTP@vm.example.org"], probe.Setup!.Services.Select(service => service.ToString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Realms_that_are_set_count_instead_of_the_keytab_s() =>
        Assert.Equal(["BETA.TEST"], Run(new AuthOptions { Keytab = Keytab("HTTP/vm"), Realms = ["BETA.TEST"] }).Setup!.Realms);

    [Fact]
    public void A_missing_keytab_is_a_problem() =>
        AssertProblem("is not there", new AuthOptions { Keytab = Path.Combine(folder, "nothing") });

    [Fact]
    public void A_file_that_is_no_keytab_is_a_problem()
    {
        var path = Path.Combine(folder, "text");
        File.WriteAllText(path, "keys");

        AssertProblem("is not a keytab", new AuthOptions { Keytab = path });
    }

    [Fact]
    public void A_keytab_without_the_service_s_key_is_a_problem_that_names_what_it_has() =>
        AssertProblem("has no key of HTTP@pbx, but of HTTP/vm@ALPHA.TEST", new AuthOptions { Keytab = Keytab("HTTP/vm"), ServiceNames = ["HTTP@pbx"] });

    [Fact]
    public void A_service_name_of_another_form_is_a_problem() =>
        AssertProblem("HTTP/vm is not of the form HTTP@host", new AuthOptions { Keytab = Keytab("HTTP/vm"), ServiceNames = ["HTTP/vm"] });

    [Fact]
    public void A_replay_cache_that_cannot_be_written_is_a_problem() =>
        AssertProblem("AUTH.replay_cache", new AuthOptions { Keytab = Keytab("HTTP/vm"), ReplayCache = Path.Combine(folder, "no", "such", "folder") });

    [Fact]
    public void A_clock_that_was_never_set_is_warned_of()
    {
        var unset = new FakeTimeProvider(DateTimeOffset.UnixEpoch);

        Assert.Equal(new LoginWarning.ClockUnset(DateTimeOffset.UnixEpoch), Assert.Single(AuthProbe.Run(new AuthOptions { Keytab = Keytab("HTTP/vm") }, folder, "vm", unset).Warnings));
    }

    [Fact]
    public void A_key_from_the_future_is_warned_of()
    {
        var path = Keytab("HTTP/vm");
        var behind = new FakeTimeProvider(DateTimeOffset.UtcNow.AddHours(-1));

        Assert.IsType<LoginWarning.KeyFromTheFuture>(Assert.Single(AuthProbe.Run(new AuthOptions { Keytab = path }, folder, "vm", behind).Warnings));
    }

    private void AssertProblem(string words, AuthOptions options)
    {
        var probe = Run(options);
        Assert.Contains(words, Assert.Single(probe.Problems), StringComparison.Ordinal);
        Assert.Null(probe.Setup);
        Assert.Null(probe.Report);
    }

    private AuthProbe Run(AuthOptions options) => AuthProbe.Run(options, Path.Combine(folder, "var"), "vm", clock);

    private string Keytab(params string[] services)
    {
        var path = Path.Combine(folder, "service.keytab");
        File.WriteAllBytes(path, ForgedTicket.Keytab(Key, 3, services));
        return path;
    }
}
