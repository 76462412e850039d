using System.Diagnostics.CodeAnalysis;

namespace StatusDaemon.Gateway;

/// <summary>What is to be looked at after a time, by seconds on a ring: putting in and taking out cost the same for ten and for a hundred thousand.</summary>
/// <remarks>Nothing is taken out before its time: whoever looks decides whether it is still of interest. Owned by one loop.</remarks>
/// <param name="now">When it begins, by the clock of all times given to it.</param>
internal sealed class TimingWheel<T>(TimeSpan now)
{
    /// <summary>How exact it is: what is due comes less than this late, if it is asked often enough.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    private const int Places = 64;

    /// <summary>A place that held more gives its memory back when it is empty.</summary>
    private const int FewItems = 256;

    private readonly List<(T Item, long Step)>[] places = [.. Enumerable.Range(0, Places).Select(_ => new List<(T, long)>())];
    private long passed = now.Ticks / Step.Ticks;
    private int given; // of the place that passed last

    /// <summary>Things in it.</summary>
    public int Count { get; private set; }

    /// <summary>Puts something in.</summary>
    /// <param name="due">When it is to be looked at, not negative; what is past already comes with the next step.</param>
    public void Add(T item, TimeSpan due)
    {
        Put(item, Math.Max((due.Ticks / Step.Ticks) + (due.Ticks % Step.Ticks == 0 ? 0 : 1), passed + 1));
        Count++;
    }

    /// <summary>Takes the next one out whose time has come.</summary>
    /// <param name="now">Not before that of an earlier call.</param>
    public bool TryNext(TimeSpan now, [MaybeNullWhen(false)] out T item)
    {
        while (true)
        {
            var place = PlaceOf(passed);
            while (given < place.Count)
            {
                (item, var step) = place[given++];
                if (step <= passed)
                {
                    Count--;
                    return true;
                }

                Put(item, step); // in another round
            }

            place.Clear();
            given = 0;
            if (place.Capacity > FewItems)
            {
                place.Capacity = 0;
            }

            if (passed >= now.Ticks / Step.Ticks)
            {
                item = default;
                return false;
            }

            passed++;
        }
    }

    // Never at the place that is being emptied.
    private void Put(T item, long step) => PlaceOf(Math.Min(step, passed + Places - 1)).Add((item, step));

    private List<(T Item, long Step)> PlaceOf(long step) => places[step % Places];
}
