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
    [InlineData("{on: {any: [], until: '. +'}}", "/schedule/on/until", "workflow.bad_expression")]
    [InlineData("{on: {one: {with: {data: '${ $input.x }'}}}}", "/schedule/on/one/with/data", "workflow.bad_expression")]
    public void What_cannot_start_a_run_is_refused_with_its_place(string schedule, string pointer, string code)
    {
        var finding = Assert.Single(Load(schedule).Diagnostics);
        Assert.Equal((pointer, code), (finding.Pointer, finding.Code));
    }

    [Theory]
    [InlineData("{on: {one: {with: {type: a}}, until: '. != null'}}", "/schedule/on/until")]
    [InlineData("{on: {all: [{with: {type: a}}], until: {one: {with: {type: b}}}}}", "/schedule/on/until")]
    public void Until_beside_anything_but_any_is_ignored_and_that_is_told(string schedule, string pointer)
    {
        var loaded = Load(schedule);
        var warning = Assert.Single(loaded.Diagnostics);
        Assert.Equal((Severity.Warning, "workflow.ignored_property", pointer), (warning.Severity, warning.Code, warning.Pointer));
        Assert.False(loaded.Workflow!.Trigger!.Gathers);
    }

    [Fact]
    public void A_policy_of_moments_beside_events_alone_is_told_part_by_part_with_its_place()
    {
        const string text = """
            document:
              dsl: 1.0.3
              namespace: test
              name: test
              version: 1.0.0
              metadata:
                schedule:
                  timeZone: Europe/Berlin
                  overlap: skip
                  jitter: PT5M
            schedule:
              on: { one: { with: { type: a } } }
            do: [ { one: { set: { a: 1 } } } ]
            """;
        var loaded = WorkflowLoader.Load(text);
        Assert.True(loaded.IsExecutable, string.Join("\n", loaded.Diagnostics));
        Assert.All(loaded.Diagnostics, d => Assert.Equal((Severity.Warning, "workflow.no_effect"), (d.Severity, d.Code)));
        Assert.Equal(["/document/metadata/schedule/timeZone 8", "/document/metadata/schedule/overlap 9", "/document/metadata/schedule/jitter 10"], loaded.Diagnostics.Select(d => $"{d.Pointer} {d.Line}"));
        Assert.Contains("metadata.flow.concurrency", loaded.Diagnostics[1].Message, StringComparison.Ordinal);
        // Beside a time it counts, for the time.
        Assert.Empty(WorkflowLoader.Load(text.Replace("on: {", "cron: 0 2 * * *\n  on: {", StringComparison.Ordinal)).Diagnostics);
    }

    /// <summary>Inputs of the runs that begin, one event after the other; the state goes through its text each time.</summary>
    private static List<string> Gather(string schedule, params string[] events)
    {
        var trigger = Load(schedule).Workflow!.Trigger!;
        Assert.True(trigger.Gathers);
        var log = events.Select((e, i) => JsonText.Parse($$"""{"specversion": "1.0", "id": "{{i}}", "source": "/s", {{e}}}""")).ToList();
        var (state, inputs) = (Json.EmptyObject, new List<string>());
        for (var i = 0; i < log.Count; i++)
        {
            if (!trigger.Concerns(log[i], DateTimeOffset.UnixEpoch)) continue;
            var gathering = new EventGathering(trigger, JsonText.Parse(state.ToString()));
            if (gathering.Take(i, log[i], at => log[(int)at], DateTimeOffset.UnixEpoch) is { } gathered) inputs.Add(gathered.Input.ToString());
            state = gathering.State;
        }
        return inputs;
    }

    [Fact]
    public void All_gathers_one_event_for_each_filter_in_any_order_and_then_anew()
    {
        const string schedule = "{on: {all: [{with: {type: a}}, {with: {type: b}}]}, read: data}";
        Assert.Equal(["[2,1]", "[3,4]"], Gather(schedule, """ "type": "b", "data": 2 """, """ "type": "c", "data": 0 """, """ "type": "a", "data": 1 """, """ "type": "a", "data": 3 """, """ "type": "b", "data": 4 """));
    }

    [Fact]
    public void Events_that_agree_belong_together()
    {
        const string schedule = "{on: {all: [{with: {type: a}, correlate: {order: {from: .data.id}}}, {with: {type: b}, correlate: {order: {from: .data.order}}}]}, read: data}";
        Assert.Equal(["""[{"id":2},{"order":2}]""", """[{"id":1},{"order":1}]"""],
            Gather(schedule, """ "type": "a", "data": {"id": 1} """, """ "type": "a", "data": {"id": 2} """, """ "type": "b", "data": {"order": 2} """, """ "type": "b", "data": {"order": 3} """, """ "type": "b", "data": {"order": 1} """));
    }

    [Fact]
    public void Any_gathers_until_a_condition_holds()
    {
        Assert.Equal(["[1,2,3]", "[7]"], Gather("{on: {any: [{with: {type: a}}], until: '(. | add) > 5'}, read: data}",
            """ "type": "a", "data": 1 """, """ "type": "a", "data": 2 """, """ "type": "a", "data": 3 """, """ "type": "a", "data": 7 """, """ "type": "a", "data": 1 """));
    }

    [Fact]
    public void Any_gathers_until_events_come_which_are_no_part_of_the_input()
    {
        Assert.Equal(["[1,2]"], Gather("{on: {any: [{with: {type: a}}], until: {all: [{with: {type: x}}, {with: {type: y}}]}}, read: data}",
            """ "type": "x", "data": 9 """, """ "type": "a", "data": 1 """, """ "type": "y", "data": 9 """, """ "type": "a", "data": 2 """, """ "type": "x", "data": 9 """));
    }

    [Fact]
    public void A_condition_that_fails_does_not_hold()
    {
        Assert.Equal(["[\"x\",{\"n\":1}]"], Gather("{on: {any: [{with: {type: a}}], until: '.[-1].n == 1'}, read: data}", """ "type": "a", "data": "x" """, """ "type": "a", "data": {"n": 1} """));
    }
}
