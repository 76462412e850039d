using System.Collections.Frozen;
using System.Runtime.InteropServices;

namespace StatusDaemon.Auth;

/// <summary>Looks before the start whether Kerberos logins will work, since the library itself says so only to the first client, and badly.</summary>
/// <remarks>
/// What it cannot see without a KDC: whether the KDC has newer keys than the keytab, and how far the clocks are apart. Both show in
/// the reasons of refusals.
/// </remarks>
internal sealed record AuthProbe
{
    /// <summary>The name under <c>STATE.path</c> of a replay cache that no setting names.</summary>
    public const string ReplayCacheName = "replay.rcache2";

    /// <summary>How far two clocks may differ: the default of Kerberos.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    /// <summary>Before this program was written: a clock that was never set.</summary>
    private static readonly DateTimeOffset Earliest = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly IReadOnlyList<ServiceName> services;

    private AuthProbe(IReadOnlyList<ServiceName> services) => this.services = services;

    /// <summary>What stops the start, each a sentence that says what to do; empty if nothing does.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>What looks wrong and may be right.</summary>
    public required IReadOnlyList<LoginWarning> Warnings { get; init; }

    /// <summary>All keys of the keytab.</summary>
    public required IReadOnlyList<KeytabKey> Keys { get; init; }

    /// <summary>What to build the acceptor from; null if there are problems.</summary>
    public GssSetup? Setup { get; init; }

    /// <summary>Services, versions of their keys, and realms, for the start; null if there are problems.</summary>
    public LoginReport.Kerberos? Report => Setup is null ? null : new LoginReport.Kerberos(
        [.. services.Select(service => service.ToString())],
        [.. Keys.Where(IsWanted).GroupBy(key => key.Principal).Select(Versions)],
        [.. Setup.Realms.Order(StringComparer.Ordinal)],
        Warnings);

    /// <summary>Looks at library, keytab, replay cache and clock.</summary>
    /// <param name="options">With a keytab: where none is set the sandbox realm gives one first.</param>
    /// <param name="statePath"><c>STATE.path</c>; made if missing.</param>
    /// <param name="hostName">This host's, for the default service name: its keys may have it with any domain behind it.</param>
    public static AuthProbe Run(AuthOptions options, string statePath, string hostName, TimeProvider clock)
    {
        List<string> problems = [];
        if (!NativeLibrary.TryLoad(NativeGss.Library, out _))
        {
            problems.Add($"The Kerberos library {NativeGss.Library} is not installed: run ./deploy.sh, or apt-get install libgssapi-krb5-2.");
        }

        IReadOnlyList<KeytabKey> keys = [];
        if (options.Keytab is null)
        {
            problems.Add("AUTH.keytab is not set: name the file that has the keys of this service.");
        }
        else if (AuthFiles.KeytabProblem(options.Keytab, out keys) is { } problem)
        {
            problems.Add(problem);
        }

        var services = Services(options, keys, hostName, problems);
        var replayCache = options.ReplayCache ?? Path.Combine(statePath, ReplayCacheName);
        if (AuthFiles.ReplayCacheProblem(replayCache, makesFolder: options.ReplayCache is null) is { } unwritable)
        {
            problems.Add(unwritable);
        }

        var realms = options.Realms.Count > 0 ? options.Realms : [.. keys.Select(RealmOf)];
        return new AuthProbe(services)
        {
            Problems = problems,
            Warnings = Warn(keys, clock.GetUtcNow()),
            Keys = keys,
            Setup = problems.Count > 0 ? null : new GssSetup
            {
                Keytab = options.Keytab!,
                ReplayCache = replayCache,
                Services = services.ToFrozenSet(),
                Realms = realms.ToFrozenSet(StringComparer.Ordinal),
            },
        };
    }

    private static List<ServiceName> Services(AuthOptions options, IReadOnlyList<KeytabKey> keys, string hostName, List<string> problems)
    {
        List<ServiceName> wanted = [];
        foreach (var text in options.ServiceNames)
        {
            if (ServiceName.TryParse(text, out var name))
            {
                wanted.Add(name);
            }
            else
            {
                problems.Add($"AUTH.servicename {text} is not of the form HTTP@host.");
            }
        }

        var inKeytab = keys.Select(ServiceOf).OfType<ServiceName>().ToHashSet();
        if (options.ServiceNames.Count == 0)
        {
            var host = hostName.ToLowerInvariant();
            wanted.AddRange(inKeytab.Where(name => name.Service == "HTTP" && (name.Host == host || name.Host.StartsWith(host + '.', StringComparison.Ordinal))));
            if (wanted.Count == 0)
            {
                wanted.Add(new ServiceName("HTTP", host));
            }
        }

        // With no key at all the keytab's own problem says enough.
        problems.AddRange(wanted.Where(name => keys.Count > 0 && !inKeytab.Contains(name)).Select(name =>
            $"The keytab {options.Keytab} has no key of {name}, but of {string.Join(", ", keys.Select(key => key.Principal).Distinct())}: "
            + "add the key to it, or set AUTH.servicename to the name that clients ask for."));
        return wanted;
    }

    private static List<LoginWarning> Warn(IReadOnlyList<KeytabKey> keys, DateTimeOffset now)
    {
        List<LoginWarning> warnings = [];
        if (now < Earliest)
        {
            warnings.Add(new LoginWarning.ClockUnset(now));
        }
        else if (keys.Count > 0 && keys.Max(key => key.Made) is var newest && newest > now + Skew)
        {
            warnings.Add(new LoginWarning.KeyFromTheFuture(newest, now));
        }

        return warnings;
    }

    private bool IsWanted(KeytabKey key) => ServiceOf(key) is { } service && Setup!.Services.Contains(service);

    private static string Versions(IGrouping<string, KeytabKey> keys) =>
        $"{keys.Key} (kvno {string.Join(", ", keys.Select(key => key.Version).Distinct().Order())})";

    private static ServiceName? ServiceOf(KeytabKey key) => ServiceName.TryParsePrincipal(key.Principal, out var name, out _) ? name : null;

    private static string RealmOf(KeytabKey key) => key.Principal[(key.Principal.LastIndexOf('@') + 1)..];
}
