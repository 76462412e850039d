namespace StatusDaemon.Load;

/// <summary>Where a server is, and how to speak to it.</summary>
/// <param name="Processes">Those whose memory and processor time are the server's.</param>
internal sealed record Target(string Name, DialectName Dialect, Uri Url, IReadOnlyList<string> Headers, IReadOnlyList<int> Processes);

/// <summary>Runs one scenario against one server: has the crowd's processes go step by step, and reads the server's meters between the steps.</summary>
internal static class Conductor
{
    private static readonly TimeSpan CalmPatience = TimeSpan.FromSeconds(10);

    /// <summary>Runs it once.</summary>
    public static async Task<Figures> RunAsync(Scenario scenario, Target target, int processes)
    {
        var meter = new ServerMeter(target.Processes);
        var crowds = new List<CrowdProcess>();
        try
        {
            for (var part = 0; part < processes; part++)
            {
                crowds.Add(new CrowdProcess(new CrowdOrder(
                    scenario.Part(part, processes), target.Dialect, target.Url.Host, target.Url.Port, target.Url.PathAndQuery, target.Headers, part)));
            }

            return await RunAsync(scenario, target, meter, crowds);
        }
        finally
        {
            foreach (var crowd in crowds)
            {
                crowd.Dispose();
            }
        }
    }

    private static async Task<Figures> RunAsync(Scenario scenario, Target target, ServerMeter meter, List<CrowdProcess> crowds)
    {
        // What the server does of its start, or of the end of the run before, is not charged to this one.
        await meter.CalmAsync(CalmPatience);
        if (scenario.First > 0)
        {
            await StepAsync(crowds, part => $"connect {scenario.Part(part, crowds.Count).First}", "connected");
            await meter.CalmAsync(CalmPatience);
        }

        var (cpu, memory) = (meter.CpuSeconds, meter.ResidentBytes);
        var connected = await StepAsync(crowds, part => $"connect {scenario.Part(part, crowds.Count).Connections}", "connected");
        var memoryReady = meter.ResidentBytes;
        await meter.CalmAsync(CalmPatience);
        var added = Math.Max(1, connected.Sum(report => report.Ready) - scenario.First);
        var figures = new Figures(scenario.Name, target.Name, scenario.Connections)
        {
            ConnectsPerSecond = added / connected.Max(report => report.Seconds),
            CpuPerConnect = Known(meter, (meter.CpuSeconds - cpu) / added * 1e6),
            RssWhenReady = Known(meter, (memoryReady - memory) / (double)added),
        };
        var last = connected;
        if (scenario.Kind == LoadKind.Idle)
        {
            await Task.Delay(TimeSpan.FromSeconds(scenario.Duration));
        }
        else
        {
            (figures, last) = await LoadAsync(figures, meter, crowds);
        }

        return figures with
        {
            RssSettled = Known(meter, (meter.ResidentBytes - memory) / (double)added),
            Violations = last.Sum(report => report.Violations),
            Repeated = last.Sum(report => report.Repeated),
            Failed = last.Sum(report => report.Failed),
            Problem = last.Select(report => report.Problem).FirstOrDefault(problem => problem is not null),
        };
    }

    private static async Task<(Figures, CrowdReport[])> LoadAsync(Figures figures, ServerMeter meter, List<CrowdProcess> crowds)
    {
        var began = await StepAsync(crowds, _ => "load", "began");
        var cpu = meter.CpuSeconds;
        var ended = await StepAsync(crowds, null, "ended");
        cpu = meter.CpuSeconds - cpu;
        var last = await StepAsync(crowds, null, "checked");

        var latencies = new Histogram();
        foreach (var report in last)
        {
            latencies.Add(report.Latencies);
        }

        var deliveries = Math.Max(1, ended.Sum(report => report.Deliveries));
        return (figures with
        {
            DeliveriesPerSecond = ended.Sum(report => report.Deliveries / report.Seconds),
            CpuPerDelivery = Known(meter, cpu / deliveries * 1e6),
            LoadCpuPerDelivery = (ended.Sum(report => report.CpuSeconds) - began.Sum(report => report.CpuSeconds)) / deliveries * 1e6,
            P50 = latencies.Quantile(0.5),
            P99 = latencies.Quantile(0.99),
            P999 = latencies.Quantile(0.999),
            Skipped = last.Sum(report => report.Skipped),
        }, last);
    }

    /// <summary>Has all processes do a step at once.</summary>
    /// <param name="step">What each is asked; null where they go on by themselves.</param>
    private static async Task<CrowdReport[]> StepAsync(List<CrowdProcess> crowds, Func<int, string>? step, string report)
    {
        if (step is not null)
        {
            await Task.WhenAll(crowds.Select((crowd, part) => crowd.AskAsync(step(part))));
        }

        return await Task.WhenAll(crowds.Select(crowd => crowd.HearAsync(report)));
    }

    private static double? Known(ServerMeter meter, double value) => meter.Knows ? value : null;
}
