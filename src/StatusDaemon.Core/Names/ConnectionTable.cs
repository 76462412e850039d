namespace StatusDaemon.Names;

/// <summary>The connections that something in this process holds on to, counted: each has a place, which four bytes name.</summary>
/// <remarks>
/// Whoever watches twenty publishers is known in many shards. What they all need of his connection is here once, and a place is all that a watch keeps of it. Any thread may
/// call; the locks are held for a look-up. A place does not change while it is held, so its holders read it without a lock.
/// </remarks>
public sealed class ConnectionTable
{
    private const int StripeBits = 4;
    private const int Stripes = 1 << StripeBits;

    private readonly UidTable uids;
    private readonly Stripe[] stripes;
    private readonly Lock[] subscriberGates = [.. Enumerable.Range(0, Stripes).Select(_ => new Lock())];
    private readonly GatewayNumbers gateways = new();
    private readonly SlotChains[] bySubscriber; // asked only when the directory changes, so its chains may be longer

    internal ConnectionTable(UidTable uids)
    {
        this.uids = uids;
        stripes = [.. Enumerable.Range(0, Stripes).Select(_ => new Stripe(gateways))];
        bySubscriber = [.. Enumerable.Range(0, Stripes).Select(_ => new SlotChains(place => SubscriberOf(place).GetHashCode(), place => ref At(place).LinkBySubscriber, load: 8))];
    }

    /// <summary>Connections held now.</summary>
    public int Count => stripes.Sum(stripe => stripe.Count);

    /// <summary>The place of a connection, held until <see cref="Release"/>.</summary>
    /// <param name="gateway">The gateway's id.</param>
    /// <param name="number">The gateway's number of it.</param>
    /// <param name="subscriber">Whose it is; whoever held it first has said so for all.</param>
    public int Hold(ulong gateway, long number, Uid subscriber)
    {
        var stripe = StripeOf(number);
        lock (stripes[stripe].Gate)
        {
            var at = stripes[stripe].Find(gateway, number);
            if (at < 0)
            {
                at = stripes[stripe].Add(uids.Hold(subscriber), gateway, number);
                ChangeSubscriber((at << StripeBits) | stripe, isNew: true);
            }

            stripes[stripe][at].Holds++;
            return (at << StripeBits) | stripe;
        }
    }

    /// <summary>The place of a connection; negative if nobody holds it.</summary>
    /// <remarks>It is not held by this: whoever holds nothing of it must not rely on whose it is.</remarks>
    public int Find(ulong gateway, long number)
    {
        var stripe = StripeOf(number);
        lock (stripes[stripe].Gate)
        {
            var at = stripes[stripe].Find(gateway, number);
            return at < 0 ? at : (at << StripeBits) | stripe;
        }
    }

    /// <summary>Gives back one hold.</summary>
    /// <exception cref="InvalidOperationException">Nothing holds it: more was given back than was taken.</exception>
    public void Release(int place)
    {
        var stripe = stripes[place & (Stripes - 1)];
        lock (stripe.Gate)
        {
            ref var connection = ref stripe[place >> StripeBits];
            if (connection.Holds == 0)
            {
                throw new InvalidOperationException($"The connection at {place} is given back more often than it was taken.");
            }

            if (--connection.Holds == 0)
            {
                ChangeSubscriber(place, isNew: false);
                uids.Release(connection.Subscriber!);
                stripe.Remove(place >> StripeBits);
            }
        }
    }

    /// <summary>Whose a connection is that the caller holds.</summary>
    public Uid SubscriberOf(int place) => At(place).Subscriber!;

    /// <summary>The gateway of a connection that the caller holds.</summary>
    public ulong GatewayOf(int place) => gateways[At(place).Gateway];

    /// <summary>The gateway's number of a connection that the caller holds.</summary>
    public long NumberOf(int place) => At(place).Number;

    /// <summary>Appends the places of all connections of a subscriber, also those that the caller does not hold.</summary>
    public void Find(Uid subscriber, ICollection<int> found)
    {
        var stripe = StripeOf(subscriber);
        lock (subscriberGates[stripe])
        {
            for (var place = bySubscriber[stripe].First(subscriber.GetHashCode()); place >= 0; place = bySubscriber[stripe].Next(place))
            {
                if (SubscriberOf(place).Equals(subscriber))
                {
                    found.Add(place);
                }
            }
        }
    }

    private static int StripeOf(long number) => (int)number & (Stripes - 1); // gateways count up, so the places are used evenly

    private static int StripeOf(Uid subscriber) => (int)(subscriber.Stable >> 40) & (Stripes - 1);

    private ref Connection At(int place) => ref stripes[place & (Stripes - 1)][place >> StripeBits];

    private void ChangeSubscriber(int place, bool isNew)
    {
        var stripe = StripeOf(SubscriberOf(place));
        lock (subscriberGates[stripe])
        {
            if (isNew)
            {
                bySubscriber[stripe].Add(place);
            }
            else
            {
                bySubscriber[stripe].Remove(place);
            }
        }
    }

    /// <summary>What the process knows of a connection; the default value is a place that nobody has.</summary>
    private struct Connection
    {
        public Uid? Subscriber;
        public long Number;
        public int Gateway;
        public int Holds;
        public int LinkByNumber;
        public int LinkBySubscriber;
    }

    /// <summary>Places of every sixteenth number. All but reading a place that is held is for the owner of <see cref="Gate"/>.</summary>
    private sealed class Stripe
    {
        private const int ChunkBits = 8;
        private const int ChunkSize = 1 << ChunkBits;

        public readonly Lock Gate = new();
        private readonly SlotChains byNumber;
        private readonly Stack<int> free = new();
        private volatile Connection[][] chunks = []; // replaced when it grows; the chunks stay
        private int used;

        private readonly GatewayNumbers gateways;

        public Stripe(GatewayNumbers gateways)
        {
            this.gateways = gateways;
            byNumber = new SlotChains(at => HashOf(gateways[this[at].Gateway], this[at].Number), at => ref this[at].LinkByNumber, load: 2);
        }

        public int Count
        {
            get
            {
                lock (Gate)
                {
                    return byNumber.Count;
                }
            }
        }

        public ref Connection this[int at] => ref chunks[at >> ChunkBits][at & (ChunkSize - 1)];

        public int Find(ulong gateway, long number)
        {
            var at = byNumber.First(HashOf(gateway, number));
            while (at >= 0 && (this[at].Number != number || gateways[this[at].Gateway] != gateway))
            {
                at = byNumber.Next(at);
            }

            return at;
        }

        public int Add(Uid subscriber, ulong gateway, long number)
        {
            if (!free.TryPop(out var at))
            {
                at = used++;
                if (at == chunks.Length << ChunkBits)
                {
                    chunks = [.. chunks, new Connection[ChunkSize]];
                }
            }

            this[at] = new Connection { Subscriber = subscriber, Gateway = gateways.Hold(gateway), Number = number };
            byNumber.Add(at);
            return at;
        }

        public void Remove(int at)
        {
            byNumber.Remove(at);
            gateways.Release(this[at].Gateway);
            this[at] = default;
            free.Push(at);
        }

        // The low bits of the number are the same in all of the stripe, and all gateways have the same numbers.
        private static int HashOf(ulong gateway, long number) => (int)gateway + (int)(number >> StripeBits);
    }

    /// <summary>The gateways of the connections that are held: half of what their ids take. Any thread may read one whose connection is held.</summary>
    private sealed class GatewayNumbers
    {
        private readonly Lock gate = new();
        private readonly Dictionary<ulong, int> numbers = [];
        private readonly List<int> holds = [];
        private volatile ulong[] ids = []; // replaced when it grows; a number that nobody holds is another's later

        public ulong this[int number] => ids[number];

        public int Hold(ulong id)
        {
            lock (gate)
            {
                if (!numbers.TryGetValue(id, out var number))
                {
                    number = holds.IndexOf(0);
                    if (number < 0)
                    {
                        number = holds.Count;
                        holds.Add(0);
                    }

                    ulong[] next = [.. ids];
                    Array.Resize(ref next, holds.Count);
                    next[number] = id;
                    ids = next;
                    numbers.Add(id, number);
                }

                holds[number]++;
                return number;
            }
        }

        public void Release(int number)
        {
            lock (gate)
            {
                if (--holds[number] == 0)
                {
                    numbers.Remove(ids[number]);
                }
            }
        }
    }
}
