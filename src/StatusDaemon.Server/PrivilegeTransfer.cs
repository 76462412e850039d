using System.Collections;
using StatusDaemon.Directories;
using StatusDaemon.Redis;

namespace StatusDaemon;

/// <summary>Carries subscribers and rules between a directory file and the privilege database of the settings.</summary>
public sealed class PrivilegeTransfer : IAsyncDisposable
{
    private readonly StatusdSettings settings;
    private readonly RedisConnection connection;
    private readonly PrivilegeKeys keys;
    private readonly PrivilegeDatabase database;

    private PrivilegeTransfer(StatusdSettings settings)
    {
        this.settings = settings;
        connection = new RedisConnection(settings.PrivilegeRedis.Server, "PRIVILEGE_REDIS");
        keys = new PrivilegeKeys(settings.PrivilegeRedis, settings.RealmOfKeys);
        database = new PrivilegeDatabase(connection, keys);
    }

    /// <summary>Where the database is, for people.</summary>
    public string Address => connection.Address;

    /// <summary>Reads the settings and connects.</summary>
    /// <param name="environment">The variables <c>STATUSD_SECTION__KEY</c> that override them, among others.</param>
    /// <exception cref="StartException">The settings are wrong, or the database is not there.</exception>
    public static async Task<PrivilegeTransfer> OpenAsync(string settingsPath, IDictionary environment, CancellationToken stop)
    {
        if (!StatusdSettings.TryLoad(settingsPath, environment, out var settings, out var problems))
        {
            throw new StartException(string.Join('\n', problems));
        }

        var transfer = new PrivilegeTransfer(settings);
        try
        {
            return await RunAsync(async () =>
            {
                await transfer.connection.ConnectAsync(stop);
                return transfer;
            });
        }
        catch
        {
            await transfer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Compares the database with a directory file.</summary>
    /// <returns>What would make the database say what the file says, subscriber by subscriber.</returns>
    /// <exception cref="StartException">The file is bad, or the database is away or holds something else under keys of ours.</exception>
    public Task<IReadOnlyList<PrivilegeChange>> CompareAsync(string file, CancellationToken stop) => RunAsync(async () =>
    {
        if (!DirectoryFile.TryRead(file, settings.Policy, revision: 1, out var directory, out var wrong))
        {
            throw new StartException(string.Join('\n', wrong));
        }

        List<string> problems = [];
        var wanted = PrivilegeContent.Of(directory.Snapshot, keys, problems);
        var present = await database.ReadAsync(misnamed: [], mistyped: problems, stop);
        return problems.Count == 0 ? PrivilegeContent.Changes(present, wanted) : throw new StartException(string.Join('\n', problems));
    });

    /// <summary>Makes changes to the database.</summary>
    /// <exception cref="StartException">It is away, or refuses us.</exception>
    public Task ApplyAsync(IEnumerable<PrivilegeChange> changes, CancellationToken stop) => RunAsync(async () =>
    {
        await database.ApplyAsync(changes, stop);
        return true;
    });

    /// <summary>Makes a directory file from the database.</summary>
    /// <exception cref="StartException">It is away, or refuses us.</exception>
    public Task<PrivilegeExport> ExportAsync(CancellationToken stop) => RunAsync(async () =>
    {
        List<string> leftOut = [];
        var content = await database.ReadAsync(leftOut, leftOut, stop);
        var subscribers = new PrivilegeExporter(keys, leftOut).Read(content).ToArray();
        return new PrivilegeExport(DirectoryYaml.Write(subscribers), subscribers.Length, leftOut);
    });

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private static async Task<T> RunAsync<T>(Func<Task<T>> run)
    {
        try
        {
            return await run();
        }
        catch (RedisAwayException e)
        {
            throw new StartException(e.Message, e);
        }
    }
}
