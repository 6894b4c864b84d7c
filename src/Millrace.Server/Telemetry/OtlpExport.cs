using Millrace.Engine.Telemetry;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Millrace.Server.Telemetry;

/// <summary>
/// Sends metrics and traces by OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set; the standard variables say how (protocol, headers,
/// interval, sampler, resource). Nothing of it exists otherwise.
/// </summary>
internal sealed class OtlpExport : IDisposable
{
    public const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private readonly TracerProvider? _traces;
    private readonly MeterProvider? _metrics;

    private OtlpExport(TracerProvider? traces, MeterProvider? metrics) => (_traces, _metrics) = (traces, metrics);

    public static OtlpExport? Open(string version, Func<string, string?> variable)
    {
        if (variable(EndpointVariable) is not { Length: > 0 }) return null;
        // The default resource holds what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say, and goes last so that they win.
        var resource = ResourceBuilder.CreateEmpty().AddService("millrace", serviceVersion: version);
        if (variable("OTEL_SERVICE_NAME") is { Length: > 0 } || variable("OTEL_RESOURCE_ATTRIBUTES") is { Length: > 0 }) resource.AddEnvironmentVariableDetector();
        resource.AddTelemetrySdk();
        var traces = variable("OTEL_TRACES_EXPORTER") == "none" ? null
            : Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(EngineTrace.SourceName).AddOtlpExporter().Build();
        var metrics = variable("OTEL_METRICS_EXPORTER") == "none" ? null
            : Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(MetricStore.Meters).AddOtlpExporter().Build();
        return new OtlpExport(traces, metrics);
    }

    /// <summary>Sends what has gathered, for as long as the exporter's own timeout allows.</summary>
    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }
}
