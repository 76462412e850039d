using System.Diagnostics.Metrics;
using StatusDaemon.Telemetry;

namespace StatusDaemon.Auth;

/// <summary>Counts logins: <c>statusd.logins</c> with <c>result</c> and, where nobody was let in, <c>reason</c> (docs/operations.md).</summary>
internal sealed class LoginMetrics(IMeterFactory meters)
{
    private readonly Counter<long> logins = meters.OfProgram().CreateCounter<long>("statusd.logins", "{login}", "Requests that had to say whose they are, by what came of it.");

    public void Accepted() => Count("accepted");

    public void Challenged() => Count("challenged");

    public void Busy() => Count("busy");

    public void Broken() => Count("broken");

    public void Refused(RefusalReason reason) =>
        logins.Add(1, new KeyValuePair<string, object?>("result", "refused"), new KeyValuePair<string, object?>("reason", Name(reason)));

    private static string Name(RefusalReason reason) => reason switch
    {
        RefusalReason.Garbage => "garbage",
        RefusalReason.NotKerberos => "not-kerberos",
        RefusalReason.Replay => "replay",
        RefusalReason.Skew => "skew",
        RefusalReason.Expired => "expired",
        RefusalReason.WrongKey => "wrong-key",
        RefusalReason.WrongService => "wrong-service",
        RefusalReason.ForeignRealm => "foreign-realm",
        RefusalReason.BadHeader => "bad-header",
        RefusalReason.NotSubscriber => "not-subscriber",
        RefusalReason.Origin => "origin",
        RefusalReason.Other => "other",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private void Count(string result) => logins.Add(1, new KeyValuePair<string, object?>("result", result));
}
