using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using StatusDaemon.Auth;
using StatusDaemon.Names;
using StatusDaemon.Privileges;

namespace StatusDaemon.Sandbox;

/// <summary>The Kerberos realm of a first run: a KDC on loopback that knows the subscribers of the directory, and a keytab for each.</summary>
/// <remarks>
/// It lives in a folder under <c>STATE.path</c> that only its owner may read, and is kept from start to start, so that the tickets in
/// people's caches stay good. A folder whose making was broken off, or whose database is damaged, is made anew. One KDC serves all realms
/// that the directory's names have. Who is removed from the directory keeps a keytab, and gets 403 with it.
/// </remarks>
internal sealed partial class SandboxRealm : IAsyncDisposable
{
    private const string RealmOfNobody = "SANDBOX.TEST";
    private const int PortTries = 3;

    /// <summary>krb5kdc's own bound.</summary>
    private const int MaxRealms = 32;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly SearchValues<char> RealmCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_");

    private readonly string folder;
    private readonly IReadOnlyList<ServiceName> services;
    private readonly Dictionary<string, string> environment;
    private readonly ILogger<SandboxRealm> log;
    private readonly FileStream claim;
    private readonly SemaphoreSlim turn = new(1);
    private KdcProcess? kdc;

    private SandboxRealm(string folder, IReadOnlyList<ServiceName> services, FileStream claim, ILogger<SandboxRealm> log)
    {
        this.folder = folder;
        this.services = services;
        this.claim = claim;
        this.log = log;
        environment = new() { ["KRB5_CONFIG"] = In("krb5.conf"), ["KRB5_KDC_PROFILE"] = In("kdc.conf") };
        Description = new SandboxDescription(In("krb5.conf"), [], In("service.keytab"), In("keytabs"), 0);
    }

    /// <summary>Where everything is.</summary>
    public SandboxDescription Description { get; private set; }

    /// <summary>Makes the realm, or takes up the one of the last start, and starts its KDC.</summary>
    /// <param name="statePath"><c>STATE.path</c>; made if missing.</param>
    /// <param name="options">Names of the service that the settings want; without any it is HTTP at localhost, 127.0.0.1 and this host's name.</param>
    /// <exception cref="SandboxException">It cannot be had: a program is missing, or another server has this folder.</exception>
    public static async Task<SandboxRealm> StartAsync(string statePath, AuthOptions options, DirectorySnapshot directory, ILogger<SandboxRealm> log, CancellationToken stop)
    {
        foreach (var program in (string[])["krb5kdc", "kdb5_util", "kadmin.local", "setpriv", "setsid"])
        {
            SandboxTools.Find(program);
        }

        var folder = SandboxDescription.FolderUnder(statePath);
        var isKept = SandboxDescription.TryFind(statePath, out var kept);
        Directory.CreateDirectory(folder, OwnerOnly);
        var realm = new SandboxRealm(folder, ServicesOf(options), Claim(folder), log);
        try
        {
            if (isKept)
            {
                realm.Description = realm.Description with { Realms = kept!.Realms, Port = kept.Port };
                realm.RealmsFor(directory);
                try
                {
                    await realm.MakeAsync(directory, isStart: true, stop);
                    return realm;
                }
                catch (SandboxException damaged)
                {
                    realm.LogMadeAnew(folder, damaged.Message);
                }
            }

            realm.Clear();
            await realm.MakeAsync(directory, isStart: true, stop);
            return realm;
        }
        catch
        {
            await realm.DisposeAsync();
            throw;
        }
    }

    /// <summary>Gives subscribers who are new in the directory a principal and a keytab.</summary>
    /// <exception cref="SandboxException">Somebody got none; those who had one keep it.</exception>
    public Task EnsureAsync(DirectorySnapshot directory, CancellationToken stop) => MakeAsync(directory, isStart: false, stop);

    /// <summary>The settings with the sandbox's keytab and service names in them.</summary>
    public AuthOptions Apply(AuthOptions options) => new()
    {
        Mode = options.Mode,
        ServiceNames = [.. services.Select(service => service.ToString())],
        Keytab = Description.ServiceKeytab,
        ReplayCache = options.ReplayCache,
        Realms = options.Realms,
        CloseAtTicketEnd = options.CloseAtTicketEnd,
    };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (kdc is not null)
        {
            await kdc.DisposeAsync();
        }

        await claim.DisposeAsync();
        turn.Dispose();
    }

    private static List<ServiceName> ServicesOf(AuthOptions options)
    {
        string[] names = options.ServiceNames.Count > 0
            ? [.. options.ServiceNames]
            : ["HTTP@localhost", "HTTP@127.0.0.1", $"HTTP@{Dns.GetHostName()}"];
        List<ServiceName> services = [];
        foreach (var name in names)
        {
            if (!ServiceName.TryParse(name, out var service))
            {
                throw new SandboxException($"AUTH.servicename {name} is not of the form HTTP@host.");
            }

            services.Add(service);
        }

        return [.. services.Distinct()];
    }

    /// <summary>Two servers on one folder would take each other's port and keys; the kernel gives the claim back when its holder dies.</summary>
    private static FileStream Claim(string folder)
    {
        try
        {
            return new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new SandboxException($"Another server seems to use {folder}: stop it, or set another STATE.path. ({e.Message})");
        }
    }

    private async Task MakeAsync(DirectorySnapshot directory, bool isStart, CancellationToken stop)
    {
        await turn.WaitAsync(stop);
        try
        {
            var realms = RealmsFor(directory);
            if (isStart || realms.Length > Description.Realms.Count)
            {
                await StartKdcAsync(realms, stop);
                await MakeServiceKeytabAsync(stop);
            }

            Directory.CreateDirectory(Description.Keytabs);
            foreach (var missing in NamesFor(directory).Where(dname => !File.Exists(Description.KeytabOf(dname))).GroupBy(dname => dname.Realm.ToString()))
            {
                await MakeKeytabsAsync(missing.Key, [.. missing], stop);
            }

            Description.Save(folder);
            foreach (var dname in directory.Subscribers.SelectMany(subscriber => subscriber.DNames).Where(dname => !CanHave(dname)))
            {
                LogCannotHave(dname);
            }
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>The realms that there are, then those that the directory brings.</summary>
    private string[] RealmsFor(DirectorySnapshot directory)
    {
        string[] realms = [.. Description.Realms.Union(NamesFor(directory).Select(dname => dname.Realm.ToString()))];
        return realms.Length <= MaxRealms
            ? realms.Length > 0 ? realms : [RealmOfNobody]
            : throw new SandboxException($"The directory has names of {realms.Length} realms, a sandbox serves {MaxRealms} at most: set AUTH.keytab to use a KDC of your own.");
    }

    /// <summary>The names that can be written into the KDC's files and commands.</summary>
    private static IEnumerable<DName> NamesFor(DirectorySnapshot directory) => directory.Subscribers.SelectMany(subscriber => subscriber.DNames).Where(CanHave);

    private static bool CanHave(DName dname) => !dname.Realm.ContainsAnyExcept(RealmCharacters) && !dname.User.Contains('"');

    private async Task StartKdcAsync(IReadOnlyList<string> realms, CancellationToken stop)
    {
        if (kdc is not null)
        {
            await kdc.DisposeAsync();
            kdc = null;
        }

        for (var attempt = 1; ; attempt++)
        {
            Description = Description with { Realms = realms, Port = FreePort(Description.Port) };
            WriteConfigs();
            foreach (var realm in realms.Where(realm => !File.Exists(In($"{realm}.stash"))))
            {
                await SandboxTools.RunAsync("kdb5_util", ["create", "-s", "-r", realm, "-P", RandomNumberGenerator.GetHexString(32)], [], environment, stop);
            }

            try
            {
                kdc = await KdcProcess.StartAsync(realms, environment, log, stop);
                return;
            }
            catch (SandboxException) when (attempt < PortTries)
            {
                // Somebody else may have taken the port since it was found free.
                Description = Description with { Port = 0 };
            }
        }
    }

    private async Task MakeServiceKeytabAsync(CancellationToken stop)
    {
        var fresh = Description.ServiceKeytab + ".new";
        File.Delete(fresh);
        foreach (var realm in Description.Realms)
        {
            var principals = services.Select(service => $"{service.Service}/{service.Host}@{realm}");
            await AdministerAsync(realm, principals.Select(principal => (principal, fresh)), fresh, stop);
        }

        File.Move(fresh, Description.ServiceKeytab, overwrite: true);
    }

    private async Task MakeKeytabsAsync(string realm, IReadOnlyList<DName> missing, CancellationToken stop)
    {
        var files = missing.ToDictionary(dname => dname.ToString(), Description.KeytabOf);
        foreach (var file in files.Values)
        {
            File.Delete(file + ".new");
        }

        await AdministerAsync(realm, files.Select(file => (file.Key, file.Value + ".new")), files.Values.Last() + ".new", stop);
        foreach (var (dname, file) in files)
        {
            if (!File.Exists(file + ".new"))
            {
                throw new SandboxException($"kadmin.local made no keytab for {dname}.");
            }

            // The name appears when all of the file is there.
            File.Move(file + ".new", file);
        }
    }

    /// <summary>Makes principals, those that are missing, and puts their keys into keytabs; all by one process, since starting it is what costs.</summary>
    /// <param name="last">A file that is there if everything went well: kadmin.local ends with 0 whatever its commands came to.</param>
    private async Task AdministerAsync(string realm, IEnumerable<(string Principal, string Keytab)> entries, string last, CancellationToken stop)
    {
        var commands = entries.SelectMany(entry => (string[])
        [
            $"addprinc -randkey \"{entry.Principal}\"",
            $"ktadd -norandkey -k \"{entry.Keytab}\" \"{entry.Principal}\"",
        ]);
        var words = await SandboxTools.RunAsync("kadmin.local", ["-r", realm], commands, environment, stop);
        if (!File.Exists(last))
        {
            throw new SandboxException($"kadmin.local made no keytab: {words.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault()}");
        }
    }

    private void WriteConfigs()
    {
        var realms = Description.Realms;
        File.WriteAllText(In("krb5.conf"), $$"""
            # The sandbox realm of status-daemon; written at each start.
            [libdefaults]
                default_realm = {{realms[0]}}
                default_ccache_name = FILE:{{In("ccache_%{uid}")}}
                rdns = false
                dns_canonicalize_hostname = false
                dns_lookup_kdc = false
                dns_lookup_realm = false
                udp_preference_limit = 1
            [realms]
            {{string.Concat(realms.Select(realm => $$"""
                {{realm}} = {
                    kdc = 127.0.0.1:{{Description.Port}}
                }

            """))}}
            """);

        // The KDC only reads its databases: it could be killed at any time.
        File.WriteAllText(In("kdc.conf"), $$"""
            [kdcdefaults]
                kdc_listen = ""
                kdc_tcp_listen = 127.0.0.1:{{Description.Port}}
            [realms]
            {{string.Concat(realms.Select(realm => $$"""
                {{realm}} = {
                    database_module = sandbox_{{realm}}
                    key_stash_file = {{In($"{realm}.stash")}}
                    acl_file = {{In("kadm5.acl")}}
                    max_life = 1d
                    max_renewable_life = 7d
                    supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
                }

            """))}}
            [dbmodules]
            {{string.Concat(realms.Select(realm => $$"""
                sandbox_{{realm}} = {
                    db_library = db2
                    database_name = {{In($"{realm}.db")}}
                    disable_last_success = true
                    disable_lockout = true
                }

            """))}}
            [logging]
                kdc = FILE:{{In("kdc.log")}}
                admin_server = FILE:{{In("kadmin.log")}}
                default = FILE:{{In("kdc.log")}}
            """);

        // They grow with each login; nobody asks for more than the last run's.
        File.Delete(In("kdc.log"));
        File.Delete(In("kadmin.log"));
    }

    private void Clear()
    {
        foreach (var file in Directory.GetFiles(folder).Where(file => file != claim.Name))
        {
            File.Delete(file);
        }

        foreach (var inner in Directory.GetDirectories(folder))
        {
            Directory.Delete(inner, recursive: true);
        }

        Description = Description with { Realms = [], Port = 0 };
    }

    private static int FreePort(int wanted)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, wanted);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        catch (SocketException) when (wanted != 0)
        {
            return FreePort(0);
        }
    }

    private string In(string name) => Path.Combine(folder, name);

    [LoggerMessage(1702, LogLevel.Warning, "The sandbox realm in {Folder} is made anew, tickets of it are no longer good: {Reason}")]
    private partial void LogMadeAnew(string folder, string reason);

    [LoggerMessage(1704, LogLevel.Warning, "{DName} gets no principal in the sandbox realm: a realm has letters, digits, dots, hyphens and underscores, a user no quotation marks")]
    private partial void LogCannotHave(DName dname);
}
