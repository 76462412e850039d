using StackExchange.Redis;
using StatusDaemon.EndToEnd;
using StatusDaemon.Redis;
using StatusDaemon.Settings;

namespace StatusDaemon.Storage;

/// <summary>A Redis that speaks TLS alone, asks clients for a certificate and wants a password.</summary>
public sealed class RedisTlsStoreTests : RedisStatusStoreContract
{
    private readonly TempFolder folder = new();
    private RedisProcess redis = null!;
    private LocalCertificate certificate = null!;

    private protected override RedisOptions Options => redis.TlsOptions(certificate);

    private protected override IDatabase Others => redis.Commands;

    public override async ValueTask InitializeAsync()
    {
        certificate = LocalCertificate.MakeIn(folder);
        redis = await RedisProcess.StartTlsAsync(certificate);
    }

    public override async ValueTask DisposeAsync()
    {
        await redis.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_server_that_nobody_vouches_for_is_refused_in_words()
    {
        using var other = new TempFolder();
        var options = new RedisOptions { Port = redis.TlsPort, Tls = true, TlsAuthority = LocalCertificate.MakeIn(other).Path, TlsCertificate = certificate.Path, TlsKey = certificate.KeyPath, Password = new Secret("open sesame") };
        var refusal = await Assert.ThrowsAsync<StoreException>(() => OpenRedisAsync(options));
        Assert.Contains("do not agree about TLS; see REDIS.tls and the keys beside it", refusal.Message, StringComparison.Ordinal);
    }

    private protected override Task FlushAsync() => redis.Server.FlushAllDatabasesAsync();
}
