using System.Diagnostics;
using System.Text;
using Millrace.Server.Tests.Support;
using Millrace.Tests.Servers;

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
    public async Task A_run_that_one_process_starts_and_another_carries_out_is_one_trace_at_the_collector()
    {
        await using var collector = await CallDouble.StartAsync();
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        var blobs = Directory.CreateTempSubdirectory("millrace-otlp-test-");
        try
        {
            Task<ServerProgram> OfClusterAsync(string role) => ServerProgram.StartAsync(["--role", role, "--database", database, "--blobs", blobs.FullName],
                ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Base.ToString()), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_METRICS_EXPORTER", "none"), ("OTEL_SERVICE_NAME", role));
            var (trace, caller) = (ActivityTraceId.CreateRandom().ToHexString(), ActivitySpanId.CreateRandom().ToHexString());
            await using (var api = await OfClusterAsync("api"))
            await using (var worker = await OfClusterAsync("worker"))
            {
                await api.EndAsync(await api.RunAsync("child", $"  - call: {{call: http, with: {{method: get, endpoint: '{collector.Base}below'}}}}"));
                var run = await api.RunAsync("parent", $$"""
                      - call: {call: http, with: {method: get, endpoint: '{{collector.Base}}above'} }
                      - spawn: {run: {workflow: {namespace: test, name: child, version: '1.0.0'} } }
                    """, $"00-{trace}-{caller}-01");
                Assert.Equal("completed", await api.EndAsync(run));
                await api.StopAsync();
                await worker.StopAsync();
            }

            var spans = collector.Sent("/v1/traces").SelectMany(body => OtlpSpan.Of(body)).Where(s => s.Trace == trace).ToList();
            var start = Assert.Single(spans, s => s.Name == "start test/parent");
            Assert.Equal(("api", caller), (start.Service, start.Parent));
            Assert.Equal(["effect http", "effect http", "run test/child", "run test/parent"], spans.Where(s => s != start).Select(s => s.Name).Order(StringComparer.Ordinal));
            Assert.All(spans.Where(s => s != start), s => Assert.Equal(("worker", start.Id), (s.Service, s.Parent)));
            // And the trace goes on in whatever is called.
            Assert.Equal(
                spans.Where(s => s.Name == "effect http").Select(s => $"00-{trace}-{s.Id}-01").Order(StringComparer.Ordinal),
                collector.Arrived.Where(a => a.Path is "/above" or "/below").Select(a => a.Headers["traceparent"]).Where(t => t.Contains(trace, StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        }
        finally
        {
            blobs.Delete(recursive: true);
        }
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
