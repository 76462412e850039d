using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using StatusDaemon.Language;

namespace StatusDaemon.Imitation;

/// <summary>Asks the server who the people are that a user names: docs/protocol.md §12.</summary>
internal sealed class DirectoryClient(HttpMessageInvoker http, TestClientRequest request, Func<Ticket> newTicket)
{
    private const int MaxNames = 100;

    /// <summary>Finds the subscribers; who is not in the answer is unknown, or hidden from us.</summary>
    /// <param name="found">Receives by UID the domain name that was asked for.</param>
    /// <param name="missing">The names; those that are found are taken out.</param>
    /// <returns>Null when all was asked, else why it was not.</returns>
    public async Task<Ending?> ResolveAsync(IReadOnlyList<string> names, Dictionary<string, string> found, HashSet<string> missing, CancellationToken stop)
    {
        foreach (var query in Queries(names))
        {
            if (await AskAsync(query, found, missing, stop) is { } ending)
            {
                return ending;
            }
        }

        return null;
    }

    /// <summary>Packs names into queries of as many as the server takes.</summary>
    internal static IEnumerable<string> Queries(IReadOnlyList<string> names) =>
        names.Chunk(MaxNames).Select(some => string.Join('&', some.Select(name => "dname=" + Uri.EscapeDataString(name))));

    private async Task<Ending?> AskAsync(string query, Dictionary<string, string> found, HashSet<string> missing, CancellationToken stop)
    {
        using var ticket = newTicket();
        using var question = new HttpRequestMessage(HttpMethod.Get, request.Address("http", "/directory", query));
        question.Headers.Authorization = AuthenticationHeaderValue.Parse(ticket.Authorization);
        using var response = await http.SendAsync(question, stop);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return ServerVerdict.Of(response.StatusCode, await response.Content.ReadAsStringAsync(stop), response.Headers.RetryAfter);
        }

        if (!ticket.IsAnsweredBy(response.Headers.WwwAuthenticate.Select(value => value.ToString())))
        {
            return new Ending.Refused(Text.ServerUnproved);
        }

        try
        {
            var answer = await JsonSerializer.DeserializeAsync(await response.Content.ReadAsStreamAsync(stop), WireJson.Default.DirectoryAnswer, stop);
            foreach (var subscriber in answer?.Subscribers ?? [])
            {
                foreach (var name in subscriber.Names.Where(missing.Remove))
                {
                    found.TryAdd(subscriber.Uid, name);
                }
            }

            return null;
        }
        catch (JsonException)
        {
            return new Ending.Refused(Text.DirectoryUnreadable);
        }
    }
}
