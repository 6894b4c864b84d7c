using System.Diagnostics;
using System.Text;
using Millrace.Server.Tests.Support;

namespace Millrace.Server.Tests.Telemetry;

public sealed class OtlpTests
{
    [Fact]
    public async Task Metrics_and_traces_are_sent_as_protobuf_to_the_endpoint_that_is_set()
    {
        await using var collector = await CallDouble.StartAsync();
        await using var server = await ServerProgram.StartAsync(null,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Base.ToString()), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"), ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
            ("OTEL_SERVICE_NAME", "millrace-under-test"), ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=proof"));
        var trace = ActivityTraceId.CreateRandom();
        var run = await server.RunAsync("sent", $"  - call: {{call: http, with: {{method: get, endpoint: '{collector.Base}called'}}}}", $"00-{trace}-b7ad6b7169203331-01");
        Assert.Equal("completed", await server.EndAsync(run));

        var spans = await collector.SentAsync("/v1/traces", Convert.FromHexString(trace.ToHexString()), "effect http"u8.ToArray(), "millrace-under-test"u8.ToArray(), "proof"u8.ToArray());
        Assert.Equal("application/x-protobuf", spans.Type);
        await collector.SentAsync("/v1/traces", Convert.FromHexString(trace.ToHexString()), "run test/sent"u8.ToArray(), Encoding.UTF8.GetBytes(run));
        var metrics = await collector.SentAsync("/v1/metrics", "millrace.runs.ended"u8.ToArray(), "millrace.effect.duration"u8.ToArray(), "millrace.queue.lag"u8.ToArray());
        Assert.Equal("application/x-protobuf", metrics.Type);
    }

    [Fact]
    public async Task What_has_gathered_is_sent_when_the_server_stops()
    {
        await using var collector = await CallDouble.StartAsync();
        await using var server = await ServerProgram.StartAsync(null,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Base.ToString()), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "600000"), ("OTEL_METRIC_EXPORT_INTERVAL", "600000"));
        await server.EndAsync(await server.RunAsync("late", "  - set: {set: {x: 1}}"));
        Assert.DoesNotContain(collector.Arrived, a => a.Path == "/v1/traces");

        await server.StopAsync();

        await collector.SentAsync("/v1/traces", "run test/late"u8.ToArray(), "millrace"u8.ToArray());
        await collector.SentAsync("/v1/metrics", "millrace.runs.started"u8.ToArray());
    }
}
