using System.Globalization;
using System.Text.Json;

namespace StatusDaemon.Load;

/// <summary>One process of a run: does what its standard input says, and reports on its standard output. See <see cref="CrowdProcess"/>.</summary>
internal sealed class CrowdProgram
{
    private const int Second = 1_000_000;
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(10);

    private readonly Scenario scenario;
    private readonly Crowd crowd;
    private readonly TextWriter output;
    private readonly int part;

    private CrowdProgram(CrowdOrder order, Crowd crowd, TextWriter output)
    {
        scenario = order.Scenario;
        part = order.Part;
        this.crowd = crowd;
        this.output = output;
    }

    /// <summary>Runs until the input ends.</summary>
    public static int Run(TextReader input, TextWriter output)
    {
        var order = JsonSerializer.Deserialize(input.ReadLine() ?? "", LoadJson.Default.CrowdOrder)!;
        using var crowd = new Crowd(order, new Community(order.Scenario, order.Part));
        var program = new CrowdProgram(order, crowd, output);
        string? line = null;
        var gate = new Lock();
        new Thread(Listen) { IsBackground = true }.Start();
        while (true)
        {
            string? next;
            lock (gate)
            {
                next = line;
                line = null;
            }

            switch (next?.Split(' '))
            {
                case null:
                    crowd.Poll(20); // answers pings meanwhile
                    break;
                case ["connect", var count]:
                    program.Connect(int.Parse(count, CultureInfo.InvariantCulture));
                    break;
                case ["load"]:
                    program.Load();
                    break;
                default:
                    return 0;
            }
        }

        void Listen()
        {
            string next;
            do
            {
                next = input.ReadLine() ?? "end";
                lock (gate)
                {
                    line = next;
                }
            }
            while (next != "end");
        }
    }

    private void Connect(int count)
    {
        var start = crowd.Now;
        crowd.ConnectTo(count, ConnectPatience);
        Report(new CrowdReport("connected") { Seconds = (crowd.Now - start) / 1e6 });
    }

    private void Load()
    {
        if (scenario.Kind == LoadKind.Rate)
        {
            PublishAtRate();
        }
        else
        {
            PublishInFlood();
        }

        var patience = crowd.Now + (long)DrainPatience.TotalMicroseconds;
        while (crowd.Ledger.Missing(crowd.IsUp) > 0 && crowd.Now < patience)
        {
            crowd.PollUntil(crowd.Now + (Second / 10));
        }

        crowd.Ledger.Close(crowd.IsUp);
        Report(new CrowdReport("checked") { Skipped = crowd.Measured.Skipped, Latencies = crowd.Measured.Latencies.Counts });
    }

    private void PublishInFlood()
    {
        var flood = new Flood(crowd, scenario.Publishers);
        crowd.Delivered = flood.See;
        flood.Begin();
        Serve(scenario.WarmUp);
        Begin();
        Serve(scenario.Duration);
        End();
        crowd.Delivered = null;

        void Serve(double seconds)
        {
            var end = crowd.Now + (long)(seconds * Second);
            while (crowd.Now < end)
            {
                crowd.PollUntil(Math.Min(end, crowd.Now + (Second / 5)));
                flood.Rescue();
            }
        }
    }

    /// <summary>Publications come when they are due, and the time on the way counts from then: a load that comes too late hides no delay.</summary>
    private void PublishAtRate()
    {
        var random = new Random(part);
        var start = crowd.Now + 1000;
        var measured = start + (long)(scenario.WarmUp * Second);
        var end = measured + (long)(scenario.Duration * Second);
        var began = false;
        for (long published = 0; start + (long)(published / scenario.Rate * Second) is var due && due < end; published++)
        {
            if (!began && due >= measured)
            {
                began = true;
                crowd.PollUntil(measured);
                Begin();
            }

            crowd.PollUntil(due);
            crowd.Poll(0);
            crowd.Publish(Draw(random), due);
        }

        crowd.PollUntil(end);
        End();
    }

    private int Draw(Random random)
    {
        while (true)
        {
            var publisher = scenario.IsStar ? 0 : random.Next(crowd.Community.Count);
            if (crowd.Community.WatchersOf(publisher) > 0)
            {
                return publisher;
            }
        }
    }

    private void Begin()
    {
        crowd.Measured.Begin(crowd.Now);
        Report(new CrowdReport("began"));
    }

    private void End()
    {
        crowd.Measured.End(crowd.Now);
        Report(new CrowdReport("ended") { Seconds = crowd.Measured.Seconds, Deliveries = crowd.Measured.Deliveries });
    }

    private void Report(CrowdReport report)
    {
        report = report with
        {
            Ready = crowd.Ready,
            Failed = crowd.Failed,
            Repeated = crowd.Ledger.Repeated,
            Violations = crowd.Ledger.Violations,
            Problem = crowd.Ledger.Problem ?? crowd.Problem,
            CpuSeconds = Environment.CpuUsage.TotalTime.TotalSeconds,
        };
        output.WriteLine(JsonSerializer.Serialize(report, LoadJson.Default.CrowdReport));
        output.Flush();
    }
}
