using CsCheck;
using StatusDaemon.Names;
using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Routing;

/// <summary>The messages between members: <see cref="ShardBatch"/>, <see cref="ShardAnswer"/>, <see cref="DeliveryBatch"/>.</summary>
public sealed class ShardMessageTests
{
    private static readonly GatewayId Gateway = new(0x0123456789abcdef);

    private static readonly Gen<Uid> Uids = Gen.OneOf("alice", "6f000000-0000-4000-8000-000000001001", "Ünïcödé 1", new string('x', Uid.MaxBytes)).Select(UidOf);
    private static readonly Gen<string> Texts = Gen.OneOf("", "alice@EXAMPLE.ORG", "шлюз-1 10.20.30.40:50607", new string('t', 300));
    private static readonly Gen<long> Counts = Gen.OneOf(Gen.Long[0, 300], Gen.Long[0, long.MaxValue]);
    private static readonly Gen<ConnectionId> Connections = Counts.Select(number => new ConnectionId(Gateway, number));
    private static readonly Gen<Status> Statuses = Gen.Int[1, 8].Select(number => (Status)number);

    private static readonly Gen<ClientTimestamp> Timestamps = Gen.Select(Gen.OneOf("", "1627128694.693686", "-1", "12345678901234567890123456789012"), Gen.Bool, (number, isQuoted) =>
        ClientTimestamp.TryParse(System.Text.Encoding.ASCII.GetBytes(number), isQuoted, out var timestamp) ? timestamp : default);

    private static readonly Gen<StatusRecord> Records = Gen.Select(
        Gen.Select(Statuses, Timestamps),
        Gen.Select(Gen.ULong[1, ulong.MaxValue], Counts, Counts),
        Gen.Select(Gen.Int[1, 5], Texts, Texts, Gen.Long[0, DateTimeOffset.MaxValue.Ticks]),
        Gen.Int[0, 9],
        (shown, version, source, none) => none == 0
            ? default
            : new StatusRecord(
                shown.Item1,
                shown.Item2,
                new StatusVersion(version.Item1, version.Item2, version.Item3),
                new ChangeSource((SourceKind)source.Item1, source.Item2, source.Item3, new DateTimeOffset(source.Item4, TimeSpan.Zero))));

    private static readonly Gen<uint> Requests = Gen.UInt[0, (1u << 30) - 1];

    private static readonly Gen<RouterInput> Inputs = Gen.OneOf(
        Gen.Const<RouterInput>(new RouterInput.Declare(Gateway)),
        Gen.Const<RouterInput>(new RouterInput.Leave(Gateway)),
        Gen.Select(Connections, Uids, Texts, Texts, RouterInput (connection, subscriber, actor, through) => new RouterInput.Open(connection, subscriber, actor, through)),
        Connections.Select(RouterInput (connection) => new RouterInput.Close(connection)),
        Gen.Select(Connections, Uids, Uids, Requests, RouterInput (connection, watcher, publisher, request) => new RouterInput.Watch(connection, watcher, publisher, request)),
        Gen.Select(Connections, Uids, RouterInput (connection, publisher) => new RouterInput.Unwatch(connection, publisher)),
        Gen.Select(Connections, Uids, Statuses, Timestamps, Gen.Int[0, int.MaxValue], RouterInput (connection, publisher, status, timestamp, waited) =>
            new RouterInput.Publish(connection, publisher, status, timestamp, SaidAt: -TimeSpan.FromMilliseconds(waited))),
        Gen.Select(Connections, Uids, Statuses, Timestamps, Gen.Int[0, int.MaxValue], RouterInput (connection, publisher, status, timestamp, age) =>
            new RouterInput.Restore(connection, publisher, status, timestamp, SaidAt: -TimeSpan.FromMilliseconds(age))),
        Gen.Select(Uids, Records, RouterInput (publisher, record) => new RouterInput.Adopt(publisher, record)));

    private static readonly Gen<ShardBatch> Batches =
        Gen.Select(Counts, Counts, Inputs.Array[0, 12], (activation, number, inputs) => new ShardBatch(Gateway, activation, number, inputs));

    private static readonly Gen<DeliveryStamp> Stamps = Gen.Select(Counts, Counts, (epoch, counter) => new DeliveryStamp(epoch, counter));

    private static readonly Gen<Effect.Deliver> Changes =
        Gen.Select(Uids, Records, Stamps, (publisher, record, stamp) => new Effect.Deliver(Gateway, publisher, record, stamp));

    private static readonly Gen<Effect> Told = Gen.OneOf(
        Changes.Select(Effect (change) => change),
        Gen.Select(Gen.Select(Connections, Uids, Requests), Gen.Bool, Records, Stamps, Effect (watch, isVisible, record, stamp) =>
            new Effect.Tell(watch.Item1, watch.Item2, watch.Item3, isVisible, record, stamp)));

    private static readonly Gen<DeliveryBatch> Deliveries = Gen.Select(Gen.ULong, Counts, Told.Array[0, 12],
        (outbox, number, deliveries) => new DeliveryBatch(outbox, number, deliveries));

    private static readonly Gen<ShardAnswer> Answers = Gen.Select(
        Gen.Select(Counts, Gen.Bool, Gen.ULong),
        Gen.Select(Counts, Counts, (epoch, seq) => new FeedKey(epoch, seq)).Array[1, 12],
        Gen.Long[0, DateTimeOffset.MaxValue.Ticks],
        Changes.Array[0, 12],
        (head, keys, at, told) => new ShardAnswer(head.Item1, head.Item2, head.Item3, keys[0], new DateTimeOffset(at, TimeSpan.Zero), keys[1..], told));

    [Fact]
    public void A_batch_is_read_as_it_was_written() => Batches.Sample(batch =>
    {
        var read = ShardBatch.Parse(batch.ToBytes(), new UidTable());
        Assert.Equal(batch with { Inputs = read.Inputs }, read);
        Assert.Equal(batch.Inputs, read.Inputs);
    }, threads: 1);

    [Fact]
    public void Of_clocks_only_the_time_between_them_travels()
    {
        var publish = new RouterInput.Publish(new ConnectionId(Gateway, 1), UidOf("alice"), Status.Busy, default, SaidAt: TimeSpan.FromSeconds(100));
        var read = ShardBatch.Parse(new ShardBatch(Gateway, 1, 1, [publish], At: TimeSpan.FromSeconds(103)).ToBytes(), new UidTable());
        Assert.Equal(TimeSpan.FromSeconds(3), read.At - Assert.IsType<RouterInput.Publish>(Assert.Single(read.Inputs)).SaidAt);
    }

    [Fact]
    public void A_delivery_is_read_as_it_was_written() => Deliveries.Sample(batch =>
    {
        var read = DeliveryBatch.Parse(batch.ToBytes(), Gateway, new UidTable());
        Assert.Equal(batch with { Deliveries = read.Deliveries }, read);
        Assert.Equal(batch.Deliveries, read.Deliveries);
    }, threads: 1);

    [Fact]
    public void An_answer_is_read_as_it_was_written() => Answers.Sample(answer =>
    {
        var read = ShardAnswer.Parse(answer.ToBytes(), Gateway, new UidTable());
        Assert.Equal(answer with { Accepted = read.Accepted, Told = read.Told }, read);
        Assert.Equal(answer.Accepted, read.Accepted);
        Assert.Equal(answer.Told, read.Told);
    }, threads: 1);

    [Fact]
    public void Bytes_that_are_cut_short_are_a_format_fault() => Gen.Select(Batches, Deliveries, Answers).Sample((batch, deliveries, answer) =>
    {
        CutEverywhere(batch.ToBytes(), bytes => ShardBatch.Parse(bytes, new UidTable()));
        CutEverywhere(deliveries.ToBytes(), bytes => DeliveryBatch.Parse(bytes, Gateway, new UidTable()));
        CutEverywhere(answer.ToBytes(), bytes => ShardAnswer.Parse(bytes, Gateway, new UidTable()));
    }, iter: 3, threads: 1);

    [Fact]
    public void Any_other_bytes_are_a_message_or_a_format_fault() => Gen.Select(Batches, Deliveries, Answers, Gen.Int[0, 1_000_000], Gen.Byte).Sample((batch, deliveries, answer, at, value) =>
    {
        IsMessageOrFault(Spoil(batch.ToBytes(), at, value), bytes => ShardBatch.Parse(bytes, new UidTable()));
        IsMessageOrFault(Spoil(deliveries.ToBytes(), at, value), bytes => DeliveryBatch.Parse(bytes, Gateway, new UidTable()));
        IsMessageOrFault(Spoil(answer.ToBytes(), at, value), bytes => ShardAnswer.Parse(bytes, Gateway, new UidTable()));
    }, iter: 1_000, threads: 1);

    [Fact]
    public void Of_the_version_before_all_is_read_but_what_that_one_did_not_know() => Gen.Select(Batches, Deliveries, Answers).Sample((batch, deliveries, answer) =>
    {
        var known = batch.Inputs.Select(input => input is RouterInput.Restore restore ? restore with { SaidAt = default } : input);
        Assert.Equal(known, ShardBatch.Parse(batch.ToBytes(WireVersion.Oldest), new UidTable()).Inputs);
        Assert.Equal(deliveries.Deliveries, DeliveryBatch.Parse(deliveries.ToBytes(WireVersion.Oldest), Gateway, new UidTable()).Deliveries);
        Assert.Equal(answer.Told, ShardAnswer.Parse(answer.ToBytes(WireVersion.Oldest), Gateway, new UidTable()).Told);
    }, threads: 1);

    [Theory, InlineData(WireVersion.Oldest - 1), InlineData(WireVersion.Newest + 1)]
    public void One_of_another_version_is_refused(int version)
    {
        var bytes = new ShardBatch(Gateway, 1, 1, []).ToBytes();
        bytes[0] = (byte)version;
        Assert.Contains($"version {version}", Assert.Throws<FormatException>(() => ShardBatch.Parse(bytes, new UidTable())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_range_of_versions_is_no_other_message()
    {
        Assert.Equal("0405", Convert.ToHexStringLower(WireRange.Ours.ToBytes()));
        Assert.Equal(WireRange.Ours, WireRange.TryParse(WireRange.Ours.ToBytes()));
        Answers.Sample(answer => Assert.Null(WireRange.TryParse(answer.ToBytes())), threads: 1);
    }

    [Theory]
    [InlineData(3, 4, 4, 5, 4)]
    [InlineData(4, 5, 3, 4, 4)]
    [InlineData(3, 4, 3, 4, 4)]
    [InlineData(3, 4, 5, 6, null)]
    [InlineData(5, 6, 3, 4, null)]
    public void Two_members_agree_on_the_newest_that_both_read(byte oldest, byte newest, byte othersOldest, byte othersNewest, int? common) =>
        Assert.Equal(common, new WireRange(oldest, newest).Common(new WireRange(othersOldest, othersNewest)));

    [Fact]
    public void An_input_that_no_gateway_gives_is_not_written() =>
        Assert.Throws<InvalidOperationException>(() => new ShardBatch(Gateway, 1, 1, [RouterInput.Tick.Now]).ToBytes());

    [Fact]
    public void A_parsed_uid_is_the_one_that_is_held()
    {
        var uids = new UidTable();
        var alice = uids.Hold("alice"u8);
        var read = ShardBatch.Parse(new ShardBatch(Gateway, 1, 1, [new RouterInput.Unwatch(new ConnectionId(Gateway, 1), UidOf("alice"))]).ToBytes(), uids);
        Assert.Same(alice, Assert.IsType<RouterInput.Unwatch>(Assert.Single(read.Inputs)).Publisher);
    }

    // What these say, members of this release and of the one before say. A change of the form is a version of its own: raise WireVersion.Newest, keep the golden message of the version before, and
    // drop the oldest.
    [Theory, InlineData(4, GoldenBatch4), InlineData(5, GoldenBatch5)]
    public void The_wire_form_of_a_batch_is_fixed(byte version, string golden) => Assert.Equal(golden, Convert.ToHexStringLower(Sample.Batch.ToBytes(version)));

    [Theory, InlineData(4, "04" + GoldenDelivery), InlineData(5, "05" + GoldenDelivery)]
    public void The_wire_form_of_a_delivery_is_fixed(byte version, string golden) => Assert.Equal(golden, Convert.ToHexStringLower(Sample.Deliveries.ToBytes(version)));

    [Theory, InlineData(4, "04" + GoldenAnswer), InlineData(5, "05" + GoldenAnswer)]
    public void The_wire_form_of_an_answer_is_fixed(byte version, string golden) => Assert.Equal(golden, Convert.ToHexStringLower(Sample.Answer.ToBytes(version)));

    private const string GoldenBatch4 =
        "04efcdab896745230105010a0102ac0205616c69636503614052016703ac0204ac0205616c69636503626f620205ac0203626f6206ac0205616c69636502010431322e35000705616c69636502010431322e350700000000000000058201010361405201678080d6bddffedfcf080705616c696365000809ac0205616c69636502010431322e35";
    private const string GoldenBatch5 =
        "05efcdab896745230105010a0102ac0205616c69636503614052016703ac0204ac0205616c69636503626f620205ac0203626f6206ac0205616c69636502010431322e35000705616c69636502010431322e350700000000000000058201010361405201678080d6bddffedfcf080705616c696365000809ac0205616c69636502010431322e35b817";
    private const string GoldenDelivery =
        "dcfe00000000000002030105616c696365050102010431322e350700000000000000058201010361405201678080d6bddffedfcf0802ac020205616c696365050202010431322e350700000000000000058201010361405201678080d6bddffedfcf0803ac020205616c696365050300";
    private const string GoldenAnswer = "0500070000000000000004c8018080d6bddffedfcf0802050100000105616c696365050102010431322e350700000000000000058201010361405201678080d6bddffedfcf08";

    private static void CutEverywhere(byte[] bytes, Action<byte[]> parse)
    {
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<FormatException>(() => parse(bytes[..length]));
        }
    }

    private static void IsMessageOrFault(byte[] bytes, Action<byte[]> parse)
    {
        try
        {
            parse(bytes);
        }
        catch (FormatException)
        {
            // The one way to refuse.
        }
    }

    private static byte[] Spoil(byte[] bytes, int at, byte value)
    {
        bytes[at % bytes.Length] = value;
        return bytes;
    }

    private static class Sample
    {
        private static readonly Uid Alice = UidOf("alice");
        private static readonly ConnectionId Connection = new(Gateway, 300);
        private static readonly ClientTimestamp Timestamp = ClientTimestamp.TryParse("12.5"u8, quoted: true, out var timestamp) ? timestamp : default;

        private static readonly StatusRecord Record = new(
            Status.Busy, Timestamp, new StatusVersion(7, 5, 130), new ChangeSource(SourceKind.Client, "a@R", "g", DateTimeOffset.UnixEpoch));

        public static readonly ShardBatch Batch = new(Gateway, 5, 1, [
            new RouterInput.Declare(Gateway),
            new RouterInput.Open(Connection, Alice, "a@R", "g"),
            new RouterInput.Close(Connection),
            new RouterInput.Watch(Connection, Alice, UidOf("bob"), 2),
            new RouterInput.Unwatch(Connection, UidOf("bob")),
            new RouterInput.Publish(Connection, Alice, Status.Busy, Timestamp),
            new RouterInput.Adopt(Alice, Record),
            new RouterInput.Adopt(Alice, default),
            new RouterInput.Leave(Gateway),
            new RouterInput.Restore(Connection, Alice, Status.Busy, Timestamp, SaidAt: -TimeSpan.FromSeconds(3)),
        ]);

        public static readonly DeliveryBatch Deliveries = new(0xfedc, 2, [
            new Effect.Deliver(Gateway, Alice, Record, new DeliveryStamp(5, 1)),
            new Effect.Tell(Connection, Alice, 2, true, Record, new DeliveryStamp(5, 2)),
            new Effect.Tell(Connection, Alice, 2, false, default, new DeliveryStamp(5, 3)),
        ]);

        public static readonly ShardAnswer Answer = new(5, false, 7, new FeedKey(4, 200), DateTimeOffset.UnixEpoch, [new FeedKey(5, 1), default], [new Effect.Deliver(Gateway, Alice, Record, new DeliveryStamp(5, 1))]);
    }
}
