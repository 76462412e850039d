using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;
using StatusDaemon.Load;

namespace StatusDaemon.Bench;

/// <summary>A redis-server of a bench's own, with the keys of a privilege service.</summary>
internal sealed class PrivilegeRedis : IAsyncDisposable
{
    private const int AtOnce = 2000;

    /// <summary>As docs/operations.md advises.</summary>
    private static readonly string[] Durable = ["--appendonly", "yes", "--appendfsync", "everysec"];

    private readonly string folder = Directory.CreateTempSubdirectory("statusd-bench-").FullName;
    private readonly string[] options;
    private Process? process;
    private ConnectionMultiplexer? connection;

    private PrivilegeRedis(string[] options)
    {
        this.options = options;
        process = Launch();
    }

    /// <summary>Its TCP port on loopback; the same after it was killed.</summary>
    public int Port { get; } = FreePorts.Next();

    /// <summary>For commands, as the privilege service gives them.</summary>
    public IDatabase Commands => Database(0);

    /// <summary>Starts one that tells of changes.</summary>
    /// <param name="isDurable">Whether it keeps them, too.</param>
    public static async Task<PrivilegeRedis> StartAsync(bool isDurable = false)
    {
        var redis = new PrivilegeRedis(isDurable ? Durable : []);
        await redis.ConnectAsync();
        return redis;
    }

    /// <summary>For commands in one of its databases.</summary>
    public IDatabase Database(int number) => connection!.GetDatabase(number);

    /// <summary>Ends it as kill -9 does.</summary>
    public async Task KillAsync()
    {
        if (process is not null)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            process = null;
        }

        if (connection is not null)
        {
            await connection.DisposeAsync();
            connection = null;
        }
    }

    /// <summary>Starts it again over what it left; returns when it answers.</summary>
    public async Task StartAgainAsync()
    {
        process = Launch();
        while (!await AnswersAsync())
        {
            await Task.Delay(2);
        }

        await ConnectAsync();
    }

    /// <summary>Writes subscribers with a name, a number, a description, and two selectors in the black list.</summary>
    public async Task FillAsync(int people, int database = 0)
    {
        foreach (var chunk in Enumerable.Range(0, people).Chunk(AtOnce))
        {
            var batch = Database(database).CreateBatch();
            List<Task> written = [];
            foreach (var person in chunk)
            {
                var (uid, dname, number) = (UidOf(person), $"{NameOf(person)}@ALPHA.TEST", $"7{person}");
                written.Add(batch.StringSetAsync([new($"dname:{dname}", uid), new($"number:{number}", uid)]));
                written.Add(batch.HashSetAsync($"subscriber:{uid}", [new("dname", dname), new("numbers", number), new("domain", "alpha.test"), new("name", $"Subscriber {person}")]));
                written.Add(batch.SetAddAsync($"black:{uid}", ["number:9*", "domain:elsewhere.test"]));
            }

            batch.Execute();
            await Task.WhenAll(written);
        }
    }

    /// <summary>The UID of a number of the crowd.</summary>
    public static string UidOf(int person) => string.Create(CultureInfo.InvariantCulture, $"6f000000-0000-4000-8000-{person:D12}");

    /// <summary>The user part of its domain name.</summary>
    public static string NameOf(int person) => string.Create(CultureInfo.InvariantCulture, $"user{person}");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(folder, recursive: true);
    }

    private Process Launch()
    {
        var start = new ProcessStartInfo("redis-server", ["--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--notify-keyspace-events", "KA", .. options]) { RedirectStandardOutput = true };
        var launched = Process.Start(start)!;
        launched.OutputDataReceived += static (_, _) => { };
        launched.BeginOutputReadLine();
        return launched;
    }

    private async Task ConnectAsync() => connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{Port},connectRetry=50");

    /// <summary>Asks as <c>redis-cli ping</c> does: a library would wait between its attempts.</summary>
    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, Port);
            await socket.SendAsync("PING\r\n"u8.ToArray());
            var answer = new byte[64]; // +PONG, or -LOADING
            return await socket.ReceiveAsync(answer) > 0 && answer[0] == (byte)'+';
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
