using Microsoft.Extensions.Logging;
using Orleans.Messaging;

namespace StatusDaemon.Cluster;

/// <summary>Where the daemons are, as it was known last while nobody can say.</summary>
/// <param name="asked">Who says.</param>
internal sealed partial class PatientDaemons(IGatewayListProvider asked, ILogger<PatientDaemons> log) : IGatewayListProvider
{
    /// <summary>For how long a daemon is passed over whose connection was lost, unless there is no other.</summary>
    private static readonly TimeSpan PassedOver = TimeSpan.FromSeconds(10);

    private IList<Uri> last = [];
    private bool isTold;

    /// <inheritdoc/>
    public TimeSpan MaxStaleness => PassedOver;

    /// <inheritdoc/>
    public bool IsUpdatable => true;

    /// <inheritdoc/>
    public Task InitializeGatewayListProvider() => asked.InitializeGatewayListProvider();

    /// <inheritdoc/>
    public async Task<IList<Uri>> GetGateways()
    {
        try
        {
            var found = await asked.GetGateways();
            if (isTold)
            {
                isTold = false;
                LogKnown();
            }

            return last = found.Count > 0 ? found : last;
        }
        catch (Exception e) when (last.Count > 0)
        {
            if (!isTold)
            {
                isTold = true;
                LogUnknown(e.Message);
            }

            return last;
        }
    }

    [LoggerMessage(3403, LogLevel.Warning, "Which daemons there are is not known just now; those of before are called: {Reason}")]
    private partial void LogUnknown(string reason);

    [LoggerMessage(3404, LogLevel.Information, "Which daemons there are is known again")]
    private partial void LogKnown();
}
