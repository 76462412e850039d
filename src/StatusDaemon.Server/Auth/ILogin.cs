using Microsoft.AspNetCore.Http;
using StatusDaemon.Privileges;

namespace StatusDaemon.Auth;

/// <summary>Reads a request's credentials: <see cref="NegotiateLogin"/> for people, <see cref="TrustedHeaderLogin"/> for benchmarks.</summary>
internal interface ILogin
{
    /// <summary>The challenge of a 401 as <c>WWW-Authenticate</c> has it; null for none.</summary>
    string? Challenge { get; }

    /// <summary>What keeps everybody from logging in now, in words; null if nothing does.</summary>
    string? Problem { get; }

    /// <summary>Says whose request it is; writes nothing to the response.</summary>
    ValueTask<LoginOutcome> IdentifyAsync(HttpContext http, DirectorySnapshot directory);
}
