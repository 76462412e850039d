using StatusDaemon.Imitation;

namespace StatusDaemon.CommandLine;

public sealed class CommandTreeTests
{
    private const string AllOfSyncClient =
        "--sync-server-host h --sync-server-port 8090 --sync-client-name n --sync-seconds 60 --max-status-number 100 --sync-sleep-time 0.5";

    [Theory]
    [InlineData("-rsync", "sync-receiver")]
    [InlineData("--synchronize-receiver", "sync-receiver")]
    [InlineData("sync-receiver", "sync-receiver")]
    [InlineData("-ssync", "sync-sender")]
    [InlineData("--synchronize-sender", "sync-sender")]
    [InlineData("sync-sender", "sync-sender")]
    [InlineData("-sc -ssh h -ssp 8090 -name n -ssec 60 -msn 100 -sst 1", "sync-client")]
    [InlineData("--sync-client " + AllOfSyncClient, "sync-client")]
    [InlineData("sync-client " + AllOfSyncClient, "sync-client")]
    [InlineData(AllOfSyncClient + " -sc", "sync-client")]
    [InlineData("-cli", "cli")]
    [InlineData("--cli", "cli")]
    [InlineData("cli get 1000 1001", "cli")]
    public async Task A_module_that_comes_later_says_so_and_fails(string words, string module)
    {
        var line = await Line.RunAsync(words);

        Assert.Equal(1, line.ExitCode);
        Assert.StartsWith($"statusd: {module} ", line.Error, StringComparison.Ordinal);
        Assert.Contains("\"statusd ", line.Error, StringComparison.Ordinal);
        Assert.Empty(line.Output);
    }

    [Theory]
    [InlineData("up", ServerModules.All, "default.yml")]
    [InlineData("up --config a.yml", ServerModules.All, "a.yml")]
    [InlineData("--config a.yml up", ServerModules.All, "a.yml")]
    [InlineData("--config=a.yml up", ServerModules.All, "a.yml")]
    [InlineData("-d", ServerModules.Daemon, "default.yml")]
    [InlineData("--daemon", ServerModules.Daemon, "default.yml")]
    [InlineData("daemon", ServerModules.Daemon, "default.yml")]
    [InlineData("-ws", ServerModules.Gateway, "default.yml")]
    [InlineData("--ws-server", ServerModules.Gateway, "default.yml")]
    [InlineData("ws-server --config x.yml", ServerModules.Gateway, "x.yml")]
    public async Task The_server_or_a_part_of_it_starts_with_the_settings_that_were_named(string words, ServerModules parts, string settings)
    {
        var line = await Line.RunAsync(words);

        Assert.Equal(0, line.ExitCode);
        Assert.Equal(parts, line.Server);
        Assert.Equal(Path.GetFullPath(settings), line.UpSettings);
    }

    [Theory]
    [InlineData("import-privileges people.yml", "people.yml", false, false, false)]
    [InlineData("import-privileges --apply people.yml --json", "people.yml", true, false, true)]
    [InlineData("--prune import-privileges people.yml --apply", "people.yml", true, true, false)]
    public async Task An_import_is_only_shown_unless_more_is_asked_for(string words, string file, bool apply, bool prune, bool json)
    {
        var line = await Line.RunAsync(words);

        Assert.Equal((0, ""), (line.ExitCode, line.Error));
        Assert.Equal(new PrivilegeImportRequest(Path.GetFullPath(file), apply, prune, json), line.Import);
    }

    [Theory]
    [InlineData("export-privileges out.yml", "out.yml", false)]
    [InlineData("export-privileges - --json", null, true)]
    public async Task An_export_goes_to_a_file_or_to_standard_output(string words, string? file, bool json)
    {
        var line = await Line.RunAsync(words);

        Assert.Equal((0, ""), (line.ExitCode, line.Error));
        Assert.Equal(new PrivilegeExportRequest(file is null ? null : Path.GetFullPath(file), json), line.Export);
    }

    [Theory]
    [InlineData("import-privileges", "statusd: import-privileges needs a value: FILE")]
    [InlineData("export-privileges", "statusd: export-privileges needs a value: FILE")]
    [InlineData("import-privileges a.yml b.yml", "statusd: Unknown argument: b.yml.")]
    [InlineData("export-privileges a.yml --prune", "statusd: --prune is not an option of export-privileges.")]
    public async Task An_import_or_export_that_is_not_whole_is_refused(string words, string complaint)
    {
        var line = await Line.RunAsync(words);

        Assert.Equal(2, line.ExitCode);
        Assert.StartsWith(complaint, line.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-tc -rh presence2 -p 9000 -rn a@R b@R -s 1 BUSY 3 -sl 0.25 --as c@R --service HTTP@x --tls --count 7 --json")]
    [InlineData("--json --count 7 --tls -sl 0.25 -s 1 -s BUSY 3 -rn a@R -rn b@R -p 9000 -rh presence2 --service HTTP@x --as c@R -tc")]
    [InlineData("test-client --remote-host presence2 --port 9000 --remote-names a@R b@R --status 1 BUSY 3 --sleep 0.25 --as c@R --service HTTP@x --tls --count 7 --json")]
    [InlineData("-p 9000 -s 1 BUSY 3 -sl 0.25 --test-client -rh presence2 --remote-names a@R b@R --as c@R --service HTTP@x --tls --count 7 --json")]
    public async Task The_test_client_takes_its_options_in_any_order_and_form(string words)
    {
        var line = await Line.RunAsync(words);

        Assert.Equal(0, line.ExitCode);
        var asked = Assert.IsType<TestClientRequest>(line.TestClient);
        Assert.Equal(("presence2", 9000, true, "HTTP@x"), (asked.Host, asked.Port, asked.Tls, asked.ServiceName));
        Assert.Equal(["a@R", "b@R"], asked.Names);
        Assert.Equal(["1", "BUSY", "3"], asked.Statuses);
        Assert.Equal((TimeSpan.FromSeconds(0.25), "c@R", 7L, true), (asked.Sleep, asked.As, asked.Count, asked.Json));
    }

    [Fact]
    public async Task The_test_client_takes_from_the_settings_what_it_is_not_told()
    {
        var line = await Line.RunAsync("-tc");

        var asked = Assert.IsType<TestClientRequest>(line.TestClient);
        Assert.Equal(("127.0.0.1", 8080, false, "HTTP@presence.example.org", "/state"), (asked.Host, asked.Port, asked.Tls, asked.ServiceName, asked.StatePath));
        Assert.Empty(asked.Names);
        Assert.Empty(asked.Statuses);
        Assert.Equal((TimeSpan.FromSeconds(5), null, null, false), (asked.Sleep, asked.As, asked.Count, asked.Json));
    }

    [Theory]
    [InlineData("-d -ws", "-d", "-ws")]
    [InlineData("-rsync -ssync", "-rsync", "-ssync")]
    [InlineData("--sync-client --test-client", "--sync-client", "--test-client")]
    [InlineData("-tc -cli", "-tc", "-cli")]
    [InlineData("test-client -d", "test-client", "-d")]
    [InlineData("-d test-client", "test-client", "-d")]
    [InlineData("up --ws-server", "up", "--ws-server")]
    public async Task Modules_exclude_each_other_and_both_are_named(string words, string one, string other)
    {
        var line = await Line.RunAsync(words);

        Assert.Equal(2, line.ExitCode);
        Assert.Contains($"{one} ", line.Error, StringComparison.Ordinal);
        Assert.Contains($"{other} ", line.Error, StringComparison.Ordinal);
        Assert.Contains("exclude each other", line.Error, StringComparison.Ordinal);
        Assert.Null(line.TestClient);
    }

    [Theory]
    [InlineData("", "Name a module: up, daemon, ws-server, sync-receiver, sync-sender, sync-client, test-client, import-privileges, export-privileges, cli.")]
    [InlineData("--config a.yml", "Name a module: up,")]
    [InlineData("-p 80", "-p is an option of test-client: name that module too.")]
    [InlineData("-ssh h", "-ssh is an option of sync-client: name that module too.")]
    [InlineData("-d -p 80", "-p is not an option of -d.")]
    [InlineData("up --json", "--json is not an option of up.")]
    [InlineData("-tc -ssh h", "-ssh is not an option of -tc.")]
    [InlineData("-tc --frob", "Unknown argument: --frob.")]
    [InlineData("-tc -pabc", "Unknown argument: -pabc.")]
    [InlineData("frob", "Unknown argument: frob.")]
    [InlineData("up more", "Unknown argument: more.")]
    [InlineData("-tc -p", "-p needs a value: PORT\n")]
    [InlineData("-tc -p 0", "-p: \"0\" is not a port, 1 to 65535.")]
    [InlineData("-tc --port 65536", "--port: \"65536\" is not a port, 1 to 65535.")]
    [InlineData("-tc -p x", "-p: \"x\" is not a port, 1 to 65535.")]
    [InlineData("-tc -p 1 -p 2", "-p takes one value.")]
    [InlineData("-tc -sl -1", "-sl: \"-1\" is not a number of seconds, 0 to 86400.\n")]
    [InlineData("-tc -sl 0,5", "-sl: \"0,5\" is not a number of seconds, 0 to 86400.")]
    [InlineData("-tc -sl 86401", "-sl: \"86401\" is not a number of seconds, 0 to 86400.")]
    [InlineData("-tc --count 0", "--count: \"0\" is not a whole number, 1 or more.")]
    [InlineData("-tc --service HTTP", "--service: \"HTTP\" is not a service name such as HTTP@host.")]
    [InlineData("-tc -rh ws://h", "-rh: \"ws://h\" is not a host name or an address.")]
    [InlineData("-tc -s", "-s needs a value: STATUS…\n")]
    [InlineData("-tc -s -rn a@R", "-s needs a value: STATUS…\n")]
    [InlineData("-tc -rn", "-rn needs a value: NAME…\n")]
    [InlineData("-sc -msn 0", "-msn: \"0\" is not a whole number, 1 or more.")]
    [InlineData("-sc -ufn no-such-file", "-ufn: \"no-such-file\" is not a file that is there.")]
    [InlineData("--config", "--config needs a value: FILE\n")]
    [InlineData("up --config a --config b", "--config takes one value.")]
    public async Task Wrong_usage_is_explained_in_one_sentence(string words, string sentence)
    {
        var line = await Line.RunAsync(words);

        Assert.Equal(2, line.ExitCode);
        Assert.StartsWith("statusd: " + sentence, line.Error, StringComparison.Ordinal);
        Assert.Equal(2, line.Error.AsSpan().Count('\n'));
        Assert.Empty(line.Output);
    }

    [Theory]
    [InlineData("-sl 0", 0)]
    [InlineData("-sl 0.001", 1)]
    [InlineData("-sl 86400", 86_400_000)]
    public async Task A_sleep_is_in_seconds_with_a_fraction(string words, int milliseconds)
    {
        var line = await Line.RunAsync("-tc " + words);

        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), line.TestClient?.Sleep);
    }

    [Fact]
    public async Task A_word_that_begins_with_an_at_sign_is_no_response_file()
    {
        var line = await Line.RunAsync("-tc -rn @alice");

        Assert.Equal(["@alice"], line.TestClient?.Names);
    }

    [Theory]
    [InlineData("--help", "", "help.en")]
    [InlineData("-h", "ru", "help.ru")]
    [InlineData("-d -ws -h", "", "help.en")]
    [InlineData("test-client --help", "", "help-test-client.en")]
    [InlineData("-tc -h", "ru", "help-test-client.ru")]
    [InlineData("-h -tc -p nonsense", "", "help-test-client.en")]
    public async Task Help_is_whole_in_both_languages(string words, string language, string golden)
    {
        var line = await Line.RunAsync(words, language);

        Assert.Equal(0, line.ExitCode);
        Assert.Empty(line.Error);
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "CommandLine", golden + ".golden.txt"), TestContext.Current.CancellationToken), line.Output);
    }

    [Fact]
    public async Task Wrong_usage_is_explained_in_Russian_too()
    {
        var line = await Line.RunAsync("-tc -p x", "ru");

        Assert.Equal("statusd: -p: «x» — не порт от 1 до 65535.\nСправка: statusd --help\n", line.Error);
    }

    [Fact]
    public async Task Version_names_the_program_and_its_version()
    {
        var line = await Line.RunAsync("--version");

        Assert.Equal(0, line.ExitCode);
        Assert.Matches(@"^statusd \d+\.\d+\.\d+", line.Output);
    }
}
