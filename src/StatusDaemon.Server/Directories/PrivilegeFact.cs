using StatusDaemon.Names;
using StatusDaemon.Privileges;

namespace StatusDaemon.Directories;

/// <summary>What the privilege database says of one item.</summary>
internal abstract record PrivilegeFact
{
    private PrivilegeFact()
    {
    }

    /// <summary>What of it can't be taken, in words; null where all of it can.</summary>
    public string? Problem { get; init; }

    /// <summary>Whether it says nothing, or nothing that can be taken.</summary>
    public abstract bool IsGone { get; }

    /// <summary>Whether a snapshot says the same of the item.</summary>
    public abstract bool IsIn(DirectorySnapshot snapshot, PrivilegeItem item);

    /// <summary>Makes a snapshot say it.</summary>
    public abstract void PutInto(DirectoryEdit edit, PrivilegeItem item);

    private static Uid UidOf(PrivilegeItem item) => Uid.TryParse(item.Name, out var uid) ? uid : throw new ArgumentException($"{item} has no UID", nameof(item));

    /// <summary>Whom a domain name or a number leads to; null for nobody.</summary>
    public sealed record LookUp(Uid? To) : PrivilegeFact
    {
        /// <inheritdoc/>
        public override bool IsGone => To is null;

        /// <inheritdoc/>
        public override bool IsIn(DirectorySnapshot snapshot, PrivilegeItem item)
        {
            var found = item.Kind == PrivilegeKind.DName
                ? DName.TryParse(item.Name, out var dname) && snapshot.TryGet(dname, out var named) ? named : null
                : PhoneNumber.TryParse(item.Name, out var number) && snapshot.TryGet(number, out var numbered) ? numbered : null;
            return Equals(found?.Uid, To);
        }

        /// <inheritdoc/>
        public override void PutInto(DirectoryEdit edit, PrivilegeItem item)
        {
            if (item.Kind == PrivilegeKind.DName && DName.TryParse(item.Name, out var dname))
            {
                edit.SetLookUp(dname, To);
            }
            else if (PhoneNumber.TryParse(item.Name, out var number))
            {
                edit.SetLookUp(number, To);
            }
        }
    }

    /// <summary>What is shown of a subscriber; null if nothing describes it.</summary>
    public sealed record Display(Description? Shown) : PrivilegeFact
    {
        /// <inheritdoc/>
        public override bool IsGone => Shown is null;

        /// <inheritdoc/>
        public override bool IsIn(DirectorySnapshot snapshot, PrivilegeItem item) =>
            snapshot.TryGet(UidOf(item), out var subscriber) ? subscriber.IsDescribedBy(Shown) : Shown is null;

        /// <inheritdoc/>
        public override void PutInto(DirectoryEdit edit, PrivilegeItem item) => edit.SetDescription(UidOf(item), Shown);
    }

    /// <summary>The two lists of a subscriber.</summary>
    public sealed record Lists(IReadOnlyCollection<Selector> Black, IReadOnlyCollection<Selector> White) : PrivilegeFact
    {
        /// <inheritdoc/>
        public override bool IsGone => Black.Count + White.Count == 0;

        /// <inheritdoc/>
        public override bool IsIn(DirectorySnapshot snapshot, PrivilegeItem item) => snapshot.RulesOf(UidOf(item)).Have(Black, White);

        /// <inheritdoc/>
        public override void PutInto(DirectoryEdit edit, PrivilegeItem item)
        {
            var uid = UidOf(item);
            edit.SetBlack(uid, Black);
            edit.SetWhite(uid, White);
        }
    }
}
