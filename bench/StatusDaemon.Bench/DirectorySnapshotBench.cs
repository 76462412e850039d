using System.Globalization;
using StatusDaemon.Names;
using StatusDaemon.Privileges;

namespace StatusDaemon.Bench;

/// <summary>A directory of 100,000 subscribers as a privilege service has them: bytes of each, what a batch of changes costs, and look-ups beside those of a dictionary.</summary>
/// <remarks>Everybody has a dname, a number, a description that agrees with them, and a black list of two. A batch is what a thousand changes a second bring in 20 ms.</remarks>
internal static class DirectorySnapshotBench
{
    private const int People = 100_000;
    private const int Batches = 500;
    private const int BatchSize = 20;
    private const int LookUps = 1_000_000;

    private static readonly Selector[] Strangers = [Parse("number:9*"), Parse("domain:elsewhere")];

    public static async Task RunAsync()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var directory = Load();
        var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        Measure.Print("a subscriber, all of it", string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / People,12:N1} bytes"));
        before = GC.GetTotalMemory(forceFullCollection: true);
        Subscriber[] subscribers = [.. directory.Subscribers];
        var plain = Plain(subscribers);
        bytes = GC.GetTotalMemory(forceFullCollection: true) - before - (subscribers.Length * 8);
        Measure.Print("of that three dictionaries would be", string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / People,12:N1} bytes"));
        await Measure.RateAsync("subscribers loaded, four keys each", People, () => Done(Load()));
        await Measure.RateAsync($"batches of {BatchSize} rules", Batches, () => Done(Flip(directory)));
        await Measure.RateAsync("the same, and followed by what differs", Batches, () => Done(Follow(directory)));
        await Measure.RateAsync($"batches of {BatchSize} numbers that move", Batches, () => Done(Move(directory)));
        var other = new DirectorySnapshot(subscribers, directory.Policy);
        await Measure.RateAsync("comparisons of everybody", 1, () => Done(DirectoryChange.Between(directory, other)));

        Random.Shared.Shuffle(subscribers);
        await Measure.RateAsync("look-ups by UID", LookUps, () => Done(Count(subscribers, subscriber => directory.TryGet(subscriber.Uid, out _))));
        await Measure.RateAsync("  in a dictionary", LookUps, () => Done(Count(subscribers, subscriber => plain.ByUid.TryGetValue(subscriber.Uid, out _))));
        await Measure.RateAsync("look-ups by the bytes of a UID", LookUps, () => Done(Count(subscribers, subscriber => directory.TryGet(subscriber.Uid.Utf8, out _))));
        var byBytes = plain.ByUid.GetAlternateLookup<ReadOnlySpan<byte>>();
        await Measure.RateAsync("  in a dictionary", LookUps, () => Done(Count(subscribers, subscriber => byBytes.TryGetValue(subscriber.Uid.Utf8, out _))));
        await Measure.RateAsync("look-ups by dname", LookUps, () => Done(Count(subscribers, subscriber => directory.TryGet(subscriber.DName, out _))));
        await Measure.RateAsync("  in a dictionary", LookUps, () => Done(Count(subscribers, subscriber => plain.ByDName.TryGetValue(subscriber.DName, out _))));
    }

    private static DirectorySnapshot Load()
    {
        var edit = new DirectoryEdit(new DirectorySnapshot([], new DirectoryPolicy()));
        for (var number = 0; number < People; number++)
        {
            // Each key is read by itself, so nothing is shared by what is read of one subscriber.
            edit.SetLookUp(DNameOf(number), BenchUids.Of(number));
            edit.SetLookUp(NumberOf(number), BenchUids.Of(number));
            edit.SetDescription(BenchUids.Of(number), new Description(DNameOf(number), [NumberOf(number)], default, $"Subscriber {number}"));
            edit.SetBlack(BenchUids.Of(number), Strangers);
        }

        return edit.Apply();
    }

    private static (Dictionary<Uid, Subscriber> ByUid, Dictionary<DName, Subscriber> ByDName, Dictionary<PhoneNumber, Subscriber> ByNumber) Plain(Subscriber[] subscribers) =>
        (subscribers.ToDictionary(subscriber => subscriber.Uid, Uid.Comparer), subscribers.ToDictionary(subscriber => subscriber.DName), subscribers.ToDictionary(subscriber => subscriber.Numbers[0]));

    private static DirectorySnapshot Flip(DirectorySnapshot snapshot)
    {
        for (var batch = 0; batch < Batches; batch++)
        {
            snapshot = FlipSome(snapshot, batch);
        }

        return snapshot;
    }

    private static DirectorySnapshot Follow(DirectorySnapshot snapshot)
    {
        for (var batch = 0; batch < Batches; batch++)
        {
            var next = FlipSome(snapshot, batch);
            if (DirectoryChange.Between(snapshot, next).RulesChanged.Count != BatchSize)
            {
                throw new InvalidOperationException("A change was lost.");
            }

            snapshot = next;
        }

        return snapshot;
    }

    private static DirectorySnapshot FlipSome(DirectorySnapshot snapshot, int batch)
    {
        var edit = new DirectoryEdit(snapshot);
        for (var i = 0; i < BatchSize; i++)
        {
            edit.SetBlack(BenchUids.Of(((batch * BatchSize) + i) * 7 % People), [.. Strangers, new Selector.One(BenchUids.Of(batch))]);
        }

        return edit.Apply();
    }

    private static DirectorySnapshot Move(DirectorySnapshot snapshot)
    {
        for (var batch = 0; batch < Batches; batch++)
        {
            var edit = new DirectoryEdit(snapshot);
            for (var i = 0; i < BatchSize; i++)
            {
                edit.SetLookUp(NumberOf(((batch * BatchSize) + i) * 7 % People), BenchUids.Of(batch + i));
            }

            snapshot = edit.Apply();
        }

        return snapshot;
    }

    private static int Count(Subscriber[] subscribers, Func<Subscriber, bool> isThere)
    {
        var found = 0;
        for (var i = 0; i < LookUps; i++)
        {
            found += isThere(subscribers[i % People]) ? 1 : 0;
        }

        return found == LookUps ? found : throw new InvalidOperationException("Somebody was not found.");
    }

    private static Task Done(object result)
    {
        GC.KeepAlive(result);
        return Task.CompletedTask;
    }

    private static DName DNameOf(int number) => DName.TryParse($"person{number}@EXAMPLE.ORG", out var dname) ? dname : throw new InvalidOperationException("A principal is a dname.");

    private static PhoneNumber NumberOf(int number) => PhoneNumber.TryParse($"{100_000 + number}", out var parsed) ? parsed : throw new InvalidOperationException("Digits are a number.");

    private static Selector Parse(string text) => Selector.TryParse(text, out var selector, out var problem) ? selector : throw new InvalidOperationException(problem);
}
