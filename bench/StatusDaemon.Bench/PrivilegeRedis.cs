using System.Diagnostics;
using System.Globalization;
using StackExchange.Redis;
using StatusDaemon.Load;

namespace StatusDaemon.Bench;

/// <summary>A redis-server of a bench's own, with the keys of a privilege service.</summary>
internal sealed class PrivilegeRedis : IAsyncDisposable
{
    private const int AtOnce = 2000;

    private readonly string folder;
    private readonly Process process;
    private readonly ConnectionMultiplexer connection;

    private PrivilegeRedis(int port, string folder, Process process, ConnectionMultiplexer connection)
    {
        Port = port;
        this.folder = folder;
        this.process = process;
        this.connection = connection;
    }

    /// <summary>Its TCP port on loopback.</summary>
    public int Port { get; }

    /// <summary>For commands, as the privilege service gives them.</summary>
    public IDatabase Commands => connection.GetDatabase();

    /// <summary>Starts one that tells of changes and keeps nothing.</summary>
    public static async Task<PrivilegeRedis> StartAsync()
    {
        var port = FreePorts.Next();
        var folder = Directory.CreateTempSubdirectory("statusd-bench-").FullName;
        var start = new ProcessStartInfo("redis-server", ["--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--notify-keyspace-events", "KA"]) { RedirectStandardOutput = true };
        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        return new PrivilegeRedis(port, folder, process, await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port},connectRetry=50"));
    }

    /// <summary>Writes subscribers with a name, a number, a description, and two selectors in the black list.</summary>
    public async Task FillAsync(int people)
    {
        foreach (var chunk in Enumerable.Range(0, people).Chunk(AtOnce))
        {
            var batch = Commands.CreateBatch();
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
        await connection.DisposeAsync();
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
