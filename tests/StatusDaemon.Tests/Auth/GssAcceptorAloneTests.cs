using System.Collections.Frozen;
using System.Diagnostics;
using System.Net.Security;
using System.Security.Cryptography;

namespace StatusDaemon.Auth;

/// <summary>What concerns the whole process, its memory and its environment: these run when nothing else does.</summary>
[CollectionDefinition(nameof(GssAcceptorAloneTests), DisableParallelization = true)]
[Collection(nameof(GssAcceptorAloneTests))]
public sealed class GssAcceptorAloneTests : IDisposable
{
    private const string Krb5 = "1.2.840.113554.1.2.2";
    private const string Krb5AsWindowsWritesIt = "1.2.840.48018.1.2.2";
    private const string Ntlm = "1.3.6.1.4.1.311.2.2.10";

    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);
    private static readonly byte[] NtlmTypeOne = [.. "NTLMSSP\0"u8, 1, 0, 0, 0, 7, 130, 8, 162, .. new byte[24]];

    private readonly string folder = Directory.CreateTempSubdirectory("statusd-gss-").FullName;
    private readonly string keytab;
    private readonly string replayCache;
    private readonly GssAcceptor acceptor;

    public GssAcceptorAloneTests()
    {
        keytab = Path.Combine(folder, "service.keytab");
        replayCache = Path.Combine(folder, "replay");
        File.WriteAllBytes(keytab, ForgedTicket.Keytab(Key, 1, "HTTP/localhost"));
        acceptor = new GssAcceptor(
            new GssSetup
            {
                Keytab = keytab,
                ReplayCache = replayCache,
                Services = FrozenSet.Create(new ServiceName("HTTP", "localhost")),
                Realms = FrozenSet.Create("ALPHA.TEST"),
            });
    }

    private static ForgedTicket Good => ForgedTicket.Good(Key);

    public void Dispose()
    {
        acceptor.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Thousands_of_tokens_from_several_threads_are_each_judged_right_and_leave_nothing_behind()
    {
        const int Rounds = 1_000;
        RunRounds(Rounds);
        var memory = WorkingSet();
        var handles = Directory.GetFiles("/proc/self/fd").Length;

        RunRounds(4 * Rounds);

        // A context that is not deleted has some four kilobytes: 4,000 of them would show, the heap's own breathing does not.
        Assert.InRange(WorkingSet() - memory, long.MinValue, 12L << 20);
        Assert.InRange(Directory.GetFiles("/proc/self/fd").Length - handles, int.MinValue, 20);
    }

    [Fact]
    public void The_runtime_s_own_acceptor_agrees()
    {
        // It takes keytab and replay cache from the environment alone.
        NativeEnvironment.Set("KRB5_KTNAME", keytab);
        NativeEnvironment.Set("KRB5RCACHENAME", $"file2:{replayCache}.other");
        var replayed = Good.ToToken();
        var flipped = Good.ToToken();
        flipped[^1] ^= 1;
        byte[][] tokens =
        [
            replayed, replayed, flipped, Good.ToToken()[..100], Good.ToToken(), ForgedTicket.Spnego(Good.ToToken(), Krb5), NtlmTypeOne,
            (Good with { End = DateTimeOffset.UtcNow.AddHours(-1) }).ToToken(), (Good with { Sent = DateTimeOffset.UtcNow.AddHours(-1) }).ToToken(),
            (Good with { Key = RandomNumberGenerator.GetBytes(32) }).ToToken(), ForgedTicket.Spnego(NtlmTypeOne, Ntlm, Krb5), ForgedTicket.Spnego(null, Krb5),
            new byte[100], ForgedTicket.Spnego(Good.ToToken(), Krb5AsWindowsWritesIt, Krb5),
        ];

        var ours = tokens.Select(token => acceptor.Accept(token) is GssOutcome.Accepted).ToArray();
        var theirs = tokens.Select(RuntimeAccepts).ToArray();

        Assert.Equal(theirs, ours);
        Assert.Equal(4, ours.Count(accepted => accepted));
    }

    private static bool RuntimeAccepts(byte[] token)
    {
        using var server = new NegotiateAuthentication(new NegotiateAuthenticationServerOptions { Package = "Negotiate" });
        server.GetOutgoingBlob(token, out var status);
        return status == NegotiateAuthenticationStatusCode.Completed;
    }

    private static long WorkingSet()
    {
        GC.Collect();
        using var self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }

    private void RunRounds(int rounds) => Parallel.For(0, rounds, new ParallelOptions { MaxDegreeOfParallelism = 4 }, round =>
    {
        var token = round % 2 == 0 ? Good.ToToken() : ForgedTicket.Spnego(Good.ToToken(), Krb5);
        Assert.IsType<GssOutcome.Accepted>(acceptor.Accept(token));
        Assert.Equal(RefusalReason.Replay, Assert.IsType<GssOutcome.Refused>(acceptor.Accept(token)).Reason);
        Assert.Equal(RefusalReason.NotKerberos, Assert.IsType<GssOutcome.Refused>(acceptor.Accept(ForgedTicket.Spnego(NtlmTypeOne, Ntlm, Krb5))).Reason);
    });
}
