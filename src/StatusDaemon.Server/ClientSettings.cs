using System.Collections;
using System.Net;

namespace StatusDaemon;

/// <summary>What a client on the same machine needs of the settings.</summary>
/// <param name="ServiceNames">Names that the server takes tickets for, as <c>HTTP@host</c>.</param>
public sealed record ClientSettings(string Host, int Port, bool Tls, string StatePath, IReadOnlyList<string> ServiceNames)
{
    /// <summary>Reads the settings file.</summary>
    /// <param name="environment">The variables <c>STATUSD_SECTION__KEY</c> that override it, among others.</param>
    /// <exception cref="StartException">Something is wrong with it.</exception>
    public static ClientSettings Read(string settingsPath, IDictionary environment)
    {
        if (!StatusdSettings.TryLoad(settingsPath, environment, out var settings, out var problems))
        {
            throw new StartException(string.Join('\n', problems));
        }

        // The sandbox has keys for loopback; else, without a setting, the keytab's owner is this host.
        var names = settings.Auth.ServiceNames.Count > 0 || settings.Auth.Keytab is null
            ? settings.Auth.ServiceNames
            : [$"HTTP@{Dns.GetHostName().ToLowerInvariant()}"];
        return new ClientSettings(settings.Service.Host.ToString(), settings.Service.Port, settings.Service.Tls is not null, settings.State.Path, names);
    }
}
