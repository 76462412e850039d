using System.Diagnostics;

namespace StatusDaemon.EndToEnd;

/// <summary>The short version of <c>bench/chaos</c>: five processes on hosts of their own, what may happen to them, and no violation of what clients may rely on.</summary>
public sealed class ChaosTests
{
    [Theory]
    [InlineData("kill-daemon", "cut-daemon-redis", "hang-gateway")]
    [InlineData("stop-daemon", "lose-daemon", "kill-gateway", "kill-redis-and-daemon")]
    [InlineData("cut-gateway-daemon", "hang-daemon", "stop-gateway")]
    public async Task Under_load_and_faults_nobody_is_shown_what_is_not_so(params string[] faults)
    {
        var logs = Directory.CreateTempSubdirectory("statusd-chaos-logs-").FullName;
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "StatusDaemon.Chaos.dll"), "--logs", logs, "--hold-limits", "4", "--rounds", $"{faults.Length}", "--only", .. faults])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var chaos = Process.Start(start)!;
        var (output, error) = (chaos.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), chaos.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        try
        {
            await chaos.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(4), TestContext.Current.CancellationToken);
            Assert.True(chaos.ExitCode == 0, await output + await error + $"What the members said is in {logs}.");
            Directory.Delete(logs, recursive: true);
        }
        finally
        {
            if (!chaos.HasExited)
            {
                chaos.Kill(entireProcessTree: true);
            }
        }
    }
}
