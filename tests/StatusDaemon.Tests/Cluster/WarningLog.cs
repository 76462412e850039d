using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Cluster;

/// <summary>The warnings of one category, in order, for a test to await.</summary>
/// <param name="least">What is less than this is left out.</param>
internal sealed class WarningLog<T>(LogLevel least = LogLevel.Warning) : ILoggerProvider, ILogger, ILogger<T>
{
    private readonly Channel<string> lines = Channel.CreateUnbounded<string>(); // a test writes few

    public ChannelReader<string> Lines => lines.Reader;

    public ILogger CreateLogger(string categoryName) =>
        categoryName == typeof(T).FullName ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        lines.Writer.TryWrite(formatter(state, exception));

    public void Dispose() => lines.Writer.TryComplete();
}
