using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;

namespace StatusDaemon.CommandLine;

/// <summary>The script <c>statusd</c> in a folder of its own, with a deploy.sh that only counts and a program that tells what it was started with.</summary>
[SupportedOSPlatform("linux")]
public sealed class LauncherTests : IDisposable
{
    private const string Deploy =
        """
        #!/usr/bin/env bash
        set -euo pipefail
        cd "$(dirname "$0")"
        echo once >> deployed
        mkdir -p src/StatusDaemon.Cli/bin/Release/net10.0
        touch src/StatusDaemon.Cli/bin/Release/net10.0/statusd.dll src/StatusDaemon.Cli/bin/built
        """;

    // Waits for a line, so that a test can send signals meanwhile.
    private const string Dotnet =
        """
        #!/usr/bin/env bash
        trap 'echo terminated; exit 7' TERM
        echo "$$|$STATUSD_HOME|$*"
        read -r
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("launcher-").FullName;

    public LauncherTests()
    {
        var home = Directory.CreateDirectory(Path.Combine(folder, "home", "src", "StatusDaemon.Cli")).Parent!.Parent!.FullName;
        Script(Path.Combine(home, "statusd"), File.ReadAllText(Path.Combine(Repository(), "statusd")));
        Script(Path.Combine(home, "deploy.sh"), Deploy);
        Script(Path.Combine(folder, "dotnet"), Dotnet);
        File.WriteAllText(Path.Combine(home, "global.json"), "{}");
        File.WriteAllText(Path.Combine(home, "Directory.Build.props"), "");
        File.WriteAllText(Source, "");
    }

    private string Home => Path.Combine(folder, "home");

    private string Source => Path.Combine(Home, "src", "StatusDaemon.Cli", "Program.cs");

    private int Builds => File.ReadAllLines(Path.Combine(Home, "deployed")).Length;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task The_launcher_becomes_the_program()
    {
        using var process = Start(Path.Combine(Home, "statusd"), "-s", "1 2", "*");

        var told = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

        Assert.Equal($"{process.Id}|{Home}|{Home}/src/StatusDaemon.Cli/bin/Release/net10.0/statusd.dll -s 1 2 *", told);
        await EndAsync(process);
    }

    [Fact]
    public async Task A_signal_reaches_the_program_and_its_exit_code_comes_back()
    {
        using var process = Start(Path.Combine(Home, "statusd"));
        var stop = TestContext.Current.CancellationToken;
        await process.StandardOutput.ReadLineAsync(stop);

        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);

        Assert.Equal("terminated", await process.StandardOutput.ReadLineAsync(stop));
        await process.WaitForExitAsync(stop);
        Assert.Equal(7, process.ExitCode);
    }

    [Fact]
    public async Task It_works_through_a_link_from_another_folder()
    {
        var link = Path.Combine(folder, "link");
        File.CreateSymbolicLink(link, Path.Combine(Home, "statusd"));

        using var process = Start(link);

        Assert.StartsWith($"{process.Id}|{Home}|", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await EndAsync(process);
    }

    [Fact]
    public async Task It_builds_on_first_use_and_when_a_source_is_newer()
    {
        await RunAsync();
        await RunAsync();
        Assert.Equal(1, Builds);

        File.SetLastWriteTimeUtc(Source, DateTime.UtcNow.AddMinutes(1));
        await RunAsync();
        Assert.Equal(2, Builds);
    }

    [Fact]
    public async Task It_builds_when_a_source_is_gone()
    {
        await RunAsync();

        File.Delete(Source);
        Directory.SetLastWriteTimeUtc(Path.GetDirectoryName(Source)!, DateTime.UtcNow.AddMinutes(1));
        await RunAsync();

        Assert.Equal(2, Builds);
    }

    [Fact]
    public async Task Two_at_once_build_once()
    {
        await Task.WhenAll(RunAsync(), RunAsync(), RunAsync());

        Assert.Equal(1, Builds);
    }

    [Fact]
    public async Task A_failed_build_ends_it()
    {
        Script(Path.Combine(Home, "deploy.sh"), "#!/bin/sh\nexit 3\n");

        using var process = Start(Path.Combine(Home, "statusd"));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.NotEqual(0, process.ExitCode);
        Assert.Empty(await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    private static void Script(string path, string text)
    {
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static string Repository()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "StatusDaemon.slnx")))
        {
            at = at.Parent ?? throw new InvalidOperationException("the tests run outside of the repository");
        }

        return at.FullName;
    }

    private Process Start(string launcher, params string[] arguments)
    {
        var start = new ProcessStartInfo(launcher, arguments)
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = folder + ":" + Environment.GetEnvironmentVariable("PATH");
        return Process.Start(start)!;
    }

    private async Task RunAsync()
    {
        using var process = Start(Path.Combine(Home, "statusd"));
        await EndAsync(process);
    }

    private static async Task EndAsync(Process process)
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
