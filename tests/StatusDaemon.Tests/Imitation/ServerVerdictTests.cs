using System.Net;
using StatusDaemon.Protocol;

namespace StatusDaemon.Imitation;

public sealed class ServerVerdictTests
{
    [Theory]
    [InlineData(CloseCode.Normal, typeof(Ending.Done))]
    [InlineData(CloseCode.GoingAway, typeof(Ending.Refused))]
    [InlineData(CloseCode.ProtocolError, typeof(Ending.Refused))]
    [InlineData(CloseCode.PolicyViolation, typeof(Ending.Refused))]
    [InlineData(CloseCode.MessageTooBig, typeof(Ending.Refused))]
    [InlineData(CloseCode.InternalError, typeof(Ending.Lost))]
    [InlineData(CloseCode.ServiceRestart, typeof(Ending.Lost))]
    [InlineData(CloseCode.TryAgainLater, typeof(Ending.Lost))]
    [InlineData((CloseCode)4999, typeof(Ending.Refused))]
    [InlineData(null, typeof(Ending.Lost))]
    public void A_close_code_says_whether_to_come_back(CloseCode? code, Type ending) => Assert.IsType(ending, ServerVerdict.Of(code, null));

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, typeof(Ending.Refused))]
    [InlineData(HttpStatusCode.Forbidden, typeof(Ending.Refused))]
    [InlineData(HttpStatusCode.NotFound, typeof(Ending.Refused))]
    [InlineData(HttpStatusCode.TooManyRequests, typeof(Ending.Lost))]
    [InlineData(HttpStatusCode.ServiceUnavailable, typeof(Ending.Lost))]
    public void An_HTTP_status_says_whether_to_come_back(HttpStatusCode status, Type ending) => Assert.IsType(ending, ServerVerdict.Of(status, null));

    [Fact]
    public void Every_close_code_of_the_protocol_has_words_of_its_own()
    {
        var reasons = Enum.GetValues<CloseCode>().Except([CloseCode.Normal]).Select(code => ServerVerdict.Of(code, null).ToString()).ToArray();

        Assert.Equal(reasons.Length, reasons.Distinct().Count());
    }

    [Fact]
    public void The_words_of_the_server_are_passed_on()
    {
        Assert.Contains("(drain)", ServerVerdict.Of(CloseCode.ServiceRestart, " drain\n").ToString(), StringComparison.Ordinal);
        Assert.Contains("403", ServerVerdict.Of(HttpStatusCode.Forbidden, "mallory@R").ToString(), StringComparison.Ordinal);
        Assert.Contains("(mallory@R)", ServerVerdict.Of(HttpStatusCode.Forbidden, "mallory@R").ToString(), StringComparison.Ordinal);
    }
}
