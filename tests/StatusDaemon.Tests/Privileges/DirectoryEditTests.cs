using CsCheck;
using StatusDaemon.Names;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Privileges;

public sealed class DirectoryEditTests
{
    private static readonly string[] People = ["u0", "u1", "u2", "u3"];
    private static readonly string[] DNames = ["n0@A", "n1@A", "n2@A", "m0@B", "m1@B"];
    private static readonly string[] Numbers = ["10", "100", "101", "11", "2"];

    private static readonly Gen<Key> Keys = Gen.Select(Gen.Int[0, 4], Gen.Int[0, 4], Gen.Int[0, 5], Selectors.Array[0, 3], (kind, key, value, selectors) => new Key(kind, key, value, selectors));

    private static readonly Gen<(DirectoryPolicy Policy, Key[][] Batches)> Histories = Gen.Select(Policies, Keys.Array[0, 6].Array[1, 12]);

    [Fact]
    public void A_derived_snapshot_is_what_the_keys_say() => Histories.Sample(history =>
    {
        var model = new Model();
        var snapshot = new DirectorySnapshot([], history.Policy);
        foreach (var batch in history.Batches)
        {
            var before = snapshot;
            var beforeText = Text(before);
            snapshot = Derive(snapshot, batch, model);
            Assert.Equal(beforeText, Text(before));
            Assert.Equal(Text(model.Rebuilt(history.Policy)), Text(snapshot));
            Assert.Equal(snapshot.Subscribers.Count(subscriber => subscriber.IsShownOtherwise), snapshot.ShownOtherwise);
            Assert.Equal(ReferenceEquals(before, snapshot) ? before.Revision : before.Revision + 1, snapshot.Revision);
        }
    }, iter: 3_000, threads: 1);

    [Fact]
    public void Each_two_snapshots_differ_by_what_a_comparison_of_everybody_says() => Histories.Sample(history =>
    {
        var model = new Model();
        List<DirectorySnapshot> all = [new DirectorySnapshot([], history.Policy)];
        foreach (var batch in history.Batches)
        {
            all.Add(Derive(all[^1], batch, model));
        }

        foreach (var from in all)
        {
            foreach (var to in all)
            {
                var change = DirectoryChange.Between(from, to);
                var whole = DirectoryChange.Between(new DirectorySnapshot(from.Subscribers, from.Policy), new DirectorySnapshot(to.Subscribers, to.Policy));
                Assert.Equal(Text(whole), Text(change));
            }
        }
    }, iter: 500, threads: 1);

    [Fact]
    public void An_index_finds_whom_a_selector_speaks_of() => Gen.Select(Histories, Selectors, Gen.Int[0, 12]).Sample(sample =>
    {
        var (history, selector, most) = sample;
        var model = new Model();
        var snapshot = history.Batches.Aggregate(new DirectorySnapshot([], history.Policy), (snapshot, batch) => Derive(snapshot, batch, model));
        var found = new List<Uid>();
        if (snapshot.TryFind(selector, most, found) && selector is not Selector.One)
        {
            Assert.Equal(Uids.Where(uid => snapshot.IsMatched([selector], UidOf(uid))), found.Select(uid => uid.ToString()).Distinct().Order(StringComparer.Ordinal));
        }
    }, iter: 5_000, threads: 1);

    [Fact]
    public void A_number_that_moves_has_one_owner_in_every_snapshot()
    {
        var edit = new DirectoryEdit(DirectorySnapshot.Empty);
        edit.SetLookUp(NumberOf("1"), UidOf("a"));
        edit.SetLookUp(NumberOf("2"), UidOf("a"));
        var before = edit.Apply();
        edit = new DirectoryEdit(before);
        edit.SetLookUp(NumberOf("1"), UidOf("b"));
        var after = edit.Apply();
        Assert.True(before.TryGet(NumberOf("1"), out var a) && a.Uid.Equals(UidOf("a")) && a.Numbers.Count == 2);
        Assert.True(after.TryGet(NumberOf("1"), out var b) && b.Uid.Equals(UidOf("b")) && b.Numbers is [_]);
        Assert.True(after.TryGet(UidOf("a"), out a) && a.Numbers is [var left] && left == NumberOf("2"));
        var change = DirectoryChange.Between(before, after);
        Assert.Equal([UidOf("b")], change.Added);
        Assert.Equal([UidOf("a")], change.AttributesChanged);
    }

    [Fact]
    public void A_subscriber_is_there_while_anything_leads_to_it_or_describes_it_and_its_rules_wait()
    {
        var uid = UidOf("a");
        var snapshot = Edit(DirectorySnapshot.Empty, edit => edit.SetBlack(uid, [SelectorOf("*")]));
        Assert.False(snapshot.TryGet(uid, out _));
        snapshot = Edit(snapshot, edit => edit.SetLookUp(DNameOf("a@A"), uid));
        Assert.True(snapshot.TryGet(DNameOf("a@A"), out var a) && a.Rules.Black.Count == 1 && a.DName == DNameOf("a@A"));
        snapshot = Edit(snapshot, edit => edit.SetDescription(uid, new Description(Name: "Alice")));
        snapshot = Edit(snapshot, edit => edit.SetLookUp(DNameOf("a@A"), null));
        Assert.True(snapshot.TryGet(uid, out a) && a.Name == "Alice" && a.DName.IsEmpty && a.DNames.Count == 0);
        snapshot = Edit(snapshot, edit => edit.SetDescription(uid, null));
        Assert.False(snapshot.TryGet(uid, out _));
        snapshot = Edit(snapshot, edit => edit.SetLookUp(NumberOf("1"), uid));
        Assert.True(snapshot.TryGet(uid, out a) && a.Rules.Black.Count == 1);
    }

    [Fact]
    public void Keys_that_say_what_they_said_make_no_new_snapshot()
    {
        void Say(DirectoryEdit edit)
        {
            edit.SetLookUp(DNameOf("a@A"), UidOf("a"));
            edit.SetLookUp(NumberOf("1"), UidOf("a"));
            edit.SetDescription(UidOf("a"), new Description(DNameOf("other@A"), [NumberOf("1"), NumberOf("2")], DomainOf("d"), "Alice"));
            edit.SetBlack(UidOf("a"), [SelectorOf("b"), SelectorOf("c")]);
        }

        var snapshot = Edit(DirectorySnapshot.Empty, Say);
        Assert.Equal(1, snapshot.ShownOtherwise);
        Assert.Same(snapshot, Edit(snapshot, Say));
        Assert.Same(snapshot, Edit(snapshot, edit => edit.SetBlack(UidOf("a"), [SelectorOf("c"), SelectorOf("b")])));
    }

    [Fact]
    public void A_follower_who_is_more_batches_behind_than_are_kept_still_learns_everything()
    {
        var first = Edit(DirectorySnapshot.Empty, edit => edit.SetLookUp(NumberOf("1"), UidOf("a")));
        var last = Enumerable.Range(0, 1_000).Aggregate(first, (snapshot, number) => Edit(snapshot, edit => edit.SetBlack(UidOf("a"), [SelectorOf($"b{number}")])));
        last = Edit(last, edit => edit.SetLookUp(NumberOf("2"), UidOf("c")));
        var change = DirectoryChange.Between(first, last);
        Assert.Equal([UidOf("a")], change.RulesChanged);
        Assert.Equal([UidOf("c")], change.Added);
    }

    [Fact]
    public void What_follows_a_load_of_everybody_is_not_compared_with_everybody()
    {
        var loaded = Edit(DirectorySnapshot.Empty, edit =>
        {
            for (var number = 0; number < 20_000; number++)
            {
                edit.SetLookUp(NumberOf($"{number}"), UidOf($"u{number}"));
            }
        });
        var last = loaded;
        for (var batch = 0; batch < 100; batch++)
        {
            last = Edit(last, edit => edit.SetBlack(UidOf($"u{batch}"), [SelectorOf("*")]));
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(100, DirectoryChange.Between(loaded, last).RulesChanged.Count);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50_000); // a set of everybody is some 600,000
    }

    private static DirectorySnapshot Edit(DirectorySnapshot from, Action<DirectoryEdit> change)
    {
        var edit = new DirectoryEdit(from);
        change(edit);
        return edit.Apply();
    }

    private static DirectorySnapshot Derive(DirectorySnapshot from, Key[] batch, Model model)
    {
        var edit = new DirectoryEdit(from);
        foreach (var key in batch)
        {
            model.Apply(key);
            key.Apply(edit);
        }

        return edit.Apply();
    }

    private static string Text(DirectoryChange change) =>
        string.Join('|', ((IReadOnlySet<Uid>[])[change.Added, change.Removed, change.RulesChanged, change.AttributesChanged]).Select(set => string.Join(',', set.Select(uid => uid.ToString()).Order(StringComparer.Ordinal))));

    /// <summary>All that can be seen of a snapshot.</summary>
    private static string Text(DirectorySnapshot snapshot) => string.Join(
        '\n',
        [
            $"{snapshot.Subscribers.Count}",
            .. snapshot.Subscribers.Select(Text).Order(StringComparer.Ordinal),
            .. People.Select(uid => snapshot.TryGet(UidOf(uid).Utf8, out var subscriber) ? Text(subscriber) : "-"),
            .. DNames.Select(name => snapshot.TryGet(DNameOf(name), out var subscriber) ? Text(subscriber) : "-"),
            .. Numbers.Select(number => snapshot.TryGet(NumberOf(number), out var subscriber) ? Text(subscriber) : "-"),
            .. Uids.Select(publisher => string.Concat(Uids.Select(watcher => snapshot.Judge(UidOf(publisher), UidOf(watcher)).IsVisible ? '1' : '0'))),
        ]);

    private static string Text(Subscriber subscriber) =>
        $"{subscriber.Uid} {subscriber.DName} {string.Join(',', subscriber.DNames)} {string.Join(',', subscriber.Numbers)} {string.Join(',', subscriber.ShownNumbers)} {subscriber.Domain} {subscriber.Name}"
        + $" {Text(subscriber.Rules.Black)} {Text(subscriber.Rules.White)} {subscriber.IsDescribed}";

    private static string Text(IEnumerable<Selector> selectors) => string.Join(',', selectors.Select(selector => selector.ToString()).Distinct().Order(StringComparer.Ordinal));

    /// <summary>One key with its value, as a privilege service sets it.</summary>
    private sealed record Key(int Kind, int Name, int Value, Selector[] Selectors)
    {
        private string Uid => People[Name % People.Length];

        private string? Target => Value < People.Length ? People[Value] : null;

        private Description? Description => Value == 0 ? null : new(
            Value % 3 == 0 ? default : DNameOf(DNames[Value - 1]),
            Value == 2 ? null : [.. Numbers.Take(Value - 1).Select(NumberOf)],
            Value % 2 == 0 ? default : DomainOf(Value == 5 ? "home" : "b"),
            $"name {Value}");

        public void Apply(DirectoryEdit edit)
        {
            switch (Kind)
            {
                case 0:
                    edit.SetLookUp(DNameOf(DNames[Name]), Target is null ? null : UidOf(Target));
                    break;
                case 1:
                    edit.SetLookUp(NumberOf(Numbers[Name]), Target is null ? null : UidOf(Target));
                    break;
                case 2:
                    edit.SetDescription(UidOf(Uid), Description);
                    break;
                case 3:
                    edit.SetBlack(UidOf(Uid), Selectors);
                    break;
                default:
                    edit.SetWhite(UidOf(Uid), Selectors);
                    break;
            }
        }

        public void Apply(Dictionary<string, string?> dnames, Dictionary<string, string?> numbers, Dictionary<string, Description?> descriptions, Dictionary<string, Selector[]> black, Dictionary<string, Selector[]> white)
        {
            _ = Kind switch
            {
                0 => (object?)(dnames[DNames[Name]] = Target),
                1 => numbers[Numbers[Name]] = Target,
                2 => descriptions[Uid] = Description,
                3 => black[Uid] = Selectors,
                _ => white[Uid] = Selectors,
            };
        }
    }

    /// <summary>All keys, and the directory that is built of them whole.</summary>
    private sealed class Model
    {
        private readonly Dictionary<string, string?> dnames = [];
        private readonly Dictionary<string, string?> numbers = [];
        private readonly Dictionary<string, Description?> descriptions = [];
        private readonly Dictionary<string, Selector[]> black = [];
        private readonly Dictionary<string, Selector[]> white = [];

        public void Apply(Key key) => key.Apply(dnames, numbers, descriptions, black, white);

        public DirectorySnapshot Rebuilt(DirectoryPolicy policy) => new(People.Select(Of).OfType<Subscriber>(), policy);

        private Subscriber? Of(string uid)
        {
            DName[] names = [.. dnames.Where(pair => pair.Value == uid).Select(pair => pair.Key).Order(StringComparer.Ordinal).Select(DNameOf)];
            PhoneNumber[] own = [.. numbers.Where(pair => pair.Value == uid).Select(pair => pair.Key).Order(StringComparer.Ordinal).Select(NumberOf)];
            var description = descriptions.GetValueOrDefault(uid);
            return description is null && names.Length + own.Length == 0 ? null : new Subscriber
            {
                Uid = UidOf(uid),
                DNames = names,
                DName = description?.DName ?? default,
                Numbers = own,
                ShownNumbers = description?.Numbers ?? own,
                Domain = description?.Domain ?? default,
                Name = description?.Name ?? "",
                Rules = new BlackWhiteRules(black.GetValueOrDefault(uid, []), white.GetValueOrDefault(uid, [])),
                IsDescribed = description is not null,
            };
        }
    }
}
