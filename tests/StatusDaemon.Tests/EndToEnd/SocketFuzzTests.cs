using StatusDaemon.Fuzzing;

namespace StatusDaemon.EndToEnd;

/// <summary>Damaged streams and noise over real sockets; each run has seeds of its own, and a failure names the one to repeat it with.</summary>
public abstract class SocketFuzzTests(SocketServer shared)
{
    [Fact]
    public async Task Streams_of_any_kind_are_answered_as_they_should_be_and_disturb_nobody()
    {
        const int Streams = 400;
        const int AtOnce = 8;
        var firstSeed = Random.Shared.Next(int.MaxValue - Streams);
        var who = shared.Take(1)[0];
        await using var bystander = await TestSocket.ConnectAsync(shared.Server, who);

        await Parallel.ForEachAsync(
            Enumerable.Range(firstSeed, Streams), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = TestContext.Current.CancellationToken },
            async (seed, _) => await SocketFuzz.RunAsync(shared.Server, seed));

        Assert.Equal($$"""{"status":8,"publisher":"{{who}}"}""", await bystander.WatchAsync(who));
        Assert.DoesNotContain(" error ", shared.Server.Output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("exception", shared.Server.Output, StringComparison.OrdinalIgnoreCase);
    }
}

/// <summary>Over sockets that have left Kestrel.</summary>
[Collection<PlainSockets>]
public sealed class PlainSocketFuzzTests(PlainServer shared) : SocketFuzzTests(shared);

/// <summary>Over TLS.</summary>
[Collection<SecureSockets>]
public sealed class SecureSocketFuzzTests(SecureServer shared) : SocketFuzzTests(shared);
