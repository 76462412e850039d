using System.Text;
using CsCheck;
using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

/// <summary>Statuses to put into a store.</summary>
internal static class StoredStatuses
{
    private static readonly string[] Times = ["", "0", "-1", "1627128694.693686", "1e9", "12345678901234567890123456789.01"];

    /// <summary>Records of incarnation 1 with every other field at random, also at its bounds; no two have the same version.</summary>
    public static readonly Gen<List<StoredStatus>> Lists = Gen
        .Select(Uids, Gen.Enum<Status>(), Timestamps, Gen.Select(Numbers, Numbers), Sources, (uid, status, timestamp, version, source) =>
            new StoredStatus(uid, new StatusRecord(status, timestamp, new StatusVersion(1, version.Item1, version.Item2), source)))
        .List[1, 40]
        .Select(records => records.DistinctBy(stored => stored.Record.Version).ToList());

    // Few enough that a list speaks of the same subscriber several times; some need every byte that a UID may have.
    private static Gen<Uid> Uids => Gen.OneOf(
        Gen.Int[0, 9].Select(number => Uid($"uid-{number}")),
        Gen.Int[0, 9].Select(number => Uid(new string('ю', (Names.Uid.MaxBytes / 2) - 1) + number)),
        Gen.Int[0, 9].Select(number => Uid($"o'brien \"; -- % {number}")));

    private static Gen<long> Numbers => Gen.OneOf(Gen.Long[1, 5], Gen.Long[1, long.MaxValue]);

    private static Gen<ClientTimestamp> Timestamps => Gen.Select(
        Gen.Int[0, Times.Length - 1].Select(number => Times[number]),
        Gen.Bool,
        (text, quoted) => ClientTimestamp.TryParse(Encoding.ASCII.GetBytes(text), quoted, out var timestamp) ? timestamp : default);

    private static Gen<ChangeSource> Sources => Gen.Select(
        Gen.Enum<SourceKind>(),
        Gen.String[1, 20].Where(IsText),
        Gen.String[0, 20].Where(IsText),
        Gen.DateTimeOffset,
        (kind, actor, through, at) => new ChangeSource(kind, actor, through, at));

    /// <summary>A UID that is known to be one.</summary>
    public static Uid Uid(string text) => Names.Uid.TryParse(text, out var uid) ? uid : throw new ArgumentException(text);

    /// <summary>A busy alice's status in the given version.</summary>
    public static StoredStatus Of(string uid, ulong incarnation, long epoch, long seq) => new(
        Uid(uid),
        new StatusRecord(
            Status.Busy, default, new StatusVersion(incarnation, epoch, seq), new ChangeSource(SourceKind.Client, "alice@EXAMPLE.ORG", "gateway-1", DateTimeOffset.UnixEpoch)));

    /// <summary>The same records in another incarnation.</summary>
    public static List<StoredStatus> In(ulong incarnation, IEnumerable<StoredStatus> records) =>
        [.. records.Select(stored => stored with { Record = stored.Record with { Version = stored.Record.Version with { Incarnation = incarnation } } })];

    // Half a surrogate pair is no text, and nothing that was read from UTF-8 has one.
    private static bool IsText(string text) => Encoding.Unicode.GetString(Encoding.Unicode.GetBytes(text)) == text && !text.Contains('\0', StringComparison.Ordinal);
}
