using System.Collections.Frozen;
using System.Security.Cryptography;
using StatusDaemon.EndToEnd;

namespace StatusDaemon.Auth;

public sealed class GssAcceptorTests : IDisposable
{
    private const string Krb5 = "1.2.840.113554.1.2.2";
    private const string Krb5AsWindowsWritesIt = "1.2.840.48018.1.2.2";
    private const string Ntlm = "1.3.6.1.4.1.311.2.2.10";

    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);
    private static readonly byte[] OtherKey = RandomNumberGenerator.GetBytes(32);
    private static readonly byte[] NtlmTypeOne = [.. "NTLMSSP\0"u8, 1, 0, 0, 0, 7, 130, 8, 162, .. new byte[24]];

    private readonly string folder = Directory.CreateTempSubdirectory("statusd-gss-").FullName;
    private readonly string keytab;
    private readonly string replayCache;
    private readonly GssAcceptor acceptor;
    private readonly KerberosRealm realm;

    public GssAcceptorTests(KerberosRealm realm)
    {
        this.realm = realm;
        keytab = Path.Combine(folder, "service.keytab");
        replayCache = Path.Combine(folder, "replay");
        File.WriteAllBytes(keytab, [.. ForgedTicket.Keytab(Key, 1, "HTTP/localhost"), .. ForgedTicket.KeytabEntry(OtherKey, 1, "cifs/localhost", DateTimeOffset.UtcNow)]);
        acceptor = Acceptor(keytab);
    }

    private static ForgedTicket Good => ForgedTicket.Good(Key);

    public void Dispose()
    {
        acceptor.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_client_with_a_ticket_of_a_real_KDC_is_let_in_and_believes_our_reply(bool spnego)
    {
        await using var client = new ForeignClient(realm, realm.AddPrincipal(Name(spnego)));
        using var real = Acceptor(RealKeytab($"HTTP/{Name(spnego)}"), Name(spnego));
        var (token, id) = await client.TokenAsync($"HTTP@{Name(spnego)}", spnego);

        var accepted = Assert.IsType<GssOutcome.Accepted>(real.Accept(token));

        Assert.Equal($"{Name(spnego)}@{KerberosRealm.Name}", accepted.Client.ToString());
        Assert.Equal($"HTTP/{Name(spnego)}@{KerberosRealm.Name}", accepted.Service);
        Assert.True(accepted.TicketEnd > DateTimeOffset.UtcNow);
        Assert.True(await client.VerifyAsync(id, accepted.Reply));
    }

    [Fact]
    public void The_ticket_s_end_is_its_own_without_the_clock_skew_that_is_allowed()
    {
        var good = Good;

        var accepted = Assert.IsType<GssOutcome.Accepted>(acceptor.Accept(good.ToToken()));

        Assert.Equal(good.End.ToUnixTimeSeconds(), accepted.TicketEnd.ToUnixTimeSeconds());
    }

    [Fact]
    public void What_Windows_sends_is_taken_too() =>
        Assert.IsType<GssOutcome.Accepted>(acceptor.Accept(ForgedTicket.Spnego(Good.ToToken(), Krb5AsWindowsWritesIt, Krb5, Ntlm)));

    [Theory, InlineData(false), InlineData(true)]
    public void A_token_counts_once(bool spnego)
    {
        var token = Wrap(Good.ToToken(), spnego);

        Assert.IsType<GssOutcome.Accepted>(acceptor.Accept(token));

        AssertRefused(RefusalReason.Replay, acceptor.Accept(token));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_ticket_is_good_in_its_time_only(bool spnego)
    {
        var now = DateTimeOffset.UtcNow;

        AssertRefused(RefusalReason.Expired, acceptor.Accept(Wrap((Good with { End = now.AddMinutes(-6) }).ToToken(), spnego)));
        AssertRefused(RefusalReason.Expired, acceptor.Accept(Wrap((Good with { Begin = now.AddMinutes(6) }).ToToken(), spnego)));
        AssertRefused(RefusalReason.Skew, acceptor.Accept(Wrap((Good with { Sent = now.AddMinutes(-6) }).ToToken(), spnego)));
        AssertRefused(RefusalReason.Skew, acceptor.Accept(Wrap((Good with { Sent = now.AddMinutes(6) }).ToToken(), spnego)));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_ticket_is_good_under_the_right_key_of_the_right_service_only(bool spnego)
    {
        var stranger = RandomNumberGenerator.GetBytes(32);

        AssertRefused(RefusalReason.WrongKey, acceptor.Accept(Wrap((Good with { Key = stranger }).ToToken(), spnego)));
        AssertRefused(RefusalReason.WrongKey, acceptor.Accept(Wrap((Good with { Key = stranger, KeyVersion = 7 }).ToToken(), spnego)));
        AssertRefused(RefusalReason.WrongService, acceptor.Accept(Wrap((Good with { Key = stranger, Service = "HTTP/elsewhere" }).ToToken(), spnego)));
        AssertRefused(RefusalReason.WrongService, acceptor.Accept(Wrap((Good with { Key = OtherKey, Service = "cifs/localhost" }).ToToken(), spnego)));
    }

    [Fact]
    public void Another_service_of_our_own_keytab_is_named_in_the_reason() =>
        Assert.Contains(
            "cifs/localhost@ALPHA.TEST",
            Assert.IsType<GssOutcome.Refused>(acceptor.Accept((Good with { Key = OtherKey, Service = "cifs/localhost" }).ToToken())).Words,
            StringComparison.Ordinal);

    [Theory, InlineData(false), InlineData(true)]
    public void A_client_of_a_realm_that_is_not_ours_is_refused(bool spnego) =>
        AssertRefused(RefusalReason.ForeignRealm, acceptor.Accept(Wrap((Good with { ClientRealm = "BETA.TEST" }).ToToken(), spnego)));

    [Fact]
    public void NTLM_is_refused_in_every_wrapping()
    {
        AssertRefused(RefusalReason.NotKerberos, acceptor.Accept(NtlmTypeOne));
        AssertRefused(RefusalReason.NotKerberos, acceptor.Accept(ForgedTicket.Spnego(NtlmTypeOne, Ntlm)));
        AssertRefused(RefusalReason.NotKerberos, acceptor.Accept(ForgedTicket.Spnego(NtlmTypeOne, Ntlm, Krb5)));
        AssertRefused(RefusalReason.NotKerberos, acceptor.Accept(ForgedTicket.Spnego(NtlmTypeOne, Krb5)));
    }

    [Fact]
    public void One_leg_is_all_that_a_client_gets() =>
        AssertRefused(RefusalReason.NotKerberos, acceptor.Accept(ForgedTicket.Spnego(null, Krb5)));

    [Fact]
    public void Garbage_is_refused_as_such()
    {
        byte[] framed = [0x60, 0x82, 0xEA, 0x60, .. RandomNumberGenerator.GetBytes(60_000)];
        byte[][] garbage = [[], [0], new byte[500], [0x60], [0x60, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], framed, [1, .. RandomNumberGenerator.GetBytes(60_000)], new byte[GssAcceptor.MaxTokenBytes + 1]];

        Assert.All(garbage, token => AssertRefused(RefusalReason.Garbage, acceptor.Accept(token)));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_token_cut_short_anywhere_is_refused(bool spnego)
    {
        var token = Wrap(Good.ToToken(), spnego);

        for (var length = 0; length < token.Length; length += 7)
        {
            AssertRefused(RefusalReason.Garbage, acceptor.Accept(token.AsSpan(0, length)));
        }
    }

    [Fact]
    public void A_token_whose_inside_is_cut_short_is_refused()
    {
        var token = Good.ToToken();

        for (var length = 16; length < token.Length; length += 7)
        {
            Assert.IsType<GssOutcome.Refused>(acceptor.Accept(ForgedTicket.Spnego(token[..length], Krb5)));
        }
    }

    [Fact]
    public void A_bit_flipped_in_ticket_or_authenticator_is_refused()
    {
        // The authenticator's cipher text is the last thing in the token; the ticket's is before it, and both are longer than this.
        // Counted from the end, since the time in it makes a token some bytes longer or shorter.
        foreach (var fromEnd in (int[])[1, 13, 60, 250, 300])
        {
            var token = Good.ToToken();
            token[^fromEnd] ^= 1;

            AssertRefused(RefusalReason.WrongKey, acceptor.Accept(token));
        }
    }

    [Fact]
    public void A_keytab_that_is_replaced_counts_at_once()
    {
        var fresh = RandomNumberGenerator.GetBytes(32);
        File.WriteAllBytes(keytab + ".new", ForgedTicket.Keytab(fresh, 2, "HTTP/localhost"));
        File.Move(keytab + ".new", keytab, overwrite: true);

        AssertRefused(RefusalReason.WrongKey, acceptor.Accept(Good.ToToken()));
        Assert.IsType<GssOutcome.Accepted>(acceptor.Accept((Good with { Key = fresh, KeyVersion = 2 }).ToToken()));
    }

    [Fact]
    public void A_keytab_that_goes_away_is_our_fault_until_it_is_back()
    {
        var content = File.ReadAllBytes(keytab);
        File.Delete(keytab);
        Assert.Contains("is not there", Assert.IsType<GssOutcome.Broken>(acceptor.Accept(Good.ToToken())).Words, StringComparison.Ordinal);

        File.WriteAllBytes(keytab, [5, 2]);
        Assert.Contains("has no keys", Assert.IsType<GssOutcome.Broken>(acceptor.Accept(Good.ToToken())).Words, StringComparison.Ordinal);

        File.WriteAllBytes(keytab, content);
        Assert.IsType<GssOutcome.Accepted>(acceptor.Accept(Good.ToToken()));
    }

    [Fact]
    public void A_replay_cache_that_cannot_be_written_is_our_fault()
    {
        Directory.CreateDirectory(replayCache);

        Assert.Contains("replay cache", Assert.IsType<GssOutcome.Broken>(acceptor.Accept(Good.ToToken())).Words, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_keytab_stops_the_start() =>
        Assert.Throws<GssException>(() => Acceptor(Path.Combine(folder, "nothing")));

    [Fact]
    public void The_replay_cache_is_for_its_owner_alone()
    {
        acceptor.Accept(Good.ToToken());

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(replayCache));
    }

    private static string Name(bool spnego) => spnego ? "gss-spnego" : "gss-raw";

    private static byte[] Wrap(byte[] token, bool spnego) => spnego ? ForgedTicket.Spnego(token, Krb5) : token;

    private static void AssertRefused(RefusalReason reason, GssOutcome outcome)
    {
        var refused = Assert.IsType<GssOutcome.Refused>(outcome);
        Assert.True(reason == refused.Reason, $"{refused.Reason}, not {reason}: {refused.Words}");
        Assert.NotEmpty(refused.Words);
    }

    private string RealKeytab(string service)
    {
        realm.AddPrincipal(service);
        return realm.Keytab(service);
    }

    private GssAcceptor Acceptor(string path, string host = "localhost") => new(
        new GssSetup
        {
            Keytab = path,
            ReplayCache = replayCache,
            Services = FrozenSet.Create(new ServiceName("HTTP", host.ToLowerInvariant())),
            Realms = FrozenSet.Create("ALPHA.TEST"),
        });
}
