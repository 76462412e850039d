using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Settings;

namespace StatusDaemon.Cluster;

/// <summary>Two members over pipes in memory, each in the middle of what Orleans does with a connection.</summary>
public sealed class MemberTlsTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly TestAuthority authority = new();
    private readonly FakeTimeProvider clock = new();
    private readonly WarningLog<MemberTls> refusals = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        authority.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task Members_of_one_authority_exchange_bytes_in_both_directions()
    {
        var (dialing, accepting) = Pair();
        var sent = Enumerable.Range(0, 100_000).Select(i => (byte)i).ToArray();
        byte[]? there = null, back = null;

        await Task.WhenAll(
            Member(authority).Dial(async connection =>
            {
                await connection.Transport.Output.WriteAsync(sent, Stop);
                back = await ReadAsync(connection, sent.Length);
            })(dialing),
            Member(authority).Accept(async connection =>
            {
                there = await ReadAsync(connection, sent.Length);
                await connection.Transport.Output.WriteAsync(there, Stop);
            })(accepting));

        Assert.Equal(sent, there);
        Assert.Equal(sent, back);
    }

    [Fact]
    public async Task Nothing_crosses_the_wire_in_clear_and_the_transport_is_put_back()
    {
        var (dialing, accepting) = Pair();
        var wire = accepting.Transport;
        var accepted = new TaskCompletionSource(); // from then on the wire carries what is written and no handshake

        await Task.WhenAll(
            Member(authority).Dial(async connection =>
            {
                await accepted.Task;
                await connection.Transport.Output.WriteAsync("a secret"u8.ToArray(), Stop);
            })(dialing),
            Member(authority).Accept(async connection =>
            {
                Assert.NotSame(wire, connection.Transport);
                accepted.SetResult();
                var onTheWire = (await wire.Input.ReadAsync(Stop)).Buffer;
                Assert.True(onTheWire.FirstSpan.IndexOf("a secret"u8) < 0);
                wire.Input.AdvanceTo(onTheWire.End);
            })(accepting));

        Assert.Same(wire, accepting.Transport);
    }

    [Fact]
    public async Task A_member_does_not_talk_to_a_listener_of_another_authority()
    {
        using var other = new TestAuthority();
        var (dialing, accepting) = Pair();
        var accepted = Member(other).Accept(Unreachable)(accepting);

        var refusal = await Assert.ThrowsAsync<AuthenticationException>(() => Member(authority).Dial(Unreachable)(dialing));
        await dialing.Transport.Output.CompleteAsync();
        await accepted;

        Assert.Contains("PartialChain", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, "NotTimeValid", TestAuthority.ClientAuthentication, TestAuthority.ServerAuthentication)]
    [InlineData(100, "NotValidForUsage", TestAuthority.ServerAuthentication)]
    public async Task A_certificate_of_the_authority_that_is_expired_or_for_servers_alone_does_not_make_a_member(int days, string reason, params string[] purposes)
    {
        using var certificate = authority.Sign(days, purposes);
        var (dialing, accepting) = Pair();
        var accepted = Member(authority).Accept(Unreachable)(accepting);
        await using var tls = new SslStream(new DuplexPipeStream(dialing.Transport));

        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate,
            RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
        }, Stop);
        await accepted;

        Assert.Contains(reason, await refusals.Lines.ReadAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_that_never_finishes_its_handshake_is_dropped_at_the_limit()
    {
        var (dialing, accepting) = Pair();
        var accepted = Member(authority).Accept(Unreachable)(accepting);
        await dialing.Transport.Output.WriteAsync(new byte[] { 0x16, 0x03, 0x01 }, Stop); // the first bytes of a ClientHello

        clock.Advance(MemberTls.HandshakeLimit - TimeSpan.FromMilliseconds(1));
        Assert.False(accepted.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await accepted;

        Assert.Contains("no handshake within 5 s", await refusals.Lines.ReadAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Orleans_ends_a_connection_by_cancelling_the_read_below()
    {
        var (dialing, accepting) = Pair();
        var wire = accepting.Transport;

        await Task.WhenAll(
            Member(authority).Dial(async connection => Assert.True((await connection.Transport.Input.ReadAsync(Stop)).IsCompleted))(dialing),
            Member(authority).Accept(async connection =>
            {
                var read = connection.Transport.Input.ReadAsync(Stop);
                wire.Input.CancelPendingRead();
                Assert.True((await read).IsCompleted);
                await wire.Output.CompleteAsync();
            })(accepting));
    }

    private static Task Unreachable(ConnectionContext connection) => throw new InvalidOperationException("The peer was let in.");

    private static async Task<byte[]> ReadAsync(ConnectionContext connection, int count)
    {
        var bytes = new byte[count];
        await connection.Transport.Input.AsStream().ReadExactlyAsync(bytes, Stop);
        return bytes;
    }

    private static (ConnectionContext Dialing, ConnectionContext Accepting) Pair()
    {
        var (there, back) = (new Pipe(), new Pipe());
        return (new DefaultConnectionContext("dialing", new Ends(back.Reader, there.Writer), new Ends(there.Reader, back.Writer)),
            new DefaultConnectionContext("accepting", new Ends(there.Reader, back.Writer), new Ends(back.Reader, there.Writer)));
    }

    private MemberTls Member(TestAuthority authority)
    {
        using var certificate = authority.SignMember();
        return new MemberTls(MemberCertificates.Load(authority.Write(folder.Path, certificate)), clock, refusals);
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
