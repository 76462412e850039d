using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

public sealed class KnownValuesTests
{
    private const ulong Ours = 5;
    private static readonly Looker Us = new(Ours, Epoch: 1);
    private static readonly Uid Someone = StoredStatuses.Uid("uid-1");

    private readonly UidTable uids = new();
    private readonly FakeTimeProvider clock = new();
    private readonly KnownValues known;

    public KnownValuesTests() => known = new KnownValues(uids, clock);

    [Fact]
    public void What_was_written_is_nothing_new_and_what_is_as_new_is_not_written_again()
    {
        var value = Write(1);
        Assert.Equal(Sight.Same, Look(value).Sight);
        Assert.False(known.TryBeginWrite(Someone, Record(1), RedisStatusValue.DigestOf(value), out _, out _));
        var (older, newer) = (RedisStatusValue.Format(Someone, Record(0)), RedisStatusValue.Format(Someone, Record(2)));
        Assert.False(known.TryBeginWrite(Someone, Record(0), RedisStatusValue.DigestOf(older), out _, out _));
        Assert.True(known.TryBeginWrite(Someone, Record(2), RedisStatusValue.DigestOf(newer), out var expected, out _));
        Assert.Equal(RedisStatusValue.DigestOf(value), expected);
    }

    [Fact]
    public void While_a_write_is_under_way_nothing_is_clear_and_a_look_that_is_older_than_its_end_neither()
    {
        var before = known.BeginLook();
        var value = RedisStatusValue.Format(Someone, Record(1));
        Assert.True(known.TryBeginWrite(Someone, Record(1), RedisStatusValue.DigestOf(value), out var expected, out _));
        Assert.Equal(UInt128.Zero, expected);
        Assert.Equal(Sight.Unclear, Look(value).Sight);
        known.EndWrite(Someone, Record(1), RedisStatusValue.DigestOf(value), isWritten: true);
        Assert.Equal(Sight.Unclear, known.Look(Someone, null, before, Us, After.Nothing, isIntact: true).Sight);
        Assert.Equal(Sight.Same, Look(value).Sight);
    }

    [Fact]
    public void A_write_of_which_nobody_knows_is_ours_when_it_is_seen_and_may_not_have_been_either()
    {
        var first = Write(1);
        var second = RedisStatusValue.Format(Someone, Record(2));
        Assert.True(known.TryBeginWrite(Someone, Record(2), RedisStatusValue.DigestOf(second), out _, out _));
        known.EndWrite(Someone, Record(2), RedisStatusValue.DigestOf(second), isWritten: null);
        Assert.Equal(Sight.Same, Look(first).Sight);
        Assert.Equal(Sight.Same, Look(second).Sight);

        // And its version is known with it.
        Assert.False(known.TryBeginWrite(Someone, Record(2), RedisStatusValue.DigestOf(second), out _, out _));
    }

    [Fact]
    public void What_another_program_wrote_is_told_once_and_may_be_written_over_from_then_on()
    {
        Write(1);
        var seen = Look("4"u8);
        Assert.Equal((Sight.Foreign, Status.Incoming), (seen.Sight, seen.Status));
        Assert.Equal(Sight.Same, Look("4"u8).Sight);
        Assert.Equal(Sight.Unfit, Look("four"u8).Sight);
        Assert.Equal(Sight.Same, Look("four"u8).Sight);
        Assert.True(known.TryBeginWrite(Someone, Record(2), 17, out var expected, out _));
        Assert.Equal(RedisStatusValue.DigestOf("four"u8), expected);
    }

    [Fact]
    public void Only_what_another_program_wrote_keeps_its_time_to_live()
    {
        Look("4"u8);
        var external = Record(1) with { Source = new ChangeSource(SourceKind.External, "redis", "", DateTimeOffset.UnixEpoch) };
        known.TryBeginWrite(Someone, external, 17, out _, out var time);
        Assert.True(time.IsKept);
        known.EndWrite(Someone, external, 17, isWritten: true);
        known.TryBeginWrite(Someone, external with { Version = new StatusVersion(Ours, 1, 2) }, 18, out _, out time);
        Assert.Equal(default, time);
    }

    [Fact]
    public void What_another_program_wrote_and_the_server_lost_at_once_is_written_over_the_value_of_before()
    {
        var before = Write(1);
        known.Confirm(known.BeginLook());
        Look("4"u8);
        Assert.Equal(Sight.Same, known.Look(Someone, before, known.BeginLook(), Us, After.Gap, isIntact: true).Sight);
        Assert.True(known.TryBeginWrite(Someone, Record(2), 17, out var expected, out _));
        Assert.Equal(RedisStatusValue.DigestOf(before), expected);

        // Where there was no gap it is that program's doing.
        known.EndWrite(Someone, Record(2), 17, isWritten: true);
        known.Confirm(known.BeginLook());
        Look("4"u8);
        Assert.Equal(Sight.Foreign, Look(before).Sight);
    }

    [Fact]
    public void After_a_loss_a_key_is_written_for_the_rest_of_its_time_and_deleted_if_that_is_over()
    {
        Look("4"u8);
        var external = Record(1) with { Source = new ChangeSource(SourceKind.External, "redis", "", DateTimeOffset.UnixEpoch) };
        known.TryBeginWrite(Someone, external, 17, out _, out _);
        known.EndWrite(Someone, external, 17, isWritten: true, left: TimeSpan.FromSeconds(10));
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(Sight.Same, known.Look(Someone, null, known.BeginLook(), Us, After.Loss, isIntact: true).Sight);
        Assert.True(known.TryBeginWrite(Someone, external, 17, out var expected, out var time));
        Assert.Equal((UInt128.Zero, new TimeToLive(Left: TimeSpan.FromSeconds(6))), (expected, time));
        known.EndWrite(Someone, external, 17, isWritten: true, time.Left);
        known.Confirm(known.BeginLook());

        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(Sight.Deleted, known.Look(Someone, null, known.BeginLook(), Us, After.Loss, isIntact: true).Sight);
        Assert.Equal(0, uids.Count);
    }

    [Fact]
    public void A_time_to_live_outlasts_a_record_that_was_written_before_its_shard_had_taken_the_value()
    {
        Look("4"u8);
        Assert.True(known.TryBeginWrite(Someone, Record(1), 17, out _, out var time));
        Assert.Equal(new TimeToLive(IsAsked: true), time);
        known.EndWrite(Someone, Record(1), 17, isWritten: true, left: TimeSpan.FromSeconds(10));
        clock.Advance(TimeSpan.FromSeconds(1));

        var external = Record(2) with { Source = new ChangeSource(SourceKind.External, "redis", "", DateTimeOffset.UnixEpoch) };
        Assert.True(known.TryBeginWrite(Someone, external, 18, out _, out time));
        Assert.Equal(new TimeToLive(Left: TimeSpan.FromSeconds(9)), time);
        known.EndWrite(Someone, external, 18, isWritten: true, time.Left);

        Assert.True(known.TryBeginWrite(Someone, Record(3), 19, out _, out time));
        Assert.Equal(default, time);
    }

    [Fact]
    public void What_is_gone_or_older_is_doubted_until_it_is_sure_that_nothing_was_lost()
    {
        var (first, second) = (Write(1), Write(2));
        foreach (var there in (byte[]?[])[first, null])
        {
            Assert.Equal(Sight.Doubtful, known.Look(Someone, there, known.BeginLook(), Us, After.Nothing, isIntact: false).Sight);
            Assert.Equal(Sight.Same, Look(second).Sight);
        }
    }

    [Fact]
    public void What_ended_tells_what_it_was_and_is_nothing_to_whoever_writes_something_newer()
    {
        Write(1);
        Assert.Equal(new EndedValue(Record(1).Version, IsForeign: false), Look(null).End);
        Write(2);
        Look("4"u8);
        Assert.Equal(new EndedValue(Record(2).Version, IsForeign: true), Look(null).End);
        Write(3);
        Assert.Equal(Sight.Same, known.Look(Someone, null, known.BeginLook(), Us, After.Nothing, isIntact: true, Record(4)).Sight);
        Assert.True(known.TryBeginWrite(Someone, Record(4), 17, out var expected, out _));
        Assert.Equal(UInt128.Zero, expected);

        // But not to whoever puts it into our form.
        known.EndWrite(Someone, Record(4), 17, isWritten: true);
        known.Confirm(known.BeginLook());
        Look("4"u8);
        var external = Record(5) with { Source = new ChangeSource(SourceKind.External, "redis", "", DateTimeOffset.UnixEpoch) };
        Assert.Equal(Sight.Deleted, known.Look(Someone, null, known.BeginLook(), Us, After.Nothing, isIntact: true, external).Sight);
    }

    [Fact]
    public void A_key_that_is_gone_was_deleted_unless_the_server_lost_it()
    {
        var value = Write(1);
        Assert.Equal(Sight.Deleted, Look(null).Sight);
        Assert.Equal(Sight.Same, Look(null).Sight);
        Assert.Equal(0, known.Count);

        Write(2);
        Assert.Equal(Sight.Same, known.Look(Someone, null, known.BeginLook(), Us, After.Loss, isIntact: true).Sight);
        Assert.True(known.TryBeginWrite(Someone, Record(2), RedisStatusValue.DigestOf(value), out var expected, out _));
        Assert.Equal(UInt128.Zero, expected);
    }

    [Fact]
    public void An_older_value_of_ours_is_another_programs_doing_unless_the_server_lost_the_newer()
    {
        var (first, second) = (Write(1), Write(2));
        Assert.Equal(Sight.Same, known.Look(Someone, first, known.BeginLook(), Us, After.Loss, isIntact: true).Sight);
        Assert.True(known.TryBeginWrite(Someone, Record(2), RedisStatusValue.DigestOf(second), out var expected, out _));
        Assert.Equal(RedisStatusValue.DigestOf(first), expected);
        known.EndWrite(Someone, Record(2), RedisStatusValue.DigestOf(second), isWritten: true);
        known.Confirm(known.BeginLook());
        Assert.Equal(Sight.Foreign, Look(first).Sight);
    }

    [Fact]
    public void What_a_daemon_wrote_that_activated_the_shard_later_stays_and_is_taken_only_on_purpose()
    {
        Write(1);
        var later = RedisStatusValue.Format(Someone, Record(1) with { Version = new StatusVersion(Ours, 2, 1), Status = Status.Absent });
        Assert.Equal(Sight.Later, Look(later).Sight);
        Assert.Equal(Sight.Later, Look(later).Sight);
        var adopted = known.Adopt(Someone, later);
        Assert.Equal((Sight.Foreign, Status.Absent), (adopted.Sight, adopted.Status));
        Assert.Equal(Sight.Same, Look(later).Sight);
    }

    [Fact]
    public void What_the_daemon_before_us_wrote_after_we_had_read_is_told_once_with_its_version()
    {
        Write(1);
        var late = Record(2) with { Status = Status.Absent };
        var seen = known.Look(Someone, RedisStatusValue.Format(Someone, late), known.BeginLook(), Us with { Epoch = 2 }, After.Nothing, isIntact: true);
        Assert.Equal((Sight.Earlier, late.Version, Status.Absent), (seen.Sight, seen.Record.Version, seen.Record.Status));
        Assert.Equal(Sight.Same, Look(RedisStatusValue.Format(Someone, late)).Sight);
        Assert.True(known.TryBeginWrite(Someone, Record(3), 17, out var expected, out _));
        Assert.Equal(RedisStatusValue.DigestOf(RedisStatusValue.Format(Someone, late)), expected);
    }

    [Fact]
    public void What_another_program_writes_with_a_copied_version_is_not_taken_for_that_daemons()
    {
        var (first, second) = (Record(1), Record(2));
        Write(1);
        Write(2);
        foreach (var copied in (StatusRecord[])[first, second])
        {
            var value = RedisStatusValue.Format(Someone, copied with { Status = Status.Absent });
            Assert.Equal(Sight.Foreign, known.Look(Someone, value, known.BeginLook(), Us with { Epoch = 2 }, After.Nothing, isIntact: true).Sight);
        }
    }

    [Fact]
    public void What_is_forgotten_is_learnt_anew_and_an_older_look_says_nothing_of_it()
    {
        var value = Write(1);
        var look = known.BeginLook();
        known.Forget(uid => uid.Equals(Someone));
        Assert.Equal((0, 0), (known.Count, uids.Count));
        Assert.Equal(Sight.Unclear, known.Look(Someone, value, look, Us, After.Nothing, isIntact: true).Sight);
        Assert.False(known.Learn(Someone, RedisStatusValue.DigestOf("4"u8), default, isForeign: true, known.BeginLook(), out _));
    }

    [Fact]
    public void With_the_rest_it_is_forgotten_what_was_written_of_which_nobody_knows()
    {
        var value = RedisStatusValue.Format(Someone, Record(1));
        Assert.True(known.TryBeginWrite(Someone, Record(1), RedisStatusValue.DigestOf(value), out _, out _));
        known.EndWrite(Someone, Record(1), RedisStatusValue.DigestOf(value), isWritten: null);
        known.Clear();
        Assert.Equal(Sight.Foreign, known.Look(Someone, value, known.BeginLook(), Us with { Incarnation = Ours + 1 }, After.Nothing, isIntact: true).Sight);
    }

    [Fact]
    public void What_a_shard_read_at_its_activation_is_known_and_what_was_known_stays_to_be_looked_at()
    {
        var digest = RedisStatusValue.DigestOf("4"u8);
        Assert.False(known.Learn(Someone, digest, default, isForeign: true, known.BeginLook(), out _));
        Assert.Equal(Sight.Same, Look("4"u8).Sight);
        Assert.True(known.Learn(Someone, RedisStatusValue.DigestOf("5"u8), default, isForeign: true, known.BeginLook(), out _));
        Assert.Equal(Sight.Foreign, Look("5"u8).Sight);
    }

    [Fact]
    public void What_a_shard_read_after_a_look_is_newer_and_whatever_is_there_then_is_new()
    {
        Assert.Equal(Sight.Foreign, Look("4"u8).Sight);
        var early = known.BeginLook();
        Assert.Equal(Sight.Foreign, Look("5"u8).Sight);
        Assert.True(known.Learn(Someone, RedisStatusValue.DigestOf("4"u8), default, isForeign: true, early, out var isNewer));
        Assert.False(isNewer);
        Assert.Equal(Sight.Same, Look("5"u8).Sight);
        Assert.True(known.Learn(Someone, RedisStatusValue.DigestOf("4"u8), default, isForeign: true, known.BeginLook(), out isNewer));
        Assert.True(isNewer);
        Assert.Equal(Sight.Foreign, Look("5"u8).Sight); // the same bytes again are another write
    }

    [Fact]
    public void What_was_acknowledged_and_not_confirmed_may_be_lost_by_a_server_that_was_away()
    {
        var first = Write(1);
        var second = RedisStatusValue.Format(Someone, Record(2));
        foreach (var there in (byte[]?[])[first, null])
        {
            Assert.True(known.TryBeginWrite(Someone, Record(2), RedisStatusValue.DigestOf(second), out _, out _));
            known.EndWrite(Someone, Record(2), RedisStatusValue.DigestOf(second), isWritten: true);
            Assert.Equal(Sight.Unclear, Look(there).Sight);
            Assert.Equal(Sight.Same, known.Look(Someone, there, known.BeginLook(), Us, After.Gap, isIntact: true).Sight);
        }

        // Then it is written again.
        Assert.True(known.TryBeginWrite(Someone, Record(2), RedisStatusValue.DigestOf(second), out var expected, out _));
        Assert.Equal(UInt128.Zero, expected);
        known.EndWrite(Someone, Record(2), RedisStatusValue.DigestOf(second), isWritten: true);
        known.Confirm(known.BeginLook());
        Assert.Equal(Sight.Deleted, known.Look(Someone, null, known.BeginLook(), Us, After.Gap, isIntact: true).Sight);
    }

    [Fact]
    public void What_the_daemon_before_us_wrote_late_is_written_over_by_a_newer_record_alone()
    {
        Write(1);
        var late = RedisStatusValue.Format(Someone, Record(3));
        Assert.Equal(Sight.Later, known.Look(Someone, late, known.BeginLook(), Us, After.Nothing, isIntact: true, Record(2)).Sight);
        Assert.Equal(Sight.Same, known.Look(Someone, late, known.BeginLook(), Us, After.Nothing, isIntact: true, Record(4)).Sight);
        Assert.True(known.TryBeginWrite(Someone, Record(4), 17, out var expected, out _));
        Assert.Equal(RedisStatusValue.DigestOf(late), expected);
    }

    [Fact]
    public void An_answer_from_before_a_key_was_deleted_does_not_bring_it_back()
    {
        var value = Write(1);
        var look = known.BeginLook();
        Assert.Equal(Sight.Deleted, Look(null).Sight);
        Assert.Equal(Sight.Unclear, known.Look(Someone, value, look, Us, After.Nothing, isIntact: true).Sight);
    }

    [Fact]
    public void Uids_are_held_while_a_value_is_known_and_given_back_with_it()
    {
        Write(1);
        Assert.Equal((1, 1), (known.Count, uids.Count));
        Look(null);
        Assert.Equal((0, 0), (known.Count, uids.Count));
        Write(2);
        known.Clear();
        Assert.Equal((0, 0), (known.Count, uids.Count));
    }

    [Fact]
    public void What_a_sweep_has_not_met_is_what_was_known_before_it_began()
    {
        Write(1);
        var sweep = known.BeginLook();
        Assert.Equal([Someone], known.NotSeenSince(sweep));
        Look(RedisStatusValue.Format(Someone, Record(1)));
        Assert.Empty(known.NotSeenSince(sweep));
    }

    private static StatusRecord Record(int seq) => StoredStatuses.Of("uid-1", Ours, 1, seq).Record;

    private byte[] Write(int seq)
    {
        var value = RedisStatusValue.Format(Someone, Record(seq));
        Assert.True(known.TryBeginWrite(Someone, Record(seq), RedisStatusValue.DigestOf(value), out _, out _));
        known.EndWrite(Someone, Record(seq), RedisStatusValue.DigestOf(value), isWritten: true);
        known.Confirm(known.BeginLook());
        return value;
    }

    private Seen Look(ReadOnlySpan<byte> value) => Look(value.ToArray());

    private Seen Look(byte[]? value) => known.Look(Someone, value, known.BeginLook(), Us, After.Nothing, isIntact: true);
}
