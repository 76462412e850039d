using Microsoft.AspNetCore.Http;
using StatusDaemon.Auth;
using StatusDaemon.Directories;
using StatusDaemon.Storage;

namespace StatusDaemon.Gateway;

/// <summary><c>/healthz</c>: the process serves HTTP; <c>/readyz</c>: clients can be sent here. Plain text, a line a finding.</summary>
internal sealed class HealthEndpoints(GatewayLoops loops, ILogin login, ISubscriberDirectory directory, IStatusStore? store = null)
{
    /// <summary>Serves <c>/healthz</c>.</summary>
    public static Task ServeHealthAsync(HttpContext http) => SayAsync(http, StatusCodes.Status200OK, "ok");

    /// <summary>Serves <c>/readyz</c>: 503 while the directory was not read yet, shards have not answered, nobody can log in, or the gateway drains. A directory that was refused later does not make it unready: the last good one is in force.</summary>
    /// <remarks>Anybody may ask, so it says nothing of what is in the directory.</remarks>
    public Task ServeReadyAsync(HttpContext http)
    {
        var obstacle = loops.IsDraining ? "draining"
            : !directory.IsThere ? "waiting for the directory"
            : loops.ShardsReached < loops.Shards ? $"{loops.ShardsReached} of {loops.Shards} shards reached"
            : login.Problem is { } broken ? $"nobody can log in: {broken}"
            : null;
        string[] words =
        [
            obstacle ?? "ready",
            .. directory.Trouble is { } notInForce ? [$"directory: {notInForce}"] : Array.Empty<string>(),
            .. store?.Trouble is { } trouble ? [$"storage: {trouble}"] : Array.Empty<string>(),
        ];
        return SayAsync(http, obstacle is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, string.Join('\n', words));
    }

    private static Task SayAsync(HttpContext http, int status, string words)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain; charset=utf-8";
        return http.Response.WriteAsync(words + "\n", http.RequestAborted);
    }
}
