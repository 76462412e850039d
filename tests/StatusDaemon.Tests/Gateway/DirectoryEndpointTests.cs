using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using StatusDaemon.Auth;
using StatusDaemon.Cluster;
using StatusDaemon.Daemon;
using StatusDaemon.Privileges;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Gateway;

public sealed class DirectoryEndpointTests : IAsyncDisposable
{
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly GivenDirectory directory = new();
    private readonly DirectoryEndpoint endpoint;

    public DirectoryEndpointTests()
    {
        var admission = new Admission(
            new TrustedHeaderLogin(),
            OriginPolicy.OfServer([new ServiceName("HTTP", "localhost")], isTls: false, () => 8080),
            new LoginMetrics(services.GetRequiredService<IMeterFactory>()),
            NullLogger<Admission>.Instance);
        endpoint = new DirectoryEndpoint(admission, directory, new SteadyClock(TimeProvider.System));
    }

    public ValueTask DisposeAsync() => services.DisposeAsync();

    [Fact]
    public async Task Somebody_is_found_by_each_name_and_number_and_shown_as_described()
    {
        Change(edit =>
        {
            edit.SetLookUp(DNameOf("a@A"), UidOf("a"));
            edit.SetLookUp(DNameOf("phone@A"), UidOf("a"));
            edit.SetLookUp(NumberOf("1"), UidOf("a"));
            edit.SetDescription(UidOf("a"), new Description(DNameOf("a@A"), [NumberOf("1"), NumberOf("2")], Name: "Alice"));
        });

        const string Alice = """{"subscribers":[{"uid":"a","dname":"a@A","dnames":["a@A","phone@A"],"numbers":["1","2"],"name":"Alice"}]}""";
        Assert.Equal(Alice, await AskAsync("dname=a@A"));
        Assert.Equal(Alice, await AskAsync("dname=phone@A"));
        Assert.Equal(Alice, await AskAsync("number=1"));
        Assert.Equal("""{"subscribers":[]}""", await AskAsync("number=2"));
    }

    [Fact]
    public async Task A_line_that_nobody_logs_in_as_has_no_name_and_who_is_not_described_is_shown_by_what_leads_to_him()
    {
        Change(edit =>
        {
            edit.SetLookUp(NumberOf("7"), UidOf("line"));
            edit.SetLookUp(DNameOf("b@A"), UidOf("b"));
            edit.SetDescription(UidOf("c"), new Description(DNameOf("c@A")));
        });

        Assert.Equal(
            """{"subscribers":[{"uid":"b","dname":"b@A","numbers":[]},{"uid":"c","dname":"c@A","dnames":[],"numbers":[]},{"uid":"line","numbers":["7"]}]}""",
            await AskAsync(""));
        Assert.Equal("""{"subscribers":[]}""", await AskAsync("dname=c@A"));
    }

    [Fact]
    public async Task Pages_follow_who_comes_and_goes_and_changes()
    {
        Change(edit => edit.SetLookUp(NumberOf("1"), UidOf("b")));
        Assert.Equal("""{"subscribers":[{"uid":"b","numbers":["1"]}]}""", await AskAsync("limit=2"));
        Change(edit => edit.SetDescription(UidOf("b"), new Description(Name: "Bob")));
        Assert.Equal("""{"subscribers":[{"uid":"b","numbers":["1"],"name":"Bob"}]}""", await AskAsync("limit=2"));
        Change(edit => edit.SetLookUp(NumberOf("2"), UidOf("a")));
        Assert.Equal("""{"subscribers":[{"uid":"a","numbers":["2"]}],"next":"a"}""", await AskAsync("limit=1"));
        Change(edit => edit.SetBlack(UidOf("a"), [SelectorOf("*")]));
        Assert.Equal("""{"subscribers":[{"uid":"b","numbers":["1"],"name":"Bob"}]}""", await AskAsync("limit=1"));
    }

    private void Change(Action<DirectoryEdit> change)
    {
        var edit = new DirectoryEdit(directory.Current);
        change(edit);
        directory.Give(edit.Apply());
    }

    private async Task<string> AskAsync(string query)
    {
        using var body = new MemoryStream();
        var http = new DefaultHttpContext();
        http.Request.Headers[TrustedHeaderLogin.Header] = "somebody";
        http.Request.QueryString = new QueryString("?" + query);
        http.Response.Body = body;
        await endpoint.ServeAsync(http);
        await http.Response.BodyWriter.CompleteAsync();
        Assert.Equal(StatusCodes.Status200OK, http.Response.StatusCode);
        return Encoding.UTF8.GetString(body.ToArray());
    }
}
