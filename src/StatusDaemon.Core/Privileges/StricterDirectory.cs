namespace StatusDaemon.Privileges;

/// <summary>A directory under which nobody sees a publisher whom another directory hides from him: what holds while the members of a cluster have different directory files (decision 0019).</summary>
/// <remarks>
/// Who is there, and everything but rules, is as the own directory says. A publisher whom another one does not know is hidden from everybody. Selectors speak of
/// watchers as the own directory describes them, so a watcher whose numbers, dnames or domain differ may be seen as another one there.
/// </remarks>
public static class StricterDirectory
{
    /// <summary>Makes a directory as strict as others.</summary>
    /// <param name="others">In any order.</param>
    /// <returns>Derived from <paramref name="own"/>; the very same if no rule of it changes.</returns>
    public static DirectorySnapshot Of(DirectorySnapshot own, IReadOnlyCollection<DirectorySnapshot> others)
    {
        var edit = new DirectoryEdit(own);
        foreach (var subscriber in others.Count == 0 ? [] : own.Subscribers)
        {
            var rules = others.Aggregate(subscriber.Rules, (rules, other) => other.TryGet(subscriber.Uid, out var there)
                ? rules.StricterWith(there.Rules, own.Policy.AllowsByDefault)
                : rules.StricterWith(BlackWhiteRules.HiddenFromAll, own.Policy.AllowsByDefault));
            if (!ReferenceEquals(rules, subscriber.Rules))
            {
                edit.SetBlack(subscriber.Uid, rules.Black);
                edit.SetWhite(subscriber.Uid, rules.White);
            }
        }

        return edit.Apply();
    }
}
