using CsCheck;
using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>Small directories in which selectors often match, for property tests.</summary>
internal static class SmallDirectories
{
    /// <summary>The UIDs that may be in one; <c>u9</c> never is.</summary>
    public static readonly string[] Uids = ["u0", "u1", "u2", "u3", "u9"];

    public static readonly Gen<Selector> Selectors =
        Gen.OneOf("*", "u0", "u1", "u9", "number:10*", "number:11", "dname:*@A", "dname:n2@*", "domain:a", "domain:b", "domain:home").Select(SelectorOf);

    public static readonly Gen<DirectoryPolicy> Policies =
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Int[0, 2], (allows, hasHome, unknown) => new DirectoryPolicy
        {
            AllowsByDefault = allows,
            AcceptsUnknown = unknown > 0,
            AdmitsUnknown = unknown > 1,
            Home = hasHome ? DomainOf("home") : default,
        });

    // Numbers and names are taken from the place, so that they are unique; where a list has none, the subscriber is not there.
    private static readonly Gen<Subscriber?[]> Subscribers =
        Gen.Select(Gen.Int[0, 3], Gen.OneOf("", "a", "b"), Gen.Bool, Selectors.Array[0, 2], Selectors.Array[0, 2], (variant, domain, otherName, black, white) =>
            (variant, domain, otherName, black, white)).Array[4].Select(all => all.Select((one, at) => one.variant == 0 ? null : new Subscriber
            {
                Uid = UidOf($"u{at}"),
                DName = DNameOf(one.otherName ? $"m{at}@B" : $"n{at}@A"),
                Numbers = one.variant switch { 1 => [], 2 => [NumberOf($"1{at}")], _ => [NumberOf($"10{at}"), NumberOf($"1{at}")] },
                Domain = one.domain.Length == 0 ? default : DomainOf(one.domain),
                Rules = new BlackWhiteRules(one.black, one.white),
            }).ToArray());

    public static readonly Gen<DirectorySnapshot> Any =
        Gen.Select(Subscribers, Policies, (subscribers, policy) => new DirectorySnapshot(subscribers.OfType<Subscriber>(), policy));

    /// <summary>The content of one directory, under the policy of the one that it is derived from.</summary>
    public static DirectorySnapshot Derived(DirectorySnapshot from, DirectorySnapshot like)
    {
        var edit = new DirectoryEdit(from);
        foreach (var gone in from.Subscribers)
        {
            Put(edit, gone, isThere: false);
        }

        foreach (var subscriber in like.Subscribers)
        {
            Put(edit, subscriber, isThere: true);
        }

        return edit.Apply();
    }

    /// <summary>The same directory, where one subscriber has the rules that it has in another one.</summary>
    public static DirectorySnapshot WithRules(DirectorySnapshot from, Uid uid, DirectorySnapshot like)
    {
        var rules = like.TryGet(uid, out var subscriber) ? subscriber.Rules : BlackWhiteRules.None;
        var edit = new DirectoryEdit(from);
        edit.SetBlack(uid, rules.Black);
        edit.SetWhite(uid, rules.White);
        return edit.Apply();
    }

    private static void Put(DirectoryEdit edit, Subscriber subscriber, bool isThere)
    {
        foreach (var dname in subscriber.DNames)
        {
            edit.SetLookUp(dname, isThere ? subscriber.Uid : null);
        }

        foreach (var number in subscriber.Numbers)
        {
            edit.SetLookUp(number, isThere ? subscriber.Uid : null);
        }

        edit.SetDescription(subscriber.Uid, isThere ? new Description(subscriber.DName, subscriber.ShownNumbers, subscriber.Domain, subscriber.Name) : null);
        edit.SetBlack(subscriber.Uid, isThere ? subscriber.Rules.Black : []);
        edit.SetWhite(subscriber.Uid, isThere ? subscriber.Rules.White : []);
    }

    public static Uid UidOf(string text) => Uid.TryParse(text, out var uid) ? uid : throw new ArgumentException(text);

    public static DName DNameOf(string text) => DName.TryParse(text, out var name) ? name : throw new ArgumentException(text);

    public static PhoneNumber NumberOf(string text) => PhoneNumber.TryParse(text, out var number) ? number : throw new ArgumentException(text);

    public static DomainName DomainOf(string text) => DomainName.TryParse(text, out var domain) ? domain : throw new ArgumentException(text);

    public static Selector SelectorOf(string text) => Selector.TryParse(text, out var selector, out var problem) ? selector : throw new ArgumentException(problem);
}
