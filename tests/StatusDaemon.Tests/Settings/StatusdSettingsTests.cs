using System.Collections;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using StatusDaemon.Auth;
using StatusDaemon.Cluster;
using StatusDaemon.Directories;
using StatusDaemon.Statuses;
using StatusDaemon.Storage;

namespace StatusDaemon.Settings;

public sealed partial class StatusdSettingsTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_shipped_file_has_every_key_with_its_default_and_a_comment()
    {
        var path = Path.Combine(Repository.Root, "config", "settings.yml");
        Assert.Empty(Problems(path));

        var leaves = Leaves(new YamlReader(File.ReadAllBytes(path)).ReadNode(), "").ToArray();
        Assert.Equal(AllKeys().Select(key => $"{key.Section}.{key.Key}"), leaves.Select(leaf => leaf.Key));
        Assert.Equal(AllKeys().Select(key => key.Default), leaves.Select(leaf => leaf.Value));
        Assert.All(File.ReadAllLines(path).Where(line => line.Length > 0), line => Assert.Contains('#', line));
    }

    [Fact]
    public void The_table_in_the_documentation_has_every_key_with_its_default_and_range()
    {
        var rows = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "operations.md")).Select(line => Row.Match(line)).Where(match => match.Success);
        Assert.Equal(
            AllKeys().Select(key => $"{key.Section}.{key.Key} | {(key.Default.Length == 0 ? "not set" : key.Default)} | {key.Allowed}"),
            rows.Select(row => $"{row.Groups[1].Value} | {row.Groups[2].Value} | {row.Groups[3].Value}"));
    }

    [Fact]
    public void An_empty_map_is_all_defaults_relative_to_the_file()
    {
        var settings = Load("{}");
        Assert.Equal(IPAddress.Loopback, settings.Service.Host);
        Assert.Equal(8080, settings.Service.Port);
        Assert.Null(settings.Service.Tls);
        Assert.Equal(TimeSpan.FromSeconds(30), settings.Service.OfflineAfter);
        Assert.Equal(Status.NotRegistered, settings.Service.OfflineStatus);
        Assert.Equal(folder["directory.yml"], settings.Privileges.File);
        Assert.Equal(Path.GetFullPath(Path.Combine(folder.Path, "..", "var")), settings.State.Path);
        Assert.Equal(Path.Combine(settings.State.Path, "admin.sock"), settings.Admin.SocketPath(settings.State));
        Assert.True(settings.Policy is { AllowsByDefault: true, AcceptsUnknown: false, Home.IsEmpty: true });
    }

    [Theory]
    [InlineData("SERVICE:\n  port: 81\n  offline:\n    after: never\n    status: busy\n  limits: {message: 1MiB, messages: 7}")]
    [InlineData("SERVICE: {port: 81, offline: {after: never, status: 2}, limits: {message: 1048576, messages: 7}}")]
    [InlineData("SERVICE:\n  port: \"81\"\n  offline.after: never\n  offline.status: BUSY\n  limits.message: 1024 KiB\n  limits.messages: 7")]
    public void Block_and_flow_style_nested_and_dotted_keys_say_the_same(string yaml)
    {
        var service = Load(yaml).Service;
        Assert.Equal((81, null, Status.Busy, 1 << 20, 7), (service.Port, service.OfflineAfter, service.OfflineStatus, service.Limits.MessageBytes, service.Limits.MessagesPerSecond));
    }

    [Fact]
    public void A_variable_overrides_the_file()
    {
        var settings = Load("SERVICE: {port: 81, offline.after: 1s}\nAUTH: {servicename: HTTP@a}", new()
        {
            ["STATUSD_SERVICE__PORT"] = "82",
            ["STATUSD_SERVICE__OFFLINE__AFTER"] = "5m",
            ["STATUSD_AUTH__SERVICENAME"] = "HTTP@b, HTTP/c",
            ["STATUSD_AUTH__REALMS"] = "[A, 'B']",
            ["STATUSD_AUTH__KEYTAB"] = "my.keytab",
            ["STATUSD_PRIVILEGE_REDIS__PASSWORD"] = "0123",
            ["STATUSD_SYNC__PEERS"] = "[{name: beta, domains: b.example, principal: sync/b@B}]",
            ["STATUSD_CONFIG"] = "not ours: no section",
        });
        Assert.Equal(82, settings.Service.Port);
        Assert.Equal(TimeSpan.FromMinutes(5), settings.Service.OfflineAfter);
        Assert.Equal(["HTTP@b", "HTTP@c"], settings.Auth.ServiceNames);
        Assert.Equal(["A", "B"], settings.Auth.Realms);
        Assert.Equal(folder["my.keytab"], settings.Auth.Keytab);
        Assert.Equal("0123", settings.PrivilegeRedis.Server.Password?.Reveal());
        Assert.Equal("beta", Assert.Single(settings.Sync.Peers).Name);
    }

    [Fact]
    public void Origins_are_kept_as_browsers_write_them() => Assert.Equal(
        ["https://phone.example.org", "http://pbx:8080", "https://xn--80akhbyknj4f.example", "http://[::1]:8080"],
        Load("SERVICE: {origins: [HTTPS://Phone.Example.org:443, 'http://pbx:8080', https://испытание.example, 'http://[::1]:8080']}").Service.Origins);

    [Fact]
    public void A_list_may_be_one_value_and_a_key_without_a_value_is_not_set()
    {
        var auth = Load("AUTH:\n  servicename: HTTP@one\n  keytab:\n  realms: ~\nSYNC:\n").Auth;
        Assert.Equal(["HTTP@one"], auth.ServiceNames);
        Assert.Null(auth.Keytab);
        Assert.Empty(auth.Realms);
    }

    [Theory]
    [InlineData("SERVICE: {port: http}", "1: SERVICE.port: 'http' is not allowed; allowed: 0 to 65535")]
    [InlineData("SERVICE:\n  port: 65536", "2: SERVICE.port: '65536' is not allowed; allowed: 0 to 65535")]
    [InlineData("SERVICE:\n  port:", "2: SERVICE.port: has no value; allowed: 0 to 65535")]
    [InlineData("SERVICE:\n  port: [1]", "2: SERVICE.port: one value is wanted; allowed: 0 to 65535")]
    [InlineData("SERVICE:\n  port: {tcp: 1}", "2: SERVICE.port: holds a value, not keys; allowed: 0 to 65535")]
    [InlineData("SERVICE:\n  offline: 30s", "2: SERVICE.offline: holds keys, not a value; allowed: offline.after, offline.status")]
    [InlineData("SERVICE:\n  offline: {after: 30}", "2: SERVICE.offline.after: '30' is not allowed; allowed: 0s to 24h, or never")]
    [InlineData("SERVICE:\n  offline: {status: GONE}", "2: SERVICE.offline.status: 'GONE' is not allowed; allowed: ENABLE, BUSY")]
    [InlineData("SERVICE:\n  prot: 1", "2: SERVICE.prot: unknown key, did you mean port?; allowed: host, port, ")]
    [InlineData("SERVICE:\n  offline: {afetr: 1s}", "2: SERVICE.offline.afetr: unknown key, did you mean offline.after?; allowed: host")]
    [InlineData("SERVICE:\n  port: 1\n  port: 2", "3: SERVICE.port: is set twice; the first is in line 2")]
    [InlineData("SERVICE:\n  offline: {after: 1s}\n  offline.after: 1s", "3: SERVICE.offline.after: is set twice; the first is in line 2")]
    [InlineData("SERVICE: {}\nLOG: {}\nSERVICE: {}", "3: SERVICE: the section is there twice; the first is in line 1")]
    [InlineData("service: {}", "1: service: unknown section, did you mean SERVICE?; allowed: SERVICE, AUTH")]
    [InlineData("SERVICE: 1", "1: SERVICE: must hold keys with values")]
    [InlineData("SERVICE:\n  host: everywhere", "2: SERVICE.host: 'everywhere' is not allowed; allowed: an IP address")]
    [InlineData("SERVICE:\n  origins: [https://a.example/path]", "2: SERVICE.origins: 'https://a.example/path' is not allowed")]
    [InlineData("SERVICE:\n  origins:\n  - https://a.example\n  - {a: b}", "4: SERVICE.origins: a list of values is wanted")]
    [InlineData("SERVICE:\n  tls: {certificate: none.pem}", "2: SERVICE.tls.certificate: there is no file ")]
    [InlineData("SERVICE:\n  limits: {message: 1}", "2: SERVICE.limits.message: '1' is not allowed; allowed: 1KiB to 16MiB")]
    [InlineData("AUTH:\n  servicename: HTTP", "2: AUTH.servicename: 'HTTP' is not allowed; allowed: SERVICE@HOST")]
    [InlineData("AUTH:\n  close_at_ticket_end: yes", "2: AUTH.close_at_ticket_end: 'yes' is not allowed; allowed: true or false")]
    [InlineData("PRIVILEGES:\n  default: maybe", "2: PRIVILEGES.default: 'maybe' is not allowed; allowed: allow, deny")]
    [InlineData("CLUSTER:\n  shards: 33", "2: CLUSTER.shards: '33' is not allowed; allowed: a power of two, 1 to 1024")]
    [InlineData("CLUSTER:\n  host: 0.0.0.0", "2: CLUSTER.host: 0.0.0.0 is every address of this machine: set advertise")]
    [InlineData("REDIS:\n  unix: a.sock\n  endpoints: ['b:1']", "3: REDIS.endpoints: excludes unix")]
    [InlineData("REDIS:\n  endpoints: ['b']", "2: REDIS.endpoints: 'b' is not allowed; allowed: a list of HOST:PORT")]
    [InlineData("REDIS:\n  keys: {status: 'status:{id}'}", "2: REDIS.keys.status: 'status:{id}' is not allowed; allowed: a key with {uid}")]
    [InlineData("REDIS:\n  keys: {black: 'x:{uid}'}", "2: REDIS.keys.black: unknown key")]
    [InlineData("AUTH: {realms: [A, B]}\nPRIVILEGE_REDIS:\n  keys: {dname: '{user}'}", "3: PRIVILEGE_REDIS.keys.dname: without {dname} or {realm} it makes one person of two")]
    [InlineData("PRIVILEGES: {source: redis}\nPRIVILEGE_REDIS:\n  keys: {dname: 'u:{user}'}", "3: PRIVILEGE_REDIS.keys.dname: without {dname} or {realm} the realm of all names is missing")]
    [InlineData("PRIVILEGE_REDIS:\n  keys: {black: 'list:{uid}', white: 'list:{uid}'}", "2: PRIVILEGE_REDIS.keys.white: is named as keys.black is")]
    [InlineData("PRIVILEGE_REDIS:\n  keys: {dname: 'r:{realm}'}", "2: PRIVILEGE_REDIS.keys.dname: has no {dname} and no {user}")]
    [InlineData("SYNC:\n  peers:\n  - {name: b, domains: [d]}", "3: SYNC.peers[0].principal: is missing, and certificate too")]
    [InlineData("SYNC:\n  peers:\n  - {name: b, domains: [d], prinicpal: a@B, certificate: settings.yml}", "3: SYNC.peers[0].prinicpal: unknown key, did you mean principal?")]
    [InlineData("SYNC:\n  domain: D\n  peers: [{name: b, domains: [d], principal: a@B}]", "3: SYNC.peers: one has the domain d, which is this installation's own")]
    [InlineData("SYNC:\n  peers: [{name: b, domains: d, principal: a@B}, {name: c, domains: d, principal: c@B}]", "2: SYNC.peers: two have the domain d")]
    [InlineData("ADMIN:\n  url: https://a.example", "2: ADMIN.url: needs principals")]
    [InlineData("ADMIN:\n  url: http://a.example\n  principals: a@B", "2: ADMIN.url: 'http://a.example' is not allowed; allowed: https://")]
    [InlineData("LOG:\n  format: xml", "2: LOG.format: 'xml' is not allowed; allowed: text, json")]
    [InlineData("", "1: the file is empty")]
    [InlineData("# nothing\n", "1: the file is empty")]
    [InlineData("just a text", "1: the file must hold sections")]
    [InlineData("SERVICE:\n\tport: 1", "2: a tab stands in the indentation")]
    [InlineData("SERVICE:\n  port: 1\n \tdrain: 1s", "3: a tab stands in the indentation")]
    [InlineData("SERVICE: {port: 1\nLOG: {}", "1: not valid YAML")]
    [InlineData("SERVICE:\n  origins: [a, b\n", "2: not valid YAML")]
    [InlineData("SERVICE:\n  host: \"127", "2: not valid YAML")]
    [InlineData("LOG: {}\n---\nLOG: {}", "2: a second document begins")]
    [InlineData("LOG: &a {}\nSTATE: *a", "1: the anchor '&a' stands here")]
    [InlineData("STATE:\n  path: *var", "2: the alias '*var' stands here")]
    public void A_wrong_setting_is_told_with_its_place_and_what_is_allowed(string yaml, string problem) =>
        Assert.StartsWith($"{folder["settings.yml"]}:{problem}", Assert.Single(ProblemsOf(yaml)));

    [Fact]
    public void All_problems_are_told_at_once_in_the_order_of_the_file()
    {
        var problems = ProblemsOf("LOG: {level: loud}\nSERVICE:\n  port: x\n  prot: 1\nservice: {}", new()
        {
            ["STATUSD_LOG__FORMAT"] = "xml",
            ["STATUSD_LOG__FROMAT"] = "text",
        });
        Assert.Collection(
            problems,
            problem => Assert.Contains(":1: LOG.level: ", problem),
            problem => Assert.Contains(":3: SERVICE.port: ", problem),
            problem => Assert.Contains(":4: SERVICE.prot: ", problem),
            problem => Assert.Contains(":5: service: ", problem),
            problem => Assert.StartsWith("STATUSD_LOG__FORMAT: LOG.format: 'xml' is not allowed; allowed: text, json", problem),
            problem => Assert.StartsWith("STATUSD_LOG__FROMAT: unknown variable, did you mean STATUSD_LOG__FORMAT?", problem));
    }

    [Fact]
    public void A_file_that_is_not_there_or_not_UTF8_or_too_large_is_told()
    {
        Assert.Equal([$"{folder["none.yml"]}: there is no such file"], Problems(folder["none.yml"]));

        File.WriteAllBytes(folder["latin.yml"], [.. "LOG: {}\n# "u8, 0xE9, (byte)'\n']);
        Assert.Equal([$"{folder["latin.yml"]}:2: not UTF-8"], Problems(folder["latin.yml"]));

        File.WriteAllText(folder["large.yml"], new string('#', SettingsFile.MaxBytes + 1));
        Assert.Contains("larger than 1MiB", Assert.Single(Problems(folder["large.yml"])));
    }

    [Fact]
    public void A_byte_order_mark_and_windows_line_ends_are_taken()
    {
        File.WriteAllText(folder["settings.yml"], "SERVICE:\r\n  port: 81\r\n", new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        Assert.Empty(Problems(folder["settings.yml"]));
    }

    [Theory]
    [InlineData("SERVICE: {host: 0.0.0.0}", "SERVICE.host to be a loopback address")]
    [InlineData("STORAGE: {kind: redis}", "STORAGE.kind")]
    [InlineData("PRIVILEGES: {source: redis}", "PRIVILEGES.source")]
    [InlineData("SYNC: {peers: [{name: b, domains: d, principal: a@B}]}", "SYNC.peers")]
    public void Trusted_header_starts_only_where_nothing_else_depends_on_it(string yaml, string why)
    {
        var problem = Assert.Single(ProblemsOf($"{yaml}\nAUTH:\n  mode: trusted-header"));
        Assert.StartsWith($"{folder["settings.yml"]}:3: AUTH.mode: trusted-header lets everyone in", problem);
        Assert.Contains(why, problem);
    }

    [Fact]
    public void A_cluster_over_redis_keeps_its_statuses_there_and_wants_real_logins()
    {
        Assert.Equal(ClusterKind.Redis, Load("CLUSTER: {kind: redis}\nSTORAGE: {kind: redis}").Cluster.Kind);
        Assert.Contains("CLUSTER.kind: redis needs STORAGE.kind: redis", Assert.Single(ProblemsOf("CLUSTER: {kind: redis}")));
        Assert.Contains(ProblemsOf("CLUSTER: {kind: redis}\nSTORAGE: {kind: redis}\nAUTH: {mode: trusted-header}"), problem => problem.Contains("needs CLUSTER.kind to be local", StringComparison.Ordinal));
    }

    [Fact]
    public void Trusted_header_lets_unknown_uids_in_as_local_ones() =>
        Assert.True(Load("AUTH: {mode: trusted-header}").Policy is { AcceptsUnknown: true, AdmitsUnknown: true });

    [Fact]
    public void Policy_comes_of_three_sections()
    {
        var policy = Load("SYNC: {domain: Alpha.Example}\nSTORAGE: {unknown_uids: accept}\nPRIVILEGES: {default: deny}").Policy;
        Assert.Equal(("alpha.example", true, false, false), (policy.Home.ToString(), policy.AcceptsUnknown, policy.AdmitsUnknown, policy.AllowsByDefault));
    }

    [Fact]
    public void Certificates_are_named_whole()
    {
        folder.Write("a.pem", "");
        folder.Write("a.key", "");
        folder.Write("a.pfx", "");
        var tls = Load("SERVICE: {tls: {certificate: a.pem, key: a.key, password: x}}").Service.Tls;
        Assert.Equal((folder["a.pem"], folder["a.key"], false), (tls!.Certificate, tls.Key, tls.IsPkcs12));
        Assert.True(Load("SERVICE: {tls: {certificate: a.pfx}}").Service.Tls!.IsPkcs12);
        Assert.Contains("needs tls.certificate", Assert.Single(ProblemsOf("SERVICE: {tls: {key: a.key}}")));
        Assert.Contains("holds its key", Assert.Single(ProblemsOf("SERVICE: {tls: {certificate: a.pfx, key: a.key}}")));
        Assert.Contains("belong together", Assert.Single(ProblemsOf("CLUSTER: {tls: {certificate: a.pem}}")));
    }

    [Fact]
    public void Everything_of_a_distributed_deployment_can_be_said()
    {
        var settings = Load("""
            PRIVILEGES: {source: redis}
            PRIVILEGE_REDIS: {host: redis.example, port: 6380, db: 3, user: reader, password: s3cret, tls: true, sweep: 1s, keys: {dname: 'd:{user}:{realm}'}}
            REDIS: {sentinel: {service: mymaster, endpoints: ['a:26379', '[::1]:26379']}}
            STORAGE: {kind: redis, flush: 50ms}
            CLUSTER: {kind: redis, id: prod, shards: 64, host: 0.0.0.0, advertise: 10.0.0.1, silo_port: 11111, gateway_port: 30000}
            SYNC: {name: alpha, domain: alpha.example, host: '::', stale_after: 5m, peers: [{name: beta, domains: [beta.example, gamma.example], url: 'wss://beta.example:8090/', principal: sync/beta@BETA}]}
            ADMIN: {socket: /run/statusd.sock, url: 'https://localhost:9000', principals: [admin@ALPHA]}
            """);
        Assert.Equal((PrivilegesSource.Redis, StorageKind.Redis, ClusterKind.Redis), (settings.Privileges.Source, settings.Storage.Kind, settings.Cluster.Kind));
        Assert.Equal([new DnsEndPoint("a", 26379), new DnsEndPoint("::1", 26379)], settings.Redis.Server.SentinelEndpoints);
        Assert.Equal("d:{user}:{realm}", settings.PrivilegeRedis.DNameKey.Text);
        Assert.Equal(IPAddress.Parse("10.0.0.1"), settings.Cluster.Advertise);
        Assert.Equal("sync/beta@BETA", Assert.Single(settings.Sync.Peers).Principal.ToString());
        Assert.Equal(AuthMode.Kerberos, settings.Auth.Mode);
    }

    [Fact]
    public void No_message_shows_a_password()
    {
        var problems = ProblemsOf("""
            SERVICE: {tls: {password: hunter2}}
            REDIS: {password: [hunter2], endpoints: ['a:1,password=hunter2']}
            SYNC: {peers: [{name: b, domains: d, principal: a@B, url: 'wss://u:hunter2@b'}]}
            """);
        Assert.Equal(4, problems.Count);
        Assert.DoesNotContain(problems, problem => problem.Contains("hunter2", StringComparison.Ordinal));
        Assert.DoesNotContain("hunter2", $"{new Secret("hunter2")}", StringComparison.Ordinal);
    }

    [Fact]
    public void Any_text_gives_settings_or_problems_and_never_throws()
    {
        string[] bits = ["SERVICE", "LOG", "port", "level", "offline", ":", ": ", "\n", "  ", "- ", "[", "]", "{", "}", "\"", "'", "\t", "#", "&a", "*a", "|", ">", "!<&>", "%", "?", "---", "...", "\0", "é", "1"];
        Gen.OneOf(bits).Array[0, 16].Sample(parts => _ = ProblemsOf(string.Concat(parts)), iter: 1_000, threads: 1);
    }

    private static IEnumerable<(string Key, string Value)> Leaves(YamlNode node, string path) => node switch
    {
        YamlNode.Mapping map => map.Entries.SelectMany(entry => Leaves(entry.Value, path.Length == 0 ? entry.Key : $"{path}.{entry.Key}")),
        YamlNode.Sequence { Items.Count: 0 } => [(path, "")],
        YamlNode.Scalar scalar => [(path, scalar.Text)],
        _ => [(path, "a list with entries")],
    };

    private IReadOnlyList<SettingKey> AllKeys()
    {
        Assert.True(SettingsFile.TryRead(folder.Write("all.yml", "{}"), new Hashtable(), out var file, out _));
        _ = StatusdSettings.Read(file);
        return file.Keys;
    }

    private StatusdSettings Load(string yaml, Hashtable? environment = null)
    {
        var good = StatusdSettings.TryLoad(folder.Write("settings.yml", yaml), environment ?? [], out var settings, out var problems);
        Assert.True(good, string.Create(CultureInfo.InvariantCulture, $"{string.Join('\n', problems)}"));
        return settings!;
    }

    private IReadOnlyList<string> ProblemsOf(string yaml, Hashtable? environment = null) => Problems(folder.Write("settings.yml", yaml), environment);

    private static IReadOnlyList<string> Problems(string path, Hashtable? environment = null)
    {
        Assert.Equal(StatusdSettings.TryLoad(path, environment ?? [], out _, out var problems), problems.Count == 0);
        return problems;
    }

    [GeneratedRegex(@"^\| `([A-Z_]+\.[a-z_.]+)` \| `?([^|]*?)`? \| ([^|]+) \| [^|]+ \|$")]
    private static partial Regex Row { get; }
}
