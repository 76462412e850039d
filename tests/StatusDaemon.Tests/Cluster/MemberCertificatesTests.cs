using System.Security.Cryptography;
using StatusDaemon.Settings;

namespace StatusDaemon.Cluster;

public sealed class MemberCertificatesTests : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TempFolder folder = new();
    private readonly TestAuthority authority = new();

    public void Dispose()
    {
        authority.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void The_authority_is_made_once_and_only_its_owner_can_read_it()
    {
        var path = folder["cluster"];
        var first = MemberCertificates.Open(path, DateTimeOffset.UtcNow);
        var second = MemberCertificates.Open(path, DateTimeOffset.UtcNow);

        Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
        Assert.Equal(Owner, File.GetUnixFileMode(Assert.Single(Directory.GetFiles(path))));
        Assert.Equal(first.Own.TargetCertificate.Issuer, second.Own.TargetCertificate.Issuer);
        Assert.NotEqual(first.Own.TargetCertificate.GetPublicKeyString(), second.Own.TargetCertificate.GetPublicKeyString());
    }

    [Fact]
    public async Task Processes_that_start_together_agree_on_one_authority()
    {
        const int Processes = 8;
        const int Starts = 25;
        using var together = new Barrier(Processes);

        var opened = await Task.WhenAll(Enumerable.Range(0, Processes).Select(_ => Task.Factory.StartNew(
            () => Enumerable.Range(0, Starts).Select(OpenTogether).ToArray(), TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        Assert.Equal(Starts, opened.SelectMany(issuers => issuers).Distinct().Count());
        Assert.All(Enumerable.Range(0, Starts), start => Assert.Single(Directory.GetFiles(folder[$"{start}"])));

        string OpenTogether(int start)
        {
            together.SignalAndWait(TestContext.Current.CancellationToken);
            return MemberCertificates.Open(folder[$"{start}"], DateTimeOffset.UtcNow).Own.TargetCertificate.Issuer;
        }
    }

    [Fact]
    public void A_key_that_others_may_read_is_refused()
    {
        MemberCertificates.Open(folder.Path, DateTimeOffset.UtcNow);
        var path = Assert.Single(Directory.GetFiles(folder.Path));
        File.SetUnixFileMode(path, Owner | UnixFileMode.GroupRead);

        var refusal = Assert.Throws<InvalidDataException>(() => MemberCertificates.Open(folder.Path, DateTimeOffset.UtcNow));
        Assert.Equal($"{path}: holds the cluster's private key and must have mode 0600", refusal.Message);
    }

    [Fact]
    public void An_authority_that_has_expired_is_refused()
    {
        var refusal = Assert.Throws<InvalidDataException>(() => MemberCertificates.Open(folder.Path, DateTimeOffset.UtcNow.AddYears(-31)));
        Assert.Contains("NotTimeValid", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Certificates_of_an_administrator_are_shown_as_they_are()
    {
        using var member = authority.SignMember();

        var certificates = MemberCertificates.Load(authority.Write(folder.Path, member));

        Assert.Equal(member.Thumbprint, certificates.Own.TargetCertificate.Thumbprint);
        Assert.True(certificates.Own.TargetCertificate.HasPrivateKey);
    }

    [Fact]
    public void The_settings_say_whose_certificates_are_used()
    {
        using var member = authority.SignMember();
        var files = authority.Write(folder.Path, member);
        File.AppendAllText(files.Certificate, $"\n{File.ReadAllText(files.Key)}");
        var own = new ClusterOptions { Certificate = files.Certificate, Authority = files.Authority };

        Assert.Equal(member.Thumbprint, MemberCertificates.For(own, folder["cluster"], DateTimeOffset.UtcNow).Own.TargetCertificate.Thumbprint);
        Assert.False(Directory.Exists(folder["cluster"]));
        Assert.NotEqual(member.Issuer, MemberCertificates.For(new ClusterOptions(), folder["cluster"], DateTimeOffset.UtcNow).Own.TargetCertificate.Issuer);
    }

    [Theory]
    [InlineData(-1, "NotTimeValid", TestAuthority.ClientAuthentication, TestAuthority.ServerAuthentication)]
    [InlineData(100, "NotValidForUsage", TestAuthority.ServerAuthentication)]
    [InlineData(100, "NotValidForUsage", TestAuthority.ClientAuthentication)]
    public void A_certificate_that_other_members_would_refuse_stops_the_start(int days, string reason, params string[] purposes)
    {
        using var member = authority.Sign(days, purposes);
        var files = authority.Write(folder.Path, member);

        var refusal = Assert.Throws<InvalidDataException>(() => MemberCertificates.Load(files));
        Assert.Equal($"{files.Certificate}: no member would accept this certificate: {reason}", refusal.Message);
    }

    [Fact]
    public void A_certificate_of_another_authority_stops_the_start()
    {
        using var member = authority.SignMember();
        using var other = new TestAuthority();
        var files = authority.Write(folder.Path, member);
        File.WriteAllText(files.Authority, other.Pem);

        Assert.StartsWith(files.Certificate, Assert.Throws<InvalidDataException>(() => MemberCertificates.Load(files)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_cannot_be_used_is_named()
    {
        using var member = authority.SignMember();
        using var foreign = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var files = authority.Write(folder.Path, member);

        File.WriteAllText(files.Key, foreign.ExportPkcs8PrivateKeyPem());
        Assert.StartsWith(files.Key, Assert.Throws<InvalidDataException>(() => MemberCertificates.Load(files)).Message, StringComparison.Ordinal);
        File.Delete(files.Key);
        Assert.StartsWith(files.Key, Assert.Throws<InvalidDataException>(() => MemberCertificates.Load(files)).Message, StringComparison.Ordinal);
        File.WriteAllText(files.Certificate, "not PEM");
        Assert.StartsWith(files.Certificate, Assert.Throws<InvalidDataException>(() => MemberCertificates.Load(files)).Message, StringComparison.Ordinal);
        File.WriteAllText(files.Authority, "");
        Assert.StartsWith(files.Authority, Assert.Throws<InvalidDataException>(() => MemberCertificates.Load(files)).Message, StringComparison.Ordinal);
    }
}
