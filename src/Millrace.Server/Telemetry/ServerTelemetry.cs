using System.Text;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;
using Millrace.Engine.Telemetry;
using Millrace.Platform.Status;
using Millrace.Storage;

namespace Millrace.Server.Telemetry;

/// <summary>How this process tells what it does: metrics to be fetched, metrics and traces that are sent, and the form of its log.</summary>
internal sealed class ServerTelemetry : IAsyncDisposable
{
    private readonly MetricStore _metrics = new(MetricStore.Meters);
    private readonly OtlpExport? _export;

    private ServerTelemetry(OtlpExport? export) => _export = export;

    /// <summary>Opened before what it measures and disposed after it, so that the last figures and spans go out too.</summary>
    public static ServerTelemetry Open(string version)
    {
        var telemetry = new ServerTelemetry(OtlpExport.Open(version, Environment.GetEnvironmentVariable));
        StorageMetrics.Announce();
        EngineMetrics.Announce();
        PlatformMetrics.Announce();
        return telemetry;
    }

    /// <summary><c>GET /metrics</c>, for every role. It is no part of the API document: its form is Prometheus' own.</summary>
    public void Map(IEndpointRouteBuilder app) => app.MapGet("/metrics", () => Results.Text(_metrics.Write(), MetricStore.ContentType, Encoding.UTF8)).WithName("GetMetrics").ExcludeFromDescription();

    public static void ConfigureLogs(ILoggingBuilder logs, LogForm form, TimeProvider time)
    {
        if (form == LogForm.Json)
        {
            logs.Services.TryAddSingleton(time);
            logs.AddConsole(o => o.FormatterName = JsonLogFormatter.FormatterName).AddConsoleFormatter<JsonLogFormatter, ConsoleFormatterOptions>();
        }
        else
        {
            logs.AddSimpleConsole(o => (o.SingleLine, o.TimestampFormat, o.UseUtcTimestamp) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ ", true));
        }
        // What the host says when it cannot start is thrown too, and told in one sentence by whoever started it.
        logs.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
    }

    public ValueTask DisposeAsync()
    {
        _export?.Dispose();
        _metrics.Dispose();
        return ValueTask.CompletedTask;
    }
}
