using System.Net.WebSockets;
using System.Security.Cryptography;
using StackExchange.Redis;
using StatusDaemon.Auth;
using StatusDaemon.Load;

namespace StatusDaemon.Chaos;

/// <summary>Two daemons, two gateways and a Redis, each on a host of its own, set up as docs/operations.md says.</summary>
internal sealed class Installation : IAsyncDisposable
{
    /// <summary><c>SERVICE.offline.after</c>.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);

    /// <summary><c>CLUSTER.shards</c>, as it is by default.</summary>
    public const int Shards = 32;

    private const string Service = "HTTP/chaos.test";
    private const int RedisPort = 6379;
    private const int PrivilegeDatabase = 1;
    private const int ServicePort = 8080;

    private readonly string folder = Directory.CreateTempSubdirectory("statusd-chaos-").FullName;
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    private readonly Network network = new();
    private ConnectionMultiplexer? connection;
    private bool wasEmptied;

    /// <param name="logs">A folder for what the members print.</param>
    public Installation(string logs)
    {
        Directory.CreateDirectory(logs);
        var host = network.Add("redis");
        Redis = new Member(
            host,
            ["redis-server", "--port", $"{RedisPort}", "--bind", $"{host.Address}", "--protected-mode", "no", "--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--notify-keyspace-events", "KA"],
            new Dictionary<string, string>(),
            Path.Combine(logs, "redis.log"));
        File.WriteAllBytes(Path.Combine(folder, "keytab"), ForgedTicket.Keytab(key, 1, Service));
        File.WriteAllText(Path.Combine(folder, "settings.yml"), $$"""
            AUTH: { keytab: keytab, servicename: HTTP@chaos.test }
            SERVICE: { port: {{ServicePort}}, offline: { after: {{Grace.TotalSeconds}}s } }
            STORAGE: { kind: redis }
            REDIS: { host: {{host.Address}}, port: {{RedisPort}} }
            PRIVILEGES: { source: redis }
            PRIVILEGE_REDIS: { host: {{host.Address}}, port: {{RedisPort}}, db: {{PrivilegeDatabase}} }
            CLUSTER: { kind: redis, silo_port: 11111, gateway_port: 30000 }

            """);
        Daemons = [.. Enumerable.Range(1, 2).Select(number => MemberOf("daemon", $"daemon{number}", logs))];
        Gateways = [.. Enumerable.Range(1, 2).Select(number => MemberOf("ws-server", $"gateway{number}", logs))];
    }

    /// <summary>The status and privilege database.</summary>
    public Member Redis { get; }

    /// <summary>The daemons.</summary>
    public IReadOnlyList<Member> Daemons { get; }

    /// <summary>The gateways.</summary>
    public IReadOnlyList<Member> Gateways { get; }

    /// <summary>All of them.</summary>
    public IEnumerable<Member> All => [Redis, .. Daemons, .. Gateways];

    /// <summary>Statuses, as another program writes them.</summary>
    public IDatabase Statuses => connection!.GetDatabase();

    /// <summary>Privileges, as the privilege service writes them.</summary>
    public IDatabase Privileges => connection!.GetDatabase(PrivilegeDatabase);

    /// <summary>Starts all, and waits until clients may come.</summary>
    public async Task StartAsync(IEnumerable<Person> people)
    {
        Redis.Start();
        var options = ConfigurationOptions.Parse($"{Redis.Host.Address}:{RedisPort},abortConnect=false");
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.AllowAdmin = true; // to empty it
        connection = await ConnectionMultiplexer.ConnectAsync(options);
        while (!connection.IsConnected)
        {
            await Task.Delay(10);
        }

        foreach (var person in people)
        {
            await Privileges.StringSetAsync($"dname:{person.Name}@ALPHA.TEST", person.UidText);
            await Privileges.HashSetAsync($"subscriber:{person.UidText}", [new("dname", $"{person.Name}@ALPHA.TEST"), new("domain", "alpha.test")]);
        }

        await ShareAuthorityAsync();
        foreach (var member in Daemons.Concat(Gateways).Where(member => !member.Runs))
        {
            member.Start();
        }

        foreach (var gateway in Gateways)
        {
            await ReadyAsync(gateway);
        }
    }

    /// <summary>Waits until a gateway has reached all shards.</summary>
    public static async Task ReadyAsync(Member gateway)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(1) };
        for (var tries = 0; tries < 600; tries++)
        {
            if (await http.IsReadyAsync(new Uri($"http://{gateway.Host.Address}:{ServicePort}")))
            {
                return;
            }

            await Task.Delay(50);
        }

        throw new TimeoutException($"{gateway.Name} did not get ready.");
    }

    /// <summary>Logs somebody in.</summary>
    public async Task<ClientWebSocket> ConnectAsync(Member gateway, Person who, CancellationToken stop)
    {
        var ticket = ForgedTicket.Good(key) with { Service = Service, Client = who.Name };
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.SetRequestHeader("Authorization", $"Negotiate {Convert.ToBase64String(ticket.ToToken())}");
            socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(1);
            socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(3);
            await socket.ConnectAsync(new Uri($"ws://{gateway.Host.Address}:{ServicePort}/pubsub"), stop);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Whether each daemon has shards, as Redis has it.</summary>
    public async Task<bool> IsSpreadAsync()
    {
        try
        {
            var places = await Statuses.StringGetAsync([.. Enumerable.Range(0, Shards).Select(shard => new RedisKey($"statusd:cluster:statusd/directory/statusd.shard/{shard:X}"))]);
            return (wasEmptied && places.Any(place => place.IsNull))
                || Daemons.All(daemon => places.Any(place => ((string?)place)?.Contains($"{daemon.Host.Address}:", StringComparison.Ordinal) == true));
        }
        catch (RedisException)
        {
            return false; // it was away for the fault before, and is found again
        }
    }

    /// <summary>Takes all statuses out of Redis, who is a member of the cluster, and where shards are: of that it has from then on what begins anew.</summary>
    public async Task EmptyAsync()
    {
        wasEmptied = true;
        for (var isDone = false; !isDone;)
        {
            try
            {
                await Statuses.ExecuteAsync("FLUSHDB");
                isDone = true;
            }
            catch (RedisException)
            {
                await Task.Delay(50); // it was away for the fault before, and is found again
            }
        }
    }

    /// <summary>Puts the network together again.</summary>
    public void Heal() => network.Heal();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var member in All.Reverse())
        {
            member.Dispose();
        }

        if (connection is not null)
        {
            await connection.DisposeAsync();
        }

        network.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private Member MemberOf(string module, string name, string logs)
    {
        var host = network.Add(name);
        return new Member(
            host,
            ["dotnet", Path.Combine(AppContext.BaseDirectory, "statusd.dll"), module, "--config", Path.Combine(folder, "settings.yml")],
            new Dictionary<string, string>
            {
                ["LC_ALL"] = "C.UTF-8",
                ["STATUSD_STATE__PATH"] = StateOf(name),
                ["STATUSD_SERVICE__HOST"] = host.Address.ToString(),
                ["STATUSD_CLUSTER__HOST"] = host.Address.ToString(),
            },
            Path.Combine(logs, $"{name}.log"));
    }

    private string StateOf(string name) => Path.Combine(folder, $"var-{name}");

    /// <summary>The first daemon makes the authority, and the others get a copy.</summary>
    private async Task ShareAuthorityAsync()
    {
        var made = Path.Combine(StateOf(Daemons[0].Name), "cluster", "authority.pem");
        Daemons[0].Start();
        while (!File.Exists(made))
        {
            await Task.Delay(10);
        }

        foreach (var member in Daemons.Skip(1).Concat(Gateways))
        {
            var copy = Path.Combine(StateOf(member.Name), "cluster", "authority.pem");
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.Copy(made, copy);
        }
    }
}
