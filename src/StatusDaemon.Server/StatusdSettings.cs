using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;
using StatusDaemon.Admin;
using StatusDaemon.Auth;
using StatusDaemon.Cluster;
using StatusDaemon.Directories;
using StatusDaemon.Gateway;
using StatusDaemon.Peering;
using StatusDaemon.Privileges;
using StatusDaemon.Settings;
using StatusDaemon.Storage;
using StatusDaemon.Telemetry;

namespace StatusDaemon;

/// <summary>All settings, read and found to fit together.</summary>
internal sealed record StatusdSettings
{
    /// <summary>Section <c>SERVICE</c>.</summary>
    public required ServiceOptions Service { get; init; }

    /// <summary>Section <c>AUTH</c>.</summary>
    public required AuthOptions Auth { get; init; }

    /// <summary>Section <c>PRIVILEGES</c>.</summary>
    public required PrivilegesOptions Privileges { get; init; }

    /// <summary>Section <c>PRIVILEGE_REDIS</c>.</summary>
    public required PrivilegeRedisOptions PrivilegeRedis { get; init; }

    /// <summary>Section <c>REDIS</c>.</summary>
    public required StatusRedisOptions Redis { get; init; }

    /// <summary>Section <c>STORAGE</c>.</summary>
    public required StorageOptions Storage { get; init; }

    /// <summary>Section <c>STATE</c>.</summary>
    public required StateOptions State { get; init; }

    /// <summary>Section <c>CLUSTER</c>.</summary>
    public required ClusterOptions Cluster { get; init; }

    /// <summary>Section <c>SYNC</c>.</summary>
    public required SyncOptions Sync { get; init; }

    /// <summary>Section <c>ADMIN</c>.</summary>
    public required AdminOptions Admin { get; init; }

    /// <summary>Section <c>LOG</c>.</summary>
    public required LogOptions Log { get; init; }

    /// <summary>Where members of the cluster on this machine keep what they share.</summary>
    public string ClusterFolder => Path.Combine(State.Path, "cluster");

    /// <summary>What holds where the directory says nothing: it is written in three sections.</summary>
    public DirectoryPolicy Policy => new()
    {
        AllowsByDefault = Privileges.AllowsByDefault,
        Home = Sync.Domain,
        AcceptsUnknown = Storage.AcceptsUnknown || Auth.Mode == AuthMode.TrustedHeader,
        AdmitsUnknown = Auth.Mode == AuthMode.TrustedHeader,
    };

    /// <summary>The realm of names whose keys in the privilege database have none; null where they have.</summary>
    public string? RealmOfKeys => PrivilegeRedis.MixesRealms && Auth.Realms is [var realm, ..] ? realm : null;

    /// <summary>Reads the settings and checks them.</summary>
    /// <param name="environment">As <see cref="Environment.GetEnvironmentVariables()"/> gives it.</param>
    /// <param name="problems">Each a line of words with its place; all that there are, so that nobody has to start once for each.</param>
    public static bool TryLoad(string path, IDictionary environment, [NotNullWhen(true)] out StatusdSettings? settings, out IReadOnlyList<string> problems)
    {
        settings = null;
        if (!SettingsFile.TryRead(path, environment, out var file, out problems))
        {
            return false;
        }

        var read = Read(file);
        problems = file.Finish();
        settings = problems.Count == 0 ? read : null;
        return settings is not null;
    }

    /// <summary>Reads every section; what is wrong is noted in the file.</summary>
    internal static StatusdSettings Read(SettingsFile file)
    {
        var settings = new StatusdSettings
        {
            Service = ServiceOptions.Read(file.Section("SERVICE")),
            Auth = AuthOptions.Read(file.Section("AUTH")),
            Privileges = PrivilegesOptions.Read(file.Section("PRIVILEGES")),
            PrivilegeRedis = PrivilegeRedisOptions.Read(file.Section("PRIVILEGE_REDIS")),
            Redis = StatusRedisOptions.Read(file.Section("REDIS")),
            Storage = StorageOptions.Read(file.Section("STORAGE")),
            State = StateOptions.Read(file.Section("STATE")),
            Cluster = ClusterOptions.Read(file.Section("CLUSTER")),
            Sync = SyncOptions.Read(file.Section("SYNC")),
            Admin = AdminOptions.Read(file.Section("ADMIN")),
            Log = LogOptions.Read(file.Section("LOG")),
        };
        settings.CheckTrustedHeader(file.Section("AUTH"));
        settings.CheckRealms(file.Section("PRIVILEGE_REDIS"));
        settings.CheckCluster(file.Section("CLUSTER"));
        settings.CheckSocket(file);
        return settings;
    }

    /// <summary>Whoever reaches the port of <c>trusted-header</c> is whom he says: nothing that others rely on may be behind it.</summary>
    private void CheckTrustedHeader(SettingsSection auth)
    {
        if (Auth.Mode != AuthMode.TrustedHeader)
        {
            return;
        }

        (bool Wrong, string Why)[] checks =
        [
            (!IPAddress.IsLoopback(Service.Host), $"SERVICE.host to be a loopback address, not {Service.Host}"),
            (Storage.Kind == StorageKind.Redis, "STORAGE.kind to be sqlite"),
            (Privileges.Source == PrivilegesSource.Redis, "PRIVILEGES.source to be file"),
            (Cluster.Kind == ClusterKind.Redis, "CLUSTER.kind to be local"),
            (Sync.Peers.Count > 0, "SYNC.peers to be empty"),
        ];
        foreach (var (_, why) in checks.Where(check => check.Wrong))
        {
            auth.Refuse("mode", $"trusted-header lets everyone in as anyone; it is for benchmarks and needs {why}");
        }
    }

    private void CheckRealms(SettingsSection privilegeRedis)
    {
        if (PrivilegeRedis.MixesRealms && Auth.Realms.Distinct().Count() > 1)
        {
            privilegeRedis.Refuse("keys.dname", $"without {{dname}} or {{realm}} it makes one person of two, since AUTH.realms has {string.Join(", ", Auth.Realms)}");
        }
        else if (PrivilegeRedis.MixesRealms && Privileges.Source == PrivilegesSource.Redis && Auth.Realms.Count == 0)
        {
            privilegeRedis.Refuse("keys.dname", "without {dname} or {realm} the realm of all names is missing: set AUTH.realms to it");
        }
    }

    private void CheckCluster(SettingsSection cluster)
    {
        if (Cluster.Kind == ClusterKind.Redis && Storage.Kind != StorageKind.Redis)
        {
            cluster.Refuse("kind", "redis needs STORAGE.kind: redis, since all daemons must reach the statuses");
        }
    }

    private void CheckSocket(SettingsFile file)
    {
        var bytes = Encoding.UTF8.GetByteCount(Admin.SocketPath(State));
        if (bytes > AdminOptions.MaxSocketBytes)
        {
            var (section, key) = Admin.Socket is null ? ("STATE", "path") : ("ADMIN", "socket");
            file.Section(section).Refuse(key, $"the path of the socket {Admin.SocketPath(State)} has {bytes} bytes; Linux takes {AdminOptions.MaxSocketBytes}: set ADMIN.socket to a shorter one");
        }
    }
}
