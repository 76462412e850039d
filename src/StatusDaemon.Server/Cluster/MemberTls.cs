using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Cluster;

/// <summary>Mutual TLS on every connection between members, below the messages of Orleans.</summary>
/// <remarks>
/// Nothing of a peer reaches Orleans before its certificate is accepted. A refused peer costs one handshake and one line
/// in the log; the listener goes on. Sessions are not resumed: members connect rarely, and each time show a certificate.
/// </remarks>
internal sealed partial class MemberTls(MemberCertificates certificates, TimeProvider clock, ILogger<MemberTls> logger)
{
    /// <summary>Longest time from the first byte to an accepted certificate.</summary>
    public static readonly TimeSpan HandshakeLimit = TimeSpan.FromSeconds(5);

    // One TLS record holds 16 KiB; smaller buffers would cut a batch into more records.
    private const int RecordBytes = 16 * 1024;
    private static readonly StreamPipeReaderOptions ReaderOptions = new(bufferSize: RecordBytes, leaveOpen: true);
    private static readonly StreamPipeWriterOptions WriterOptions = new(minimumBufferSize: RecordBytes, leaveOpen: true);

    /// <summary>For connections that others open to us.</summary>
    public ConnectionDelegate Accept(ConnectionDelegate next) => connection => AcceptAsync(connection, next);

    /// <summary>For connections that we open.</summary>
    public ConnectionDelegate Dial(ConnectionDelegate next) => connection => DialAsync(connection, next);

    private async Task AcceptAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        await using var tls = Wrap(connection);
        var peer = new PeerCheck();
        var refusal = await TryHandshakeAsync(peer, stop => tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificates.Own,
            ClientCertificateRequired = true,
            CertificateChainPolicy = certificates.DialingMember,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => peer.IsMember(certificate, chain, errors),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowRenegotiation = false,
            AllowTlsResume = false,
        }, stop));
        if (refusal is not null)
        {
            LogRefused(connection.RemoteEndPoint, connection.LocalEndPoint, refusal);
            return;
        }

        await RunAsync(connection, tls, next);
    }

    private async Task DialAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        await using var tls = Wrap(connection);
        var peer = new PeerCheck();
        var refusal = await TryHandshakeAsync(peer, stop => tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = string.Empty, // a member is known by its authority, not by a name
            ClientCertificateContext = certificates.Own,
            CertificateChainPolicy = certificates.DialedMember,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => peer.IsMember(certificate, chain, errors),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowRenegotiation = false,
            AllowTlsResume = false,
        }, stop));
        if (refusal is not null)
        {
            throw new AuthenticationException($"{connection.RemoteEndPoint} is not a member: {refusal}"); // Orleans logs it and tries again
        }

        await RunAsync(connection, tls, next);
    }

    private static SslStream Wrap(ConnectionContext connection) =>
        new(new DuplexPipeStream(connection.Transport), leaveInnerStreamOpen: true);

    /// <returns>Why the peer is not let in; null when it is.</returns>
    private async Task<string?> TryHandshakeAsync(PeerCheck peer, Func<CancellationToken, Task> handshake)
    {
        using var limit = new CancellationTokenSource(HandshakeLimit, clock);
        try
        {
            await handshake(limit.Token);
            return null;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return $"no handshake within {HandshakeLimit.TotalSeconds} s";
        }
        catch (Exception e) when (e is AuthenticationException or IOException or OperationCanceledException)
        {
            return peer.Refusal ?? e.InnerException?.Message ?? e.Message;
        }
    }

    private static async Task RunAsync(ConnectionContext connection, SslStream tls, ConnectionDelegate next)
    {
        var plain = connection.Transport;
        connection.Transport = new TlsPipe(PipeReader.Create(tls, ReaderOptions), PipeWriter.Create(tls, WriterOptions));
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = plain;
        }
    }

    [LoggerMessage(3301, LogLevel.Warning, "Refused a connection from {Remote} to the member port {Local}: {Reason}")]
    private partial void LogRefused(EndPoint? remote, EndPoint? local, string reason);

    private sealed record TlsPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>The verdict on one peer's certificate, kept in words because the exception only says that there was one.</summary>
    private sealed class PeerCheck
    {
        public string? Refusal { get; private set; }

        public bool IsMember(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            Refusal = (certificate, errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) switch
            {
                (null, _) => "it showed no certificate",
                (_, SslPolicyErrors.None) => null,
                _ => $"its certificate '{certificate.Subject}' is not valid here ({MemberCertificates.Describe(chain!)})",
            };
            return Refusal is null;
        }
    }
}
