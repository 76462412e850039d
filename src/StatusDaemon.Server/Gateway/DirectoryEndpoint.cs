using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StatusDaemon.Auth;
using StatusDaemon.Daemon;
using StatusDaemon.Directories;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Protocol;

namespace StatusDaemon.Gateway;

/// <summary>The endpoint <c>GET /directory</c>: who is behind a dname or a number, as far as the caller may see (docs/protocol.md §12).</summary>
internal sealed class DirectoryEndpoint(Admission admission, ISubscriberDirectory directory, SteadyClock clock)
{
    private const int MaxNames = 100;
    private const int MaxPage = 1000;
    private const int DefaultPage = 100;
    private const int ManyBudgets = 1000;

    /// <summary>Requests a second of one subscriber; twice as many at once.</summary>
    private static readonly Limits Rate = new() { MessagesPerSecond = 10 };

    /// <summary>Cleared when it has outgrown the directory: by callers that were removed since, or invented in trusted-header mode.</summary>
    private readonly ConcurrentDictionary<Uid, Budget> budgets = new(Uid.Comparer);

    private volatile Order order = new(DirectorySnapshot.Empty, []);

    /// <summary>Serves one request.</summary>
    public async Task ServeAsync(HttpContext http)
    {
        if (!directory.IsThere)
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            http.Response.Headers.RetryAfter = RetryAfter.Jittered();
            return;
        }

        var snapshot = directory.Current;
        if (await admission.AdmitAsync(http, snapshot) is not { } caller)
        {
            return;
        }

        if (budgets.Count > Math.Max(ManyBudgets, 2 * snapshot.Subscribers.Count))
        {
            budgets.Clear();
        }

        if (!budgets.GetOrAdd(caller.Uid, static _ => new Budget()).TrySpend(clock.Now.Steady))
        {
            http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            http.Response.Headers.RetryAfter = "1";
            return;
        }

        if (!Query.TryParse(http.Request.Query, out var query, out var problem))
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            http.Response.ContentType = "text/plain; charset=utf-8";
            await http.Response.WriteAsync(problem + "\n", http.RequestAborted);
            return;
        }

        var (found, isMore) = query.Names.Count + query.Numbers.Count > 0
            ? (Find(snapshot, caller.Uid, query), false)
            : Page(snapshot, caller.Uid, query);
        http.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(http.Response.BodyWriter);
        Write(json, found, isMore);
    }

    private static List<Subscriber> Find(DirectorySnapshot snapshot, Uid caller, Query query)
    {
        var found = new SortedDictionary<string, Subscriber>(StringComparer.Ordinal);
        foreach (var name in query.Names)
        {
            if (DName.TryParse(name, out var dname) && snapshot.TryGet(dname, out var subscriber) && snapshot.Judge(subscriber.Uid, caller).IsVisible)
            {
                found[subscriber.Uid.ToString()] = subscriber;
            }
        }

        foreach (var text in query.Numbers)
        {
            if (PhoneNumber.TryParse(text, out var number) && snapshot.TryGet(number, out var subscriber) && snapshot.Judge(subscriber.Uid, caller).IsVisible)
            {
                found[subscriber.Uid.ToString()] = subscriber;
            }
        }

        return [.. found.Values];
    }

    private (List<Subscriber> Found, bool IsMore) Page(DirectorySnapshot snapshot, Uid caller, Query query)
    {
        var sorted = SortedBy(snapshot);
        var found = new List<Subscriber>();
        var at = query.After is null ? 0 : FirstAfter(sorted, query.After);
        for (; at < sorted.Length; at++)
        {
            if (snapshot.TryGet(sorted[at], out var subscriber) && snapshot.Judge(subscriber.Uid, caller).IsVisible)
            {
                if (found.Count == query.Limit)
                {
                    return (found, true);
                }

                found.Add(subscriber);
            }
        }

        return (found, false);
    }

    /// <summary>The UIDs of a directory in order; sorted anew only when somebody has come or gone.</summary>
    private Uid[] SortedBy(DirectorySnapshot snapshot)
    {
        var current = order;
        if (current.Snapshot != snapshot)
        {
            var change = DirectoryChange.Between(current.Snapshot, snapshot);
            order = current = new Order(
                snapshot,
                change.Added.Count + change.Removed.Count == 0
                    ? current.Uids
                    : [.. snapshot.Subscribers.Select(subscriber => subscriber.Uid).OrderBy(uid => uid.ToString(), StringComparer.Ordinal)]);
        }

        return current.Uids;
    }

    private static int FirstAfter(Uid[] sorted, string uid)
    {
        int low = 0, high = sorted.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (string.CompareOrdinal(sorted[middle].ToString(), uid) > 0)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    private static void Write(Utf8JsonWriter json, List<Subscriber> found, bool isMore)
    {
        json.WriteStartObject();
        json.WriteStartArray("subscribers");
        foreach (var subscriber in found)
        {
            json.WriteStartObject();
            json.WriteString("uid", subscriber.Uid.Utf8);
            if (!subscriber.DName.IsEmpty)
            {
                json.WriteString("dname", subscriber.DName.ToString());
            }

            if (!(subscriber.DName.IsEmpty ? [] : (DName[])[subscriber.DName]).SequenceEqual(subscriber.DNames))
            {
                Write(json, "dnames", subscriber.DNames);
            }

            Write(json, "numbers", subscriber.ShownNumbers);
            if (!subscriber.Domain.IsEmpty)
            {
                json.WriteString("domain", subscriber.Domain.ToString());
            }

            if (subscriber.Name.Length > 0)
            {
                json.WriteString("name", subscriber.Name);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (isMore)
        {
            json.WriteString("next", found[^1].Uid.Utf8);
        }

        json.WriteEndObject();
    }

    private static void Write<T>(Utf8JsonWriter json, string key, IReadOnlyList<T> names)
        where T : struct
    {
        json.WriteStartArray(key);
        foreach (var name in names)
        {
            json.WriteStringValue(name.ToString());
        }

        json.WriteEndArray();
    }

    private sealed record Order(DirectorySnapshot Snapshot, Uid[] Uids);

    private sealed class Budget
    {
        private readonly Lock gate = new();
        private MessageBudget left;

        public bool TrySpend(TimeSpan now)
        {
            lock (gate)
            {
                return left.TrySpend(now, Rate);
            }
        }
    }

    private sealed record Query(StringValues Names, StringValues Numbers, int Limit, string? After)
    {
        public static bool TryParse(IQueryCollection query, out Query parsed, out string problem)
        {
            problem = query.Keys.FirstOrDefault(key => key is not ("dname" or "number" or "limit" or "after")) is { } unknown
                ? $"'{unknown}' is none of dname, number, limit, after"
                : "";
            var limit = DefaultPage;
            if (query["limit"].Count > 1 || query["after"].Count > 1)
            {
                problem = "limit and after stand there once";
            }
            else if (query.TryGetValue("limit", out var text)
                && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MaxPage))
            {
                problem = $"limit is 1 to {MaxPage}";
            }

            parsed = new Query(query["dname"], query["number"], limit, query.TryGetValue("after", out var after) ? after.ToString() : null);
            if (parsed.Names.Count + parsed.Numbers.Count > MaxNames)
            {
                problem = $"at most {MaxNames} of dname and number together";
            }
            else if (parsed.Names.Count + parsed.Numbers.Count > 0 && (query.ContainsKey("limit") || query.ContainsKey("after")))
            {
                problem = "limit and after are for pages, without dname and number";
            }

            return problem.Length == 0;
        }
    }
}
