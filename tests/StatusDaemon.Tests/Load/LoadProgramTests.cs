using System.Diagnostics;
using System.Text.Json.Nodes;

namespace StatusDaemon.Load;

/// <summary>The load program as users run it, in small.</summary>
public sealed class LoadProgramTests
{
    [Fact]
    public async Task The_server_and_the_floor_do_all_that_they_should_under_load_from_two_processes()
    {
        var (exitCode, output) = await RunAsync(
            "s2", "s3", "--start", "--floor", "--processes", "2", "--connections", "60", "--watches", "10", "--publishers", "6", "--rate", "200", "--warmup", "0.2", "--duration", "0.5", "--json");
        Assert.Equal(0, exitCode);
        var runs = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(["s2 floor", "s2 statusd", "s3 floor", "s3 statusd"], runs.Select(run => $"{run["scenario"]} {run["server"]}"));
        Assert.All(runs, run =>
        {
            Assert.Equal((0, 0), ((int)run["violations"]!, (int)run["failed"]!));
            Assert.True((double)run["deliveries_per_second"]! > 0);
            Assert.True((double)run["p50"]! > 0);
        });
    }

    [Fact]
    public async Task Idle_connections_and_connects_are_a_table_with_the_floor_as_its_measure()
    {
        var (exitCode, output) = await RunAsync("s1", "s5", "--floor", "--kestrel", "--connections", "60", "--watches", "10", "--duration", "0.1");
        Assert.Equal(0, exitCode);
        var rows = output.Split('\n').Where(line => line.StartsWith("| s", StringComparison.Ordinal)).Select(line => line.Split('|', StringSplitOptions.TrimEntries)).ToArray();
        Assert.Equal(["scenario", "s1", "s1", "s5", "s5"], rows.Select(row => row[1]));
        Assert.Equal(["server", "floor", "kestrel", "floor", "kestrel"], rows.Select(row => row[2]));
    }

    [Fact]
    public async Task A_server_that_is_not_there_fails_every_connection()
    {
        var (exitCode, output) = await RunAsync("s1", "--url", "ws://127.0.0.1:1/pubsub", "--connections", "2", "--duration", "0.1", "--json");
        Assert.Equal(1, exitCode);
        Assert.Equal(2, (int)JsonNode.Parse(output)!["failed"]!);
    }

    [Theory]
    [InlineData("which server", "s1")]
    [InlineData("no scenario 's9'", "s9", "--start")]
    [InlineData("'tcp://x' is not of the form", "s1", "--url", "tcp://x")]
    [InlineData("'none' is not a process", "s1", "--url", "ws://127.0.0.1:1", "--pid", "none")]
    [InlineData("there is no file", "s1", "--start", "--statusd", "/nowhere/statusd.dll")]
    [InlineData("--rate: -3 is not from", "s3", "--start", "--rate", "-3")]
    [InlineData("--watches", "s1", "--start", "--watches", "many")]
    [InlineData("--fast", "s1", "--start", "--fast")]
    [InlineData("scenario", "--start")]
    public async Task A_wrong_command_line_is_explained(string explained, params string[] line)
    {
        using var error = new StringWriter();
        using var output = new StringWriter();
        Assert.Equal(2, await new LoadCommand().RunAsync(line, output, error));
        Assert.Contains(explained, error.ToString(), StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(params string[] line)
    {
        using var program = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "StatusDaemon.Load.dll"), .. line]) { RedirectStandardOutput = true })!;
        var output = await program.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await program.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (program.ExitCode, output);
    }
}
