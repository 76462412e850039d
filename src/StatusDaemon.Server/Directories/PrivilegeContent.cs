using StatusDaemon.Names;
using StatusDaemon.Privileges;

namespace StatusDaemon.Directories;

/// <summary>All that a privilege database says, or should say, entry by entry and as it is written.</summary>
internal sealed class PrivilegeContent
{
    /// <summary>The fields of the hash that we know; others are the privilege service's own and left alone.</summary>
    public static readonly string[] Fields = ["dname", "numbers", "domain", "name"];

    /// <summary>The entries.</summary>
    public Dictionary<PrivilegeEntry, PrivilegeSaying> Entries { get; } = [];

    /// <summary>UIDs of subscribers with a list that can't be read: hidden from everybody.</summary>
    public HashSet<string> Hidden { get; } = [];

    /// <summary>What a directory says in the words of the database.</summary>
    /// <param name="problems">Names that its keys cannot carry.</param>
    public static PrivilegeContent Of(DirectorySnapshot directory, PrivilegeKeys keys, List<string> problems)
    {
        var content = new PrivilegeContent();
        foreach (var subscriber in directory.Subscribers)
        {
            content.Add(subscriber, keys, problems);
        }

        return content;
    }

    /// <summary>What is to be done to make one content the other, subscriber by subscriber.</summary>
    public static IReadOnlyList<PrivilegeChange> Changes(PrivilegeContent from, PrivilegeContent to)
    {
        List<(PrivilegeEntry Entry, PrivilegeChange Change)> changes = [];
        foreach (var (entry, after) in to.Entries)
        {
            if (!from.Entries.TryGetValue(entry, out var before))
            {
                changes.Add((entry, Change(PrivilegeChangeKind.Added, entry, null, after)));
            }
            else if (before.Value != after.Value)
            {
                changes.Add((entry, Change(PrivilegeChangeKind.Changed, entry, before, after)));
            }
        }

        changes.AddRange(from.Entries.Where(entry => !to.Entries.ContainsKey(entry.Key)).Select(gone => (gone.Key, Change(PrivilegeChangeKind.Removed, gone.Key, gone.Value, null))));
        return
        [
            .. changes.OrderBy(change => change.Change.Uid, StringComparer.Ordinal).ThenBy(change => change.Entry.Type)
                .ThenBy(change => change.Entry.Key, StringComparer.Ordinal).ThenBy(change => change.Entry.Part, StringComparer.Ordinal).Select(change => change.Change),
        ];
    }

    private static PrivilegeChange Change(PrivilegeChangeKind kind, PrivilegeEntry entry, PrivilegeSaying? before, PrivilegeSaying? after)
    {
        var hasValue = entry.Type != PrivilegeKeyType.Set;
        return new PrivilegeChange(
            kind, (after ?? before)!.Value.Uid, entry.Key, entry.Type == PrivilegeKeyType.LookUp ? null : entry.Part, hasValue ? before?.Value : null, hasValue ? after?.Value : null);
    }

    private void Add(Subscriber subscriber, PrivilegeKeys keys, List<string> problems)
    {
        var uid = subscriber.Uid.ToString();
        foreach (var dname in subscriber.DNames)
        {
            if (keys.CanName(dname))
            {
                Entries[new(PrivilegeKeyType.LookUp, keys.KeyOf(new PrivilegeItem(PrivilegeKind.DName, dname.ToString())), "")] = new(uid, uid);
            }
            else
            {
                problems.Add($"{dname} can't be a key: PRIVILEGE_REDIS.keys.dname has no place for its realm, or mistakes one part of it for another");
            }
        }

        foreach (var number in subscriber.Numbers)
        {
            Entries[new(PrivilegeKeyType.LookUp, keys.KeyOf(new PrivilegeItem(PrivilegeKind.Number, number.ToString())), "")] = new(uid, uid);
        }

        var hash = keys.KeyOf(new PrivilegeItem(PrivilegeKind.Description, uid));
        string[] values = [subscriber.DName.ToString(), string.Join(',', subscriber.ShownNumbers), subscriber.Domain.ToString(), subscriber.Name];
        foreach (var (field, value) in Fields.Zip(values).Where(pair => pair.Second.Length > 0))
        {
            Entries[new(PrivilegeKeyType.Hash, hash, field)] = new(value, uid);
        }

        var (black, white) = keys.RulesOf(uid);
        foreach (var (key, selectors) in (ReadOnlySpan<(string, IReadOnlyList<Selector>)>)[(black, subscriber.Rules.Black), (white, subscriber.Rules.White)])
        {
            foreach (var selector in selectors)
            {
                Entries[new(PrivilegeKeyType.Set, key, selector.ToString())] = new("", uid);
            }
        }
    }
}
