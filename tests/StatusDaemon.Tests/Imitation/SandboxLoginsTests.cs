namespace StatusDaemon.Imitation;

public sealed class SandboxLoginsTests : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("sandbox-").FullName;

    public void Dispose() => Directory.Delete(state, recursive: true);

    [Fact]
    public void It_names_those_whom_one_can_log_in_as()
    {
        var keytabs = Directory.CreateDirectory(Path.Combine(state, "keytabs")).FullName;
        File.WriteAllText(Path.Combine(keytabs, "bob@R.keytab"), "");
        File.WriteAllText(Path.Combine(keytabs, "alice@R.keytab"), "");
        File.WriteAllText(Path.Combine(keytabs, "host%2Fpbx@R.keytab"), "");
        Describe($$"""{"krb5Config":"/x/krb5.conf","realms":["R"],"keytabs":"{{keytabs}}"}""");

        Assert.Equal(["alice@R", "bob@R", "host/pbx@R"], SandboxLogins.Find(state)?.Names);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"krb5Config\":\"/x\"")]
    [InlineData("{\"krb5Config\":\"/x\"}")]
    [InlineData("{\"krb5Config\":\"/x\",\"keytabs\":\"/no/such/folder\"}")]
    public void A_description_that_is_not_whole_is_no_sandbox(string json)
    {
        Describe(json);

        Assert.Null(SandboxLogins.Find(state));
    }

    [Fact]
    public void Without_a_description_there_is_none() => Assert.Null(SandboxLogins.Find(state));

    [Theory]
    [InlineData("mallory@R")]
    [InlineData("../alice@R")]
    public void Nobody_logs_in_under_a_name_that_it_does_not_have(string name)
    {
        File.WriteAllText(Path.Combine(state, "alice@R.keytab"), "");
        var folder = Directory.CreateDirectory(Path.Combine(state, "keytabs")).FullName;
        File.WriteAllText(Path.Combine(folder, "bob@R.keytab"), "");

        var failure = Assert.Throws<CommandFailedException>(() => new SandboxLogins { Krb5Config = "/x", Keytabs = folder }.LogInAs(name));

        Assert.Contains("bob@R", failure.Message, StringComparison.Ordinal);
    }

    private void Describe(string json)
    {
        Directory.CreateDirectory(Path.Combine(state, "sandbox"));
        File.WriteAllText(Path.Combine(state, "sandbox", "sandbox.json"), json);
    }
}
