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
                if (Selector.TryParse(entry.Part, out var selector, out var problem))
                {
                    (entry.Key == keys.RulesOf(item.Name).Black ? draft.Black : draft.White).Add(selector);
                }
                else
                {
                    leftOut.Add($"{entry.Key}: {problem}");
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
            Domain = DomainName.TryParse(Checked("domain", text => DomainName.TryParse(text, out _)), out var domain) ? domain : default,
            Name = Checked("name", text => text.Length <= DirectoryReading.MaxNameLength && !text.Any(char.IsControl)),
            Rules = new BlackWhiteRules(draft.Black.Distinct(), draft.White.Distinct()),
        };

        string Checked(string field, Func<string, bool> isGood)
        {
            var text = draft.Fields.GetValueOrDefault(field, "");
            if (text.Length == 0 || isGood(text))
            {
                return text;
            }

            leftOut.Add($"{uid}: its {field} can't be read");
            return "";
        }
    }

    private sealed class Draft
    {
        public List<DName> DNames { get; } = [];

        public List<PhoneNumber> Numbers { get; } = [];

        public Dictionary<string, string> Fields { get; } = [];

        public List<Selector> Black { get; } = [];

        public List<Selector> White { get; } = [];
    }
}
