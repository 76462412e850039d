using System.Globalization;
using StatusDaemon.CommandLine;
using StatusDaemon.Imitation;
using StatusDaemon.Language;

CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
CultureInfo.CurrentUICulture = CultureInfo.DefaultThreadCurrentUICulture = UserLanguage.From(Environment.GetEnvironmentVariable);

// The launcher says where it stands, so that it works from every folder.
var home = Environment.GetEnvironmentVariable("STATUSD_HOME") ?? "";
var modules = new Modules(
    DefaultSettings: Path.Combine(home, "config", "settings.yml"),
    UpAsync: (_, _) => throw new CommandFailedException("up: not wired"),
    ReadClientDefaults: settings => new ClientDefaults("127.0.0.1", 8080, Tls: false, Path.GetFullPath("../var", Path.GetDirectoryName(settings)!), []),
    TestClientAsync: (request, stop) => new TestClient(request, Console.Out, Console.Error, TimeProvider.System).RunAsync(stop));

return await new CommandTree(modules).RunAsync(args, Console.Out, Console.Error, CancellationToken.None);
