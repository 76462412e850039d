using System.Diagnostics;

namespace StatusDaemon.Sandbox;

/// <summary>Runs the programs of Debian's krb5-kdc.</summary>
internal static class SandboxTools
{
    /// <summary>Where Debian has them; <c>/usr/sbin</c> is not in everybody's PATH.</summary>
    private static readonly string[] Folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>Path of a program.</summary>
    /// <exception cref="SandboxException">It is not installed.</exception>
    public static string Find(string program) =>
        Folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists)
        ?? throw new SandboxException($"The sandbox realm needs {program}, which is not installed: run ./deploy.sh, or set AUTH.keytab to use a KDC of your own.");

    /// <summary>A command whose three streams are ours.</summary>
    public static ProcessStartInfo Command(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(Find(program), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    /// <summary>Starts it.</summary>
    public static Process Start(ProcessStartInfo start) =>
        Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} was not started.");

    /// <summary>Runs a program to its end, feeding it lines.</summary>
    /// <returns>What it said on stderr.</returns>
    /// <exception cref="SandboxException">It ended with another code than 0.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, IEnumerable<string> lines, IReadOnlyDictionary<string, string> environment, CancellationToken stop)
    {
        using var process = Start(Command(program, arguments, environment));
        var output = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, stop);
        var words = process.StandardError.ReadToEndAsync(stop);
        try
        {
            foreach (var line in lines)
            {
                await process.StandardInput.WriteLineAsync(line.AsMemory(), stop);
            }

            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it read all: its exit code and words say why.
        }

        await output;
        await process.WaitForExitAsync(stop);
        return process.ExitCode == 0
            ? await words
            : throw new SandboxException($"{program} failed with {process.ExitCode}: {(await words).Trim()}");
    }
}
