using System.Net.Security;
using System.Net.Sockets;
using StatusDaemon.Language;

namespace StatusDaemon.Imitation;

/// <summary>Why no connection came about, in the user's language.</summary>
internal static class ConnectionFault
{
    /// <summary>Part of a sentence, without a full stop.</summary>
    /// <param name="certificate">What the TLS handshake found wrong with the server's certificate.</param>
    public static string Of(Exception fault, SslPolicyErrors certificate, string host)
    {
        if (certificate.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return Text.FaultCertificateName.With(host);
        }

        if (certificate != SslPolicyErrors.None)
        {
            return Text.FaultCertificateTrust;
        }

        var causes = Causes(fault).ToArray();
        return (causes.OfType<HttpRequestException>().FirstOrDefault()?.HttpRequestError, causes.OfType<SocketException>().FirstOrDefault()?.SocketErrorCode) switch
        {
            (_, SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData or SocketError.NoRecovery) => Text.FaultHostUnknown.With(host),
            (_, SocketError.ConnectionRefused) => Text.FaultRefused,
            (_, SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.NetworkDown or SocketError.AddressNotAvailable) => Text.FaultUnreachable,
            (_, SocketError.TimedOut) => Text.FaultTimeout,
            (HttpRequestError.SecureConnectionError, _) => Text.FaultTls,
            (HttpRequestError.ResponseEnded or HttpRequestError.InvalidResponse, _) or (_, SocketError.ConnectionReset) => Text.FaultNotHttp,
            _ => fault.GetBaseException().Message,
        };
    }

    /// <summary>Whether nobody listens there: then the server is most likely not started.</summary>
    public static bool IsRefusal(Exception fault) => Causes(fault).Any(cause => cause is SocketException { SocketErrorCode: SocketError.ConnectionRefused });

    private static IEnumerable<Exception> Causes(Exception fault)
    {
        for (var cause = fault; cause is not null; cause = cause.InnerException)
        {
            yield return cause;
        }
    }
}
