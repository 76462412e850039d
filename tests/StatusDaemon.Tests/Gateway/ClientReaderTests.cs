using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using StatusDaemon.Daemon;
using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using StatusDaemon.Tests.Protocol;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Gateway;

public sealed class ClientReaderTests
{
    /// <summary>Three clients whose bytes come in turn, cut anywhere, through one reader: each says what it said.</summary>
    [Fact]
    public void Clients_that_share_a_reader_do_not_hear_each_other() => Gen.Select(Gen.Int[0, 2], Gen.Int[1, 30]).Array[1, 200].Sample(pieces =>
    {
        using var reader = new ClientReader(new Limits { MessagesPerSecond = 1_000_000 }, new UidTable(), new SteadyClock(TimeProvider.System), NullLogger.Instance);
        var clients = Enumerable.Range(0, 3).Select(number => new Sender(number)).ToArray();
        foreach (var (who, length) in pieces)
        {
            clients[who].Send(reader, length);
        }

        Assert.All(clients, one => one.Finish(reader));
    }, iter: 200);

    private sealed class Sender(int number)
    {
        private const int Messages = 20;

        private readonly Client client = new(number, new ConnectionId(new GatewayId(1), number), UidOf($"u{number}"), default, new CountingSink(), caller: null);
        private readonly ClientMessage message = new();
        private readonly List<LoopInput> said = [];
        private readonly byte[] stream = [.. Enumerable.Range(0, Messages).SelectMany(at => ClientFrames.Frame(ClientFrames.Text, $$$"""{"status":{{{(at % 8) + 1}}},"events":{"u{{{number}}}-{{{at}}}":9}}"""))];
        private ClientInput input;
        private int sent;

        public void Send(ClientReader reader, int length)
        {
            var piece = stream.AsSpan(sent, Math.Min(length, stream.Length - sent));
            sent += piece.Length;
            Assert.False(reader.Read(piece, client, ref input, message, said));
        }

        public void Finish(ClientReader reader)
        {
            Send(reader, stream.Length);
            Assert.Null(input.Unfinished);
            Assert.Equal(
                Enumerable.Range(0, Messages).Select(at => ($"u{number}-{at}", (at % 8) + 1)),
                said.Select(one => Assert.IsType<LoopInput.Said>(one)).Select(one => (Assert.Single(one.Wish.Events).Uid.ToString(), (int)one.Wish.Status!)));
        }
    }
}
