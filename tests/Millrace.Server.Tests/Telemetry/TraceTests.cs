using System.Collections.Concurrent;
using System.Diagnostics;
using Millrace.Engine.Telemetry;
using Millrace.Jq;
using Millrace.Server.Tests.Support;

namespace Millrace.Server.Tests.Telemetry;

/// <summary>One trace from the request that starts a run to the requests the run sends, across restarts and processes.</summary>
public sealed class TraceTests : IAsyncLifetime
{
    private readonly TestServer _server = new();
    private readonly ConcurrentQueue<Activity> _spans = new();
    private readonly ActivityListener _listener;
    private readonly ActivityTraceId _trace = ActivityTraceId.CreateRandom();
    private readonly ActivitySpanId _caller = ActivitySpanId.CreateRandom();
    private CallDouble _service = null!;

    public TraceTests() => _listener = new ActivityListener
    {
        ShouldListenTo = source => source.Name == EngineTrace.SourceName,
        Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        ActivityStopped = span =>
        {
            if (span.TraceId == _trace) _spans.Enqueue(span);
        },
    };

    private string TraceParent => $"00-{_trace}-{_caller}-01";

    public async ValueTask InitializeAsync()
    {
        ActivitySource.AddActivityListener(_listener);
        _service = await CallDouble.StartAsync();
        await _server.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _service.DisposeAsync();
        _listener.Dispose();
    }

    private string CallTo(string path, string more = "") => $"{{call: http, with: {{method: get, endpoint: '{_service.Base}{path}'{more}}}}}";

    private async Task<Guid> StartAsync(string name, string tasks, string? traceParent)
    {
        await _server.PushAsync(TestServer.Document(name, tasks));
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/runs")
        {
            Content = new StringContent($$"""{"definition": {"namespace": "test", "name": "{{name}}"} }""", System.Text.Encoding.UTF8, "application/json"),
        };
        if (traceParent is not null) request.Headers.TryAddWithoutValidation("traceparent", traceParent);
        return Guid.Parse((await _server.SendAsync(request)).Body["id"].AsString());
    }

    private Activity Span(string name) => _spans.Single(s => s.OperationName == name);

    private string? Carried(string path) => _service.Arrived.Single(a => a.Path == path).Headers.GetValueOrDefault("traceparent");

    [Fact]
    public async Task The_callers_trace_goes_through_the_start_and_the_effect_to_what_is_called()
    {
        var run = await StartAsync("through", $"  - call: {CallTo("through")}", TraceParent);
        await _server.EndAsync(run);

        var (start, effect, whole) = (Span("start test/through"), Span("effect http"), Span("run test/through"));
        Assert.Equal(_caller, start.ParentSpanId);
        Assert.Equal((start.SpanId, start.SpanId), (effect.ParentSpanId, whole.ParentSpanId));
        Assert.Equal($"00-{_trace}-{effect.SpanId}-01", Carried("/through"));
        Assert.Equal((run.ToString(), "/do/0/call", "http", 1), (effect.GetTagItem("millrace.run"), effect.GetTagItem("millrace.task"), effect.GetTagItem("millrace.function"), effect.GetTagItem("millrace.attempt")));
        Assert.Equal("completed", whole.GetTagItem("millrace.state"));
    }

    [Fact]
    public async Task After_a_restart_the_run_goes_on_in_the_trace_it_was_started_in()
    {
        var run = await StartAsync("restarted", $"  - gate: {{call: 'gate:1.0.0@default'}}\n  - call: {CallTo("restarted")}", TraceParent);
        await _server.Gate.EnteredAsync(run);
        await _server.RestartAsync();
        _server.Gate.Open(run);
        await _server.EndAsync(run);

        var start = Span("start test/restarted");
        Assert.Equal(["cancelled", null], _spans.Where(s => s.OperationName == "effect gate").Select(s => s.GetTagItem("millrace.outcome")));
        Assert.All(_spans.Where(s => s != start), s => Assert.Equal(start.SpanId, s.ParentSpanId));
        Assert.Equal($"00-{_trace}-{Span("effect http").SpanId}-01", Carried("/restarted"));
    }

    [Fact]
    public async Task A_child_run_belongs_to_its_parents_trace()
    {
        await _server.PushAsync(TestServer.Document("child", $"  - call: {CallTo("child")}"));
        await _server.EndAsync(await StartAsync("parent", "  - spawn: {run: {workflow: {namespace: test, name: child, version: '1.0.0'}}}", TraceParent));

        Assert.Contains(_trace.ToHexString(), Carried("/child"), StringComparison.Ordinal);
        Assert.Equal(Span("start test/parent").SpanId, Span("run test/child").ParentSpanId);
    }

    [Fact]
    public async Task Each_attempt_is_a_span_and_a_failure_says_its_type_and_not_what_was_answered()
    {
        var run = await StartAsync("attempts", $$"""
              - again:
                  try:
                    - call: {{CallTo("fails")}}
                  catch:
                    retry: {delay: {milliseconds: 1}, limit: {attempt: {count: 2} } }
            """, TraceParent);
        await _server.EndAsync(run);

        var attempts = _spans.Where(s => s.OperationName == "effect http").OrderBy(s => s.StartTimeUtc).ToList();
        Assert.Equal(_service.Arrived.Count, attempts.Count);
        Assert.Equal(Enumerable.Range(1, attempts.Count), attempts.Select(s => (int)s.GetTagItem("millrace.attempt")!));
        Assert.All(attempts, s => Assert.Equal(ActivityStatusCode.Error, s.Status));
        Assert.EndsWith("/communication", (string)attempts[0].GetTagItem("error.type")!, StringComparison.Ordinal);
        Assert.Equal(ActivityStatusCode.Error, Span("run test/attempts").Status);
    }

    [Fact]
    public async Task An_author_may_send_a_traceparent_of_their_own_and_results_do_not_show_ours()
    {
        const string own = "00-11111111111111111111111111111111-2222222222222222-00";
        var run = await StartAsync("own", $"  - theirs: {CallTo("own", $", headers: {{traceparent: '{own}'}}")}\n  - ours: {CallTo("ours", ", output: response")}", TraceParent);
        await _server.EndAsync(run);

        Assert.Equal(own, Carried("/own"));
        Assert.Contains(_trace.ToHexString(), Carried("/ours"), StringComparison.Ordinal);
        var output = (await _server.GetAsync($"/api/v1/runs/{run}/output")).Body;
        Assert.False(output["request"]["headers"].AsObject().Has("traceparent"), output.ToString());
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("00-00000000000000000000000000000000-0000000000000000-01")]
    [InlineData("00-zz111111111111111111111111111111-2222222222222222-00")]
    public async Task What_is_no_traceparent_begins_a_trace_of_the_runs_own(string header)
    {
        var run = await StartAsync("odd", $"  - call: {CallTo("odd")}", header);

        Assert.Equal(Workflows.Kernel.RunPhase.Completed, await _server.EndAsync(run));
        Assert.True(ActivityContext.TryParse(Carried("/odd"), null, out var sent));
        Assert.NotEqual(_trace, sent.TraceId);
    }

    [Fact]
    public async Task A_process_that_sends_no_spans_passes_the_callers_trace_on_as_it_came()
    {
        await using var silent = await ServerProgram.StartAsync();
        await silent.EndAsync(await silent.RunAsync("silent", $"  - call: {CallTo("silent")}", TraceParent));
        await silent.EndAsync(await silent.RunAsync("untraced", $"  - call: {CallTo("untraced")}"));

        Assert.Equal(TraceParent, Carried("/silent"));
        Assert.Null(Carried("/untraced"));
    }
}
