using System.Collections.Concurrent;
using System.Diagnostics;
using StatusDaemon.EndToEnd;
using StatusDaemon.Load;
using StatusDaemon.Names;

[assembly: AssemblyFixture(typeof(KerberosRealm))]

namespace StatusDaemon.EndToEnd;

/// <summary>A MIT KDC of the tests' own, that is not the sandbox: one for the whole run, in a temporary folder, on a free port.</summary>
/// <remarks>Any test may add principals; names that a test makes up itself keep tests apart.</remarks>
public sealed class KerberosRealm : IAsyncLifetime
{
    /// <summary>The realm's name.</summary>
    public const string Name = "ALPHA.TEST";

    private readonly string folder = Directory.CreateTempSubdirectory("statusd-kdc-").FullName;
    private readonly ConcurrentDictionary<string, string> clientKeytabs = new();
    private readonly Lock gate = new();
    private Process? kdc;
    private int files;

    /// <summary>Path of the krb5.conf for clients.</summary>
    public string ConfigPath => Path.Combine(folder, "krb5.conf");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        var port = FreePorts.Next();
        await File.WriteAllTextAsync(ConfigPath, $$"""
            [libdefaults]
                default_realm = {{Name}}
                rdns = false
                dns_canonicalize_hostname = false
                dns_lookup_kdc = false
                dns_lookup_realm = false
                udp_preference_limit = 1
            [realms]
                {{Name}} = {
                    kdc = 127.0.0.1:{{port}}
                }
            """);
        await File.WriteAllTextAsync(Path.Combine(folder, "kdc.conf"), $$"""
            [kdcdefaults]
                kdc_listen = ""
                kdc_tcp_listen = 127.0.0.1:{{port}}
            [realms]
                {{Name}} = {
                    database_name = {{folder}}/principal
                    key_stash_file = {{folder}}/stash
                    acl_file = {{folder}}/acl
                    supported_enctypes = aes256-cts-hmac-sha1-96:normal
                }
            [logging]
                default = FILE:{{folder}}/kdc.log
            """);
        Run("/usr/sbin/kdb5_util", ["create", "-s", "-r", Name, "-P", "tests"]);

        var start = Command("/usr/bin/setpriv", ["--pdeathsig", "KILL", "/usr/sbin/krb5kdc", "-n", "-r", Name]);
        start.RedirectStandardError = true;
        kdc = await StartOnItsOwnThreadAsync(start);
        while (await kdc.StandardError.ReadLineAsync() is { } line)
        {
            if (line.EndsWith("starting...", StringComparison.Ordinal))
            {
                return;
            }
        }

        throw new InvalidOperationException("krb5kdc did not start.");
    }

    /// <summary>Makes a principal with a random key, <c>alice</c> or <c>HTTP/localhost</c>.</summary>
    /// <returns>The whole name.</returns>
    public DName AddPrincipal(string user, TimeSpan? maxTicketLife = null)
    {
        Administer($"addprinc -randkey{(maxTicketLife is { } life ? $" -maxlife \"{life.TotalSeconds} seconds\"" : "")} {user}");
        return DName.TryParse($"{user}@{Name}", out var dname) ? dname : throw new ArgumentException($"{user} is no user");
    }

    /// <summary>Gives principals new keys, with the next version; tickets that clients hold are for the old ones.</summary>
    public void ChangeKey(string user) => Administer($"cpw -randkey {user}");

    /// <summary>Writes a new keytab with the present keys of these principals.</summary>
    /// <returns>Its path.</returns>
    public string Keytab(params string[] users)
    {
        var path = Path.Combine(folder, $"{Interlocked.Increment(ref files)}.keytab");
        Administer([.. users.Select(user => $"ktadd -norandkey -k {path} {user}")]);
        return File.Exists(path) ? path : throw new InvalidOperationException($"No keytab for {string.Join(' ', users)}.");
    }

    /// <summary>What a child process needs to be a client that is this principal: python, curl, Chromium, kinit.</summary>
    public IReadOnlyDictionary<string, string> ClientEnvironment(DName who) => new Dictionary<string, string>
    {
        ["KRB5_CONFIG"] = ConfigPath,
        ["KRB5_CLIENT_KTNAME"] = clientKeytabs.GetOrAdd(who.User.ToString(), user => Keytab(user)),
        ["KRB5CCNAME"] = $"FILE:{Path.Combine(folder, $"{Interlocked.Increment(ref files)}.ccache")}",
    };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (kdc is not null)
        {
            kdc.Kill();
            await kdc.WaitForExitAsync();
            kdc.Dispose();
        }

        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The kernel's "parent died" means the thread that started the child, so that thread stays as long as the child.</summary>
    private static Task<Process> StartOnItsOwnThreadAsync(ProcessStartInfo start)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            var process = Process.Start(start)!;
            started.SetResult(process);
            process.WaitForExit();
        })
        { IsBackground = true }.Start();
        return started.Task;
    }

    private ProcessStartInfo Command(string program, IEnumerable<string> arguments) => new(program, arguments)
    {
        Environment = { ["KRB5_CONFIG"] = ConfigPath, ["KRB5_KDC_PROFILE"] = Path.Combine(folder, "kdc.conf") },
    };

    private void Administer(params string[] commands)
    {
        lock (gate)
        {
            Run("/usr/sbin/kadmin.local", ["-r", Name], commands);
        }
    }

    private void Run(string program, IEnumerable<string> arguments, params string[] lines)
    {
        var start = Command(program, arguments);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        process.StandardInput.Write(string.Concat(lines.Select(line => line + "\n")));
        process.StandardInput.Close();

        // A few lines each: they fit into the pipes.
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program}: {process.StandardError.ReadToEnd()}");
        }
    }
}
