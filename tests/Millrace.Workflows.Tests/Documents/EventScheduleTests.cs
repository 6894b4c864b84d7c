using Millrace.Jq;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Tests.Documents;

/// <summary>dsl.md, Event-driven scheduling.</summary>
public sealed class EventScheduleTests
{
    private static readonly Json Event = JsonText.Parse("""{"specversion": "1.0", "id": "1", "source": "/s", "type": "a", "data": {"n": 5}}""");

    private static LoadResult Load(string schedule) =>
        WorkflowLoader.Load($"document: {{ dsl: 1.0.3, namespace: test, name: test, version: 1.0.0 }}\nschedule: {schedule}\ndo: [{{one: {{set: {{a: 1}}}}}}]\n");

    [Theory]
    [InlineData("{on: {one: {with: {type: a}}}}", """[{"specversion":"1.0","id":"1","source":"/s","type":"a","data":{"n":5}}]""")]
    [InlineData("{on: {any: [{with: {type: b}}, {with: {data: '${ .n == 5 }'}}]}, read: data}", """[{"n":5}]""")]
    [InlineData("{on: {one: {with: {type: b}}}}", null)]
    [InlineData("{on: {one: {with: {data: '${ .n | error }'}}}}", null)]
    [InlineData("{on: {one: {with: {type: a}, correlate: {n: {from: .data.n, expect: '6'}}}}}", null)]
    [InlineData("{on: {any: []}, read: raw}", """["{\"n\":5}"]""")]
    public void An_event_that_fits_becomes_the_input_of_a_run(string schedule, string? input)
    {
        var loaded = Load(schedule);
        Assert.True(loaded.IsExecutable, string.Join("\n", loaded.Diagnostics));
        Assert.Equal(input, loaded.Workflow!.Trigger!.Start(Event, DateTimeOffset.UnixEpoch)?.ToString());
    }

    [Theory]
    [InlineData("{on: {all: [{with: {type: a}}, {with: {type: b}}]}}", "/schedule/on/all", "workflow.unsupported")]
    [InlineData("{on: {any: [], until: '. != null'}}", "/schedule/on/until", "workflow.unsupported")]
    [InlineData("{on: {one: {with: {data: '${ $input.x }'}}}}", "/schedule/on/one/with/data", "workflow.bad_expression")]
    public void What_cannot_start_a_run_is_refused_with_its_place(string schedule, string pointer, string code)
    {
        var finding = Assert.Single(Load(schedule).Diagnostics);
        Assert.Equal((pointer, code), (finding.Pointer, finding.Code));
    }
}
