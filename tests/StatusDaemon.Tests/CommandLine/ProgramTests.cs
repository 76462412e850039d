using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using StatusDaemon.Settings;

namespace StatusDaemon.CommandLine;

/// <summary>The program as a process, as users and scripts meet it.</summary>
public sealed class ProgramTests
{
    [Theory]
    [InlineData("--help", 0)]
    [InlineData("--version", 0)]
    [InlineData("-rsync", 1)]
    [InlineData("-d -ws", 2)]
    [InlineData("-tc -p x", 2)]
    public async Task The_exit_code_says_done_failed_or_wrong_usage(string words, int exitCode)
    {
        var (code, output, error) = await RunAsync(words);

        Assert.Equal(exitCode, code);
        Assert.Equal(exitCode == 0, output.Length > 0);
        Assert.Equal(exitCode != 0, error.Length > 0);
    }

    [Fact]
    public async Task Russian_is_spoken_under_a_Russian_locale_without_libicu()
    {
        var (_, output, _) = await RunAsync("--help", ("LC_ALL", "ru_RU.UTF-8"), ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1"));

        Assert.Contains("Использование:", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_ticket_the_test_client_says_how_to_get_one()
    {
        var nowhere = Path.Combine(Path.GetTempPath(), "no-such-" + Guid.NewGuid());

        var (code, _, error) = await RunAsync(
            "-tc -rh 127.0.0.1 -p 1",
            ("STATUSD_HOME", nowhere),
            ("KRB5CCNAME", "FILE:" + nowhere),
            ("KRB5_CLIENT_KTNAME", "FILE:" + nowhere));

        Assert.Equal(1, code);
        Assert.Equal("statusd: You have no Kerberos ticket: get one with kinit, or set KRB5_CLIENT_KTNAME to a keytab.\n", error);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_in_one_line_before_anything_starts()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        var state = Path.Combine(Path.GetTempPath(), "no-such-" + Guid.NewGuid());

        var (code, _, error) = await RunAsync("up", ("STATUSD_HOME", Repository.Root), ("STATUSD_STATE__PATH", state), ("STATUSD_SERVICE__PORT", port));

        Assert.Equal(1, code);
        Assert.StartsWith($"statusd: 127.0.0.1:{port}: Address already in use. Stop what listens there, or set ", error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.False(Directory.Exists(state));
    }

    [Theory]
    [InlineData("STATUSD_SYNC__PEERS", "[{name: b, domains: b.example, principal: sync/b@B}]", "SYNC.peers is not there yet in this version: take them out.")]
    public async Task A_setting_that_asks_for_what_comes_later_stops_the_start(string name, string value, string words)
    {
        var (code, _, error) = await RunAsync("up", ("STATUSD_HOME", Repository.Root), (name, value));

        Assert.Equal((1, $"statusd: {words}\n"), (code, error));
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string words, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "statusd.dll"));
        foreach (var word in words.Split(' '))
        {
            start.ArgumentList.Add(word);
        }

        foreach (var (name, value) in environment.Prepend(("LC_ALL", "C.UTF-8")))
        {
            start.Environment[name] = value;
        }

        var stop = TestContext.Current.CancellationToken;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(stop);
        var error = process.StandardError.ReadToEndAsync(stop);
        await process.WaitForExitAsync(stop);
        return (process.ExitCode, await output, await error);
    }
}
