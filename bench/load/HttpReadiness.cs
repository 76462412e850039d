namespace StatusDaemon.Load;

/// <summary>Whether a server takes clients: asking is the only way to hear of it.</summary>
internal static class HttpReadiness
{
    /// <summary>Asks once.</summary>
    /// <param name="server">Its address, without a path.</param>
    /// <returns>False if it says no, or does not answer.</returns>
    public static async Task<bool> IsReadyAsync(this HttpClient http, Uri server)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri(server, "readyz"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }
}
