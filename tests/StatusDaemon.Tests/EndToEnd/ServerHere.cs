using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StatusDaemon.Settings;

namespace StatusDaemon.EndToEnd;

/// <summary>A whole server in the process of the tests, for those that disturb it from within.</summary>
internal sealed class ServerHere : IListening, IAsyncDisposable
{
    private readonly TempFolder folder = new();
    private StatusdServer? server;

    private ServerHere()
    {
    }

    /// <inheritdoc/>
    public int Port { get; private set; }

    /// <inheritdoc/>
    public bool IsTls { get; private init; }

    /// <summary>Its parts.</summary>
    public IServiceProvider Services => server!.Services;

    /// <summary>Starts one with one shard, in trusted-header mode.</summary>
    public static async Task<ServerHere> StartAsync(bool tls = false)
    {
        var here = new ServerHere { IsTls = tls };
        var certificate = tls ? LocalCertificate.MakeIn(here.folder) : null;
        here.folder.Write("directory.yml", "subscribers: []");
        var settings = here.folder.Write("settings.yml", $$"""
            AUTH: { mode: trusted-header }
            SERVICE: { port: 0{{(certificate is null ? "" : $", tls: {{ certificate: {certificate.Path}, key: {certificate.KeyPath} }}")}} }
            STATE: { path: var }
            CLUSTER: { shards: 1 }
            LOG: { level: critical }
            """);
        here.server = await StatusdServer.CreateAsync(settings, ServerModules.All, TestContext.Current.CancellationToken);
        here.Port = (await here.server.StartAsync(TestContext.Current.CancellationToken)).Gateway!.Address.Port;
        return here;
    }

    /// <summary>Waits until it has stopped.</summary>
    /// <returns>Whether it was asked to, and no part of it failed.</returns>
    public Task<bool> EndedAsync() => server!.WaitAsync(TestContext.Current.CancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
            await EndedAsync();
            await server.DisposeAsync();
        }

        folder.Dispose();
    }
}
