using System.Text;
using Microsoft.Data.Sqlite;
using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

/// <summary>A status as a row of the table <c>status</c>, there and back.</summary>
internal static class SqliteRow
{
    /// <summary>The columns, in the order that <see cref="Read"/> expects.</summary>
    public const string Columns = "uid, status, timestamp, quoted, incarnation, epoch, seq, source, actor, through, at";

    private static readonly string[] Names = Columns.Split(", ");

    /// <summary>The command's parameters, one a column and of its name, without values yet.</summary>
    public static void AddParameters(SqliteCommand command)
    {
        foreach (var name in Names)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = "$" + name });
        }
    }

    /// <summary>Sets the values of what <see cref="AddParameters"/> added.</summary>
    public static void Bind(SqliteCommand command, in StoredStatus stored)
    {
        var record = stored.Record;
        var values = command.Parameters;
        values[0].Value = stored.Uid.ToString();
        values[1].Value = (long)record.Status;
        values[2].Value = record.Timestamp.IsNone ? DBNull.Value : record.Timestamp.ToString();
        values[3].Value = record.Timestamp.IsQuoted ? 1L : 0L;
        values[4].Value = unchecked((long)record.Version.Incarnation);
        values[5].Value = record.Version.Epoch;
        values[6].Value = record.Version.Seq;
        values[7].Value = (long)record.Source.Kind;
        values[8].Value = record.Source.Actor;
        values[9].Value = record.Source.Through;
        values[10].Value = record.Source.At.UtcTicks - DateTime.UnixEpoch.Ticks;
    }

    /// <summary>The status in the reader's current row.</summary>
    /// <exception cref="StoreException">The row holds what this program never writes.</exception>
    public static StoredStatus Read(SqliteDataReader row, string file)
    {
        var timestamp = default(ClientTimestamp);
        var status = row.GetInt64(1);
        var version = new StatusVersion(unchecked((ulong)row.GetInt64(4)), row.GetInt64(5), row.GetInt64(6));
        var kind = row.GetInt64(7);
        var ticks = unchecked(row.GetInt64(10) + DateTime.UnixEpoch.Ticks);
        if (!Uid.TryParse(row.GetString(0), out var uid)
            || !StatusNames.IsStatus(status)
            || (!row.IsDBNull(2) && !ClientTimestamp.TryParse(Encoding.UTF8.GetBytes(row.GetString(2)), row.GetInt64(3) != 0, out timestamp))
            || version.IsNone || version.Epoch < 1 || version.Seq < 1
            || kind is < (long)SourceKind.Client or > (long)SourceKind.Offline
            || ticks < 0 || ticks > DateTime.MaxValue.Ticks)
        {
            throw SqliteErrors.Damaged(file, $"the row of {row.GetString(0)} holds values that are out of range", inner: null);
        }

        var source = new ChangeSource((SourceKind)kind, row.GetString(8), row.GetString(9), new DateTimeOffset(ticks, TimeSpan.Zero));
        return new StoredStatus(uid, new StatusRecord((Status)status, timestamp, version, source));
    }
}
