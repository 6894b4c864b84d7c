using Millrace.Server.Tests.Support;

namespace Millrace.Server.Tests.Telemetry;

/// <summary><c>/metrics</c> of a server in a process of its own, so that the figures are this test's alone.</summary>
public sealed class MetricsTests : IAsyncLifetime
{
    private ServerProgram _server = null!;
    private CallDouble _service = null!;

    public async ValueTask InitializeAsync()
    {
        _service = await CallDouble.StartAsync();
        _server = await ServerProgram.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Fact]
    public async Task Counters_are_there_as_zero_before_anything_happens()
    {
        var metrics = await PrometheusText.FetchAsync(_server.Http);

        Assert.Equal(0, metrics.Value("millrace_runs_started_total", ("by", "request")));
        Assert.Equal(0, metrics.Value("millrace_runs_ended_total", ("state", "faulted")));
        Assert.Equal(0, metrics.Value("millrace_leases_lost_total"));
        Assert.Equal(0, metrics.Value("millrace_storage_faults"));
        Assert.Equal(0, metrics.Value("millrace_storage_commit_failures_total", ("code", "storage.full")));
        Assert.Equal(4096, metrics.Value("millrace_effects_slots", ("lane", "io")));
    }

    [Fact]
    public async Task A_run_is_counted_from_its_start_to_its_end()
    {
        var fine = await _server.RunAsync("fine", $"  - one: {{call: http, with: {{method: get, endpoint: '{_service.Base}ok'}}}}\n  - two: {{set: {{x: 1}}}}");
        Assert.Equal("completed", await _server.EndAsync(fine));
        var failing = await _server.RunAsync("failing", $$"""
              - again:
                  try:
                    - call: {call: http, with: {method: get, endpoint: '{{_service.Base}}fails'} }
                  catch:
                    retry: {delay: {milliseconds: 1}, limit: {attempt: {count: 3} } }
            """);
        Assert.Equal("faulted", await _server.EndAsync(failing));

        var metrics = await PrometheusText.FetchAsync(_server.Http);

        Assert.Equal(2, metrics.Value("millrace_runs_started_total", ("by", "request")));
        Assert.Equal(1, metrics.Value("millrace_runs_ended_total", ("state", "completed")));
        Assert.Equal(1, metrics.Value("millrace_runs_ended_total", ("state", "faulted")));
        Assert.Equal(1, metrics.Value("millrace_run_duration_seconds_count", ("state", "completed")));
        Assert.Equal(1, metrics.Value("millrace_effect_duration_seconds_count", ("function", "http"), ("lane", "io"), ("outcome", "completed")));
        var attempts = _service.Arrived.Count(a => a.Path == "/fails");
        Assert.Equal(attempts, metrics.Value("millrace_effect_duration_seconds_count", ("function", "http"), ("lane", "io"), ("outcome", "failed")));
        Assert.Equal(attempts - 1, metrics.Value("millrace_retries_scheduled_total"));
        Assert.True(metrics.Value("millrace_steps_committed_total") >= 4);
        Assert.True(metrics.Value("millrace_storage_commit_writes_sum") >= metrics.Value("millrace_records_committed_total"));
        Assert.Equal(0, metrics.Value("millrace_runs_held"));
        Assert.Equal(0, metrics.Value("millrace_effects_running", ("lane", "io")));
        Assert.Equal(2, metrics.Value("http_server_request_duration_seconds_count", ("http_route", "/api/v1/runs/"), ("http_response_status_code", "201")));
    }

    [Fact]
    public async Task A_large_value_is_counted_as_a_blob_and_a_follower_as_one()
    {
        var run = await _server.RunAsync("large", "  - big: {set: {text: '${ \"x\" * 100000 }'}}\n  - rest: {wait: {hours: 1}}");
        await using (var follower = await EventStreamReader.OpenAsync(_server.Http, $"/api/v1/runs/{run}/stream"))
        {
            await follower.ReadUntilAsync(m => m.Data["state"].StringOrNull == "waiting" || m.Data.ToString().Contains("waiting", StringComparison.Ordinal));
            var metrics = await PrometheusText.FetchAsync(_server.Http);
            Assert.True(metrics.Value("millrace_blobs_written_bytes_total") >= 100_000);
            Assert.Equal(1, metrics.Value("millrace_streams_followers"));
        }
        while ((await PrometheusText.FetchAsync(_server.Http)).Value("millrace_streams_followers") > 0)
        {
            // The server notices that its client has gone.
        }
    }
}
