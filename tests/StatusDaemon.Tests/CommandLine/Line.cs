using System.Globalization;
using StatusDaemon.Imitation;

namespace StatusDaemon.CommandLine;

/// <summary>One command line, run with modules that only note what they were asked.</summary>
internal sealed class Line
{
    public int ExitCode { get; private set; }

    public string Output { get; private set; } = "";

    public string Error { get; private set; } = "";

    public string? UpSettings { get; private set; }

    /// <summary>The parts of the server that were to run.</summary>
    public ServerModules Server { get; private set; }

    public TestClientRequest? TestClient { get; private set; }

    public PrivilegeImportRequest? Import { get; private set; }

    public PrivilegeExportRequest? Export { get; private set; }

    public static Task<Line> RunAsync(string words, string language = "") => RunAsync(words.Split(' ', StringSplitOptions.RemoveEmptyEntries), language);

    public static async Task<Line> RunAsync(string[] words, string language = "")
    {
        CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(language);
        var line = new Line();
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var modules = new Modules(
            "default.yml",
            (parts, settings, _) => Note(() => (line.Server, line.UpSettings) = (parts, settings)),
            _ => new ClientDefaults("0.0.0.0", 8080, Tls: false, "/state", ["HTTP@presence.example.org"]),
            (request, _) => Note(() => line.TestClient = request),
            (request, _, _) => Note(() => line.Import = request),
            (request, _, _) => Note(() => line.Export = request));
        line.ExitCode = await new CommandTree(modules).RunAsync(words, output, error, TestContext.Current.CancellationToken);
        (line.Output, line.Error) = (output.ToString(), error.ToString());
        return line;
    }

    private static Task<int> Note(Action note)
    {
        note();
        return Task.FromResult(0);
    }
}
