using StatusDaemon.Names;
using StatusDaemon.Privileges;

namespace StatusDaemon.Directories;

/// <summary>Makes subscribers of a directory file from what a privilege database says.</summary>
internal sealed class PrivilegeExporter(PrivilegeKeys keys, List<string> leftOut)
{
    private readonly Dictionary<string, Draft> drafts = [];

    /// <summary>The subscribers; what a file can't say of them is noted.</summary>
    public IEnumerable<Subscriber> Read(PrivilegeContent content)
    {
        foreach (var (entry, saying) in content.Entries.OrderBy(pair => pair.Key.Key, StringComparer.Ordinal).ThenBy(pair => pair.Key.Part, StringComparer.Ordinal))
        {
            Note(entry, saying);
        }

        foreach (var hidden in content.Hidden)
        {
            if (drafts.TryGetValue(hidden, out var draft))
            {
                draft.IsHidden = true;
            }
        }

        return drafts.Where(draft => draft.Key.Length > 0).Select(draft => Finish(draft.Key, draft.Value)).OfType<Subscriber>();
    }

    private void Note(PrivilegeEntry entry, PrivilegeSaying saying)
    {
        if (!keys.TryRead(System.Text.Encoding.UTF8.GetBytes(entry.Key), out var item, out _))
        {
            return;
        }

        if (!Uid.TryParse(saying.Uid, out _))
        {
            leftOut.Add($"{entry.Key}: its value is no UID");
            return;
        }

        if (!drafts.TryGetValue(saying.Uid, out var draft))
        {
            drafts.Add(saying.Uid, draft = new Draft());
        }

        switch (item.Kind)
        {
            case PrivilegeKind.DName when DName.TryParse(item.Name, out var dname):
                draft.DNames.Add(dname);
                break;
            case PrivilegeKind.Number when PhoneNumber.TryParse(item.Name, out var number):
                draft.Numbers.Add(number);
                break;
            case PrivilegeKind.Description:
                draft.Fields[entry.Part] = saying.Value;
                break;
            default:
                var isBlack = entry.Key == keys.RulesOf(item.Name).Black;
                var problem = "an entry is no UTF-8";
                if (!entry.Part.Contains('\uFFFD', StringComparison.Ordinal) && Selector.TryParse(entry.Part, out var selector, out problem))
                {
                    (isBlack ? draft.Black : draft.White).Add(selector);
                }
                else
                {
                    leftOut.Add($"{entry.Key}: {problem}");
                    draft.IsHidden |= isBlack;
                    draft.HasLostWhite |= !isBlack;
                }

                break;
        }
    }

    private Subscriber? Finish(string uid, Draft draft)
    {
        var shown = draft.Fields.GetValueOrDefault("dname", "");
        var dname = draft.DNames.FirstOrDefault(name => name.ToString() == shown, draft.DNames.FirstOrDefault());
        if (dname.IsEmpty)
        {
            leftOut.Add($"{uid}: no domain name leads to it, and a directory file needs one");
            return null;
        }

        leftOut.AddRange(draft.DNames.Where(other => other != dname).Select(other => $"{other}: leads to {uid} beside {dname}, and a directory file has one domain name a subscriber"));
        return new Subscriber
        {
            Uid = Uid.TryParse(uid, out var parsed) ? parsed : throw new InvalidOperationException(),
            DName = dname,
            Numbers = draft.Numbers,
            Domain = DomainName.TryParse(Checked("domain", text => DomainName.TryParse(text, out _), PrivilegeValues.UnreadableDomain), out var domain) ? domain : default,
            Name = Checked("name", text => text.Length <= DirectoryReading.MaxNameLength && !text.Any(char.IsControl)),
            Rules = new BlackWhiteRules(draft.IsHidden || (draft.HasLostWhite && draft.White.Count == 0) ? [new Selector.Everyone()] : draft.Black.Distinct(), draft.White.Distinct()),
        };

        string Checked(string field, Func<string, bool> isGood, string instead = "")
        {
            var text = draft.Fields.GetValueOrDefault(field, "");
            if (text.Length == 0 || isGood(text))
            {
                return text;
            }

            leftOut.Add($"{uid}: its {field} can't be read");
            return instead;
        }
    }

    private sealed class Draft
    {
        public List<DName> DNames { get; } = [];

        public List<PhoneNumber> Numbers { get; } = [];

        public Dictionary<string, string> Fields { get; } = [];

        public List<Selector> Black { get; } = [];

        public List<Selector> White { get; } = [];

        /// <summary>Whether an entry or a list that can't be read hides him from everybody, as it does in the database.</summary>
        public bool IsHidden { get; set; }

        /// <summary>Whether a white entry could not be read: it shows him to nobody, and the list does not become empty by it.</summary>
        public bool HasLostWhite { get; set; }
    }
}
