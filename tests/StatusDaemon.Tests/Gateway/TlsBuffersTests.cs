using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StatusDaemon.Gateway;

public sealed class TlsBuffersTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task This_runtime_can_be_asked_and_what_is_sent_afterwards_arrives()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var near = new TcpClient();
        await near.ConnectAsync((IPEndPoint)listener.LocalEndpoint, Stop);
        using var far = await listener.AcceptTcpClientAsync(Stop);
        await using var client = new SslStream(near.GetStream(), leaveInnerStreamOpen: false, static (_, certificate, _, _) => certificate?.Subject == "CN=localhost");
        await using var server = new SslStream(far.GetStream());
        using var certificate = NewCertificate();
        await Task.WhenAll(client.AuthenticateAsClientAsync("localhost"), server.AuthenticateAsServerAsync(certificate));

        Assert.True(TlsBuffers.TryReleaseWhileEmpty(server));

        foreach (var length in (int[])[1, 100_000, 7])
        {
            var sent = RandomNumberGenerator.GetBytes(length);
            Assert.Equal(sent, await PassAsync(client, server, sent));
            Assert.Equal(sent, await PassAsync(server, client, sent));
        }
    }

    [Fact]
    public void A_stream_without_a_handshake_is_left_alone()
    {
        using var stream = new SslStream(new MemoryStream());
        Assert.False(TlsBuffers.TryReleaseWhileEmpty(stream));
    }

    private static async Task<byte[]> PassAsync(SslStream from, SslStream to, byte[] bytes)
    {
        var writing = from.WriteAsync(bytes, Stop).AsTask();
        var received = new byte[bytes.Length];
        await to.ReadExactlyAsync(received, Stop);
        await writing;
        return received;
    }

    private static X509Certificate2 NewCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
