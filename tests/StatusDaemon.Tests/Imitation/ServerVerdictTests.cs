using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
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
    public void An_HTTP_status_says_whether_to_come_back(HttpStatusCode status, Type ending) => Assert.IsType(ending, ServerVerdict.Of(status, null, null));

    [Fact]
    public void Every_close_code_of_the_protocol_has_words_of_its_own()
    {
        var reasons = Enum.GetValues<CloseCode>().Except([CloseCode.Normal]).Select(code => ServerVerdict.Of(code, null).ToString()).ToArray();

        Assert.Equal(reasons.Length, reasons.Distinct().Count());
    }

    [Fact]
    public void The_words_of_the_server_are_passed_on()
    {
        CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;

        Assert.Equal(
            new Ending.Refused("403: the server knows no subscriber of this name. The server says: mallory@R is not a subscriber here."),
            ServerVerdict.Of(HttpStatusCode.Forbidden, " mallory@R is not a subscriber here.\n", null));
        Assert.Equal(
            new Ending.Refused("1002: the server saw an error in the WebSocket protocol. The server says: unmasked frame"), ServerVerdict.Of(CloseCode.ProtocolError, "unmasked frame"));
    }

    [Theory]
    [InlineData(CloseCode.ServiceRestart, "the server restarts")]
    [InlineData(CloseCode.GoingAway, "the server stops")]
    public void What_the_code_says_is_not_said_twice(CloseCode code, string reason) => Assert.Equal(ServerVerdict.Of(code, null), ServerVerdict.Of(code, reason));

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, true)]
    [InlineData(HttpStatusCode.Forbidden, false)]
    public void Only_a_ticket_that_was_not_taken_is_worth_one_more_login(HttpStatusCode status, bool onceMore) =>
        Assert.Equal(onceMore, Assert.IsType<Ending.Refused>(ServerVerdict.Of(status, null, null)).OnceMore);

    [Fact]
    public void Who_was_closed_for_his_ticket_or_his_removal_logs_in_once_more() =>
        Assert.True(Assert.IsType<Ending.Refused>(ServerVerdict.Of(CloseCode.PolicyViolation, null)).OnceMore);

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests, null, 5)]
    [InlineData(HttpStatusCode.ServiceUnavailable, null, 5)]
    [InlineData(HttpStatusCode.ServiceUnavailable, "1", 1)]
    [InlineData(HttpStatusCode.TooManyRequests, "17", 17)]
    [InlineData(HttpStatusCode.InternalServerError, null, 0)]
    [InlineData(HttpStatusCode.InternalServerError, "8", 8)]
    [InlineData(HttpStatusCode.ServiceUnavailable, "1000000000", 86_400)]
    [InlineData(HttpStatusCode.ServiceUnavailable, "Thu, 01 Jan 1970 00:00:00 GMT", 0)]
    public void Who_is_overloaded_is_left_in_peace_as_long_as_he_asks(HttpStatusCode status, string? retryAfter, int seconds) =>
        Assert.Equal(
            TimeSpan.FromSeconds(seconds),
            Assert.IsType<Ending.Lost>(ServerVerdict.Of(status, null, retryAfter is null ? null : RetryConditionHeaderValue.Parse(retryAfter))).AtLeast);

    [Theory]
    [InlineData(CloseCode.ServiceRestart, true, 0)]
    [InlineData(null, true, 0)]
    [InlineData(CloseCode.InternalError, false, 0)]
    [InlineData(CloseCode.TryAgainLater, false, 5)]
    public void A_close_code_says_how_long_to_wait(CloseCode? code, bool restarts, int seconds)
    {
        var lost = Assert.IsType<Ending.Lost>(ServerVerdict.Of(code, null));

        Assert.Equal((restarts, TimeSpan.FromSeconds(seconds)), (lost.ServerRestarts, lost.AtLeast));
    }
}
