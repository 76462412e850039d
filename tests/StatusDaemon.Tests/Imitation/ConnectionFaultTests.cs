using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;

namespace StatusDaemon.Imitation;

public sealed class ConnectionFaultTests
{
    [Theory]
    [InlineData(SocketError.ConnectionRefused, "nobody listens there")]
    [InlineData(SocketError.HostNotFound, "the host h is not known")]
    [InlineData(SocketError.TryAgain, "the host h is not known")]
    [InlineData(SocketError.NetworkUnreachable, "there is no way to this address")]
    [InlineData(SocketError.TimedOut, "there is no answer")]
    public void What_the_network_says_is_said_in_the_user_s_language(SocketError error, string words)
    {
        CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
        var fault = new HttpRequestException(HttpRequestError.ConnectionError, null, new SocketException((int)error));
        Assert.Equal(words, ConnectionFault.Of(fault, SslPolicyErrors.None, "h"));
        Assert.Equal(error == SocketError.ConnectionRefused, ConnectionFault.IsRefusal(fault));

        CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo("ru");
        Assert.DoesNotContain(words, ConnectionFault.Of(fault, SslPolicyErrors.None, "h"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SslPolicyErrors.RemoteCertificateNameMismatch, "its certificate is not for h: ")]
    [InlineData(SslPolicyErrors.RemoteCertificateNameMismatch | SslPolicyErrors.RemoteCertificateChainErrors, "its certificate is not for h: ")]
    [InlineData(SslPolicyErrors.RemoteCertificateChainErrors, "its certificate is not trusted by this machine: ")]
    public void A_certificate_that_was_refused_is_told_of_first(SslPolicyErrors found, string words)
    {
        CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;

        Assert.StartsWith(words, ConnectionFault.Of(new HttpRequestException(HttpRequestError.SecureConnectionError), found, "h"), StringComparison.Ordinal);
    }
}
