using System.Globalization;
using StatusDaemon.CommandLine;
using StatusDaemon.Imitation;
using StatusDaemon.Language;

using var signals = new EndSignals();
CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
CultureInfo.CurrentUICulture = CultureInfo.DefaultThreadCurrentUICulture = UserLanguage.From(Environment.GetEnvironmentVariable);

// The launcher says where it stands, so that it works from every folder.
var home = Environment.GetEnvironmentVariable("STATUSD_HOME") ?? "";
var settings = Path.GetFullPath(Path.Combine(home, "config", "settings.yml"));
var server = new ServerRun(settings, Console.Out);
var privileges = new PrivilegeRun(Console.Out, Console.Error);
var modules = new Modules(
    DefaultSettings: settings,
    RunServerAsync: server.RunAsync,
    ReadClientDefaults: server.ReadClientDefaults,
    TestClientAsync: (request, stop) => new TestClient(request, Console.Out, Console.Error, TimeProvider.System).RunAsync(stop),
    ImportPrivilegesAsync: privileges.ImportAsync,
    ExportPrivilegesAsync: privileges.ExportAsync);

return await new CommandTree(modules).RunAsync(args, Console.Out, Console.Error, signals.Token);
