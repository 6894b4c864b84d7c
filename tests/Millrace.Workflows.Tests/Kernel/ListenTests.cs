using Millrace.Jq;
using Millrace.Tests;
using Millrace.Workflows.Kernel;

namespace Millrace.Workflows.Tests.Kernel;

/// <summary>dsl-reference.md: Listen, Event Consumption Strategy, Event Filter, Correlation, Subscription Iterator.</summary>
public sealed class ListenTests
{
    private static Json Event(string type, string data = "{}", string more = "") =>
        JsonText.Parse($$"""{"specversion": "1.0", "id": "1", "source": "/test", "type": "{{type}}"{{more}}, "data": {{data}}}""");

    private static KernelRun Hear(string listen, params Json[] events) => KernelRun.Of($"- hear:\n    listen:\n{Indented(listen)}", events: events);

    /// <summary>The tasks of an example.</summary>
    private static string Example(string name)
    {
        var folder = Conformance.Folder("open-workflow");
        Assert.SkipWhen(folder is null, Conformance.Skipped("open-workflow", "the folder examples of the specification's repository, open-workflow-specification/specification"));
        var text = File.ReadAllText(Path.Combine(folder!, "examples", $"{name}.yaml"));
        var tasks = text.IndexOf("\ndo:", StringComparison.Ordinal);
        return text[(text.IndexOf('\n', tasks + 1) + 1)..];
    }

    private static string Indented(string text) => string.Join('\n', text.Split('\n').Select(l => $"      {l}"));

    [Fact]
    public void One_consumes_the_first_event_that_fits_and_gives_its_data_in_an_array()
    {
        var run = Hear("to: {one: {with: {type: wanted}}}", Event("other"), Event("wanted", """{"n": 1}"""), Event("wanted", """{"n": 2}"""));
        Assert.Equal("""[{"n":1}]""", run.State.Output.ToString());
        Assert.Equal(["+1", "-1"], run.Listened);
    }

    [Fact]
    public void A_run_that_listens_waits()
    {
        var run = Hear("to: {one: {with: {type: wanted}}}", Event("other"));
        Assert.Equal(RunPhase.Waiting, run.State.Phase);
        Assert.Equal(["+1"], run.Listened);
    }

    [Theory]
    [InlineData("data", """[{"n":1}]""")]
    [InlineData("raw", """["{\"n\":1}"]""")]
    [InlineData("envelope", """[{"specversion":"1.0","id":"1","source":"/test","type":"a","data":{"n":1}}]""")]
    public void What_is_read_of_an_event_can_be_chosen(string read, string output) =>
        Assert.Equal(output, Hear($"to: {{one: {{with: {{type: a}}}}}}\nread: {read}", Event("a", """{"n": 1}""")).State.Output.ToString());

    [Fact]
    public void Any_without_filters_takes_every_event() =>
        Assert.Equal("""[7]""", Hear("to: {any: []}", Event("whatever", "7")).State.Output.ToString());

    [Fact]
    public void All_waits_for_one_event_for_each_filter_and_keeps_the_order_in_which_they_came()
    {
        var run = Hear("to: {all: [{with: {type: a}}, {with: {type: b}}]}", Event("b", "1"), Event("b", "2"), Event("c", "3"), Event("a", "4"));
        Assert.Equal("[1,4]", run.State.Output.ToString());
    }

    [Fact]
    public void Until_a_condition_holds_events_are_gathered()
    {
        var run = Hear("to: {any: [{with: {type: a}}], until: '( . | length ) >= 3'}", Event("a", "1"), Event("b", "2"), Event("a", "3"), Event("a", "4"), Event("a", "5"));
        Assert.Equal("[1,3,4]", run.State.Output.ToString());
    }

    [Fact]
    public void Events_that_end_the_listening_are_no_part_of_its_output()
    {
        var run = Hear("to: {any: [], until: {one: {with: {type: stop}}}}", Event("a", "1"), Event("b", "2"), Event("stop", "3"), Event("a", "4"));
        Assert.Equal("[1,2]", run.State.Output.ToString());
    }

    [Fact]
    public void All_events_of_an_end_must_have_come()
    {
        var run = Hear("to: {any: [{with: {type: a}}], until: {all: [{with: {type: x}}, {with: {type: y}}]}}", Event("y"), Event("a", "1"), Event("y"), Event("x"));
        Assert.Equal("[1]", run.State.Output.ToString());
    }

    [Theory]
    [InlineData("{type: a, subject: s1}", true)]
    [InlineData("{type: a, subject: s2}", false)]
    [InlineData("{type: 'a|b'}", true)]
    [InlineData("{type: '^b.*'}", false)]
    [InlineData("{source: '/te.*'}", true)]
    [InlineData("{source: '/te'}", false)]
    [InlineData("{orderid: 17}", true)]
    [InlineData("{orderid: 18}", false)]
    [InlineData("{missing: x}", false)]
    [InlineData("{data: '${ .temperature > 38 }'}", true)]
    [InlineData("{data: '${ .temperature > 40 }'}", false)]
    [InlineData("{data: '${ .temperature | error }'}", false)]
    [InlineData("{data: {temperature: 39.5}}", true)]
    [InlineData("{data: {temperature: '${ . > 39 }', room: {name: 'r.*'}}}", true)]
    [InlineData("{data: {temperature: 39.5, pulse: 60}}", false)]
    [InlineData("{subject: '${ \"s\\($workflow.input.number)\" }'}", true)]
    [InlineData("{type: '${ startswith(\"a\") }'}", true)]
    [InlineData("{dataschema: '${ . == null }'}", false)]
    public void A_filter_compares_each_attribute(string with, bool fits)
    {
        var arriving = Event("a", """{"temperature": 39.5, "room": {"name": "r1", "floor": 2}}""", """, "subject": "s1", "orderid": 17""");
        var run = KernelRun.Of($"- hear: {{listen: {{to: {{one: {{with: {with}}}}}}}}}", JsonText.Parse("""{"number": 1}"""), events: [arriving]);
        Assert.Equal(fits ? RunPhase.Completed : RunPhase.Waiting, run.State.Phase);
    }

    [Fact]
    public void Correlated_events_must_agree_with_the_first()
    {
        const string listen = """
            to:
              all:
                - with: {type: temperature}
                  correlate: {room: {from: .roomid}}
                - with: {type: humidity}
                  correlate: {room: {from: .roomid}}
            """;
        var run = Hear(listen, Event("humidity", "0"), Event("temperature", "1", """, "roomid": "r1" """), Event("humidity", "2", """, "roomid": "r2" """), Event("humidity", "3", """, "roomid": "r1" """));
        Assert.Equal("[1,3]", run.State.Output.ToString());
    }

    [Theory]
    [InlineData("'${ .order }'", """{"order": 5}""")]
    [InlineData("'5'", "{}")]
    public void A_correlation_may_say_what_it_expects(string expect, string input)
    {
        var run = KernelRun.Of($"- hear: {{listen: {{to: {{one: {{with: {{type: paid}}, correlate: {{order: {{from: .data.order, expect: {expect}}}}}}}}}}}}}",
            JsonText.Parse(input), events: [Event("paid", """{"order": 4}"""), Event("paid", """{"order": 5}""")]);
        Assert.Equal("""[{"order":5}]""", run.State.Output.ToString());
    }

    [Fact]
    public void The_same_event_told_of_twice_counts_once()
    {
        // Positions are given by KernelRun: one array holds events that come at once, each with a position of its own.
        var run = Hear("to: {any: [{with: {type: a}}], until: '(. | length) == 2'}", Event("a", "1"));
        var decision = new Decision(run.State, new Surroundings(Guid.CreateVersion7, () => 0)).At(run.State.StartedAt + 1);
        decision.EventArrived(1, Event("a", "1"));
        Assert.Empty(decision.Entries);
        Assert.Equal(RunPhase.Waiting, run.State.Phase);
    }

    [Fact]
    public void An_event_is_consumed_by_every_step_that_listens_and_by_none_that_begins_later()
    {
        var run = KernelRun.Of("""
            - both:
                fork:
                  branches:
                    - left: {listen: {to: {one: {with: {type: a}}}}}
                    - right: {listen: {to: {one: {with: {type: a}}}}}
            - again: {listen: {to: {one: {with: {type: a}}}}}
            """, events: [Event("a", "1"), Event("a", "2")]);
        Assert.Equal("[2]", run.State.Output.ToString());
        var decision = new Decision(run.State, new Surroundings(Guid.CreateVersion7, () => 0)).At(run.State.EndedAt + 1);
        decision.EventArrived(3, Event("a", "3"));
        Assert.Empty(decision.Entries);
    }

    [Fact]
    public void Foreach_works_on_one_event_after_another_while_more_come_in()
    {
        var run = KernelRun.Of("""
            - hear:
                listen: {to: {any: [{with: {type: a}}], until: {one: {with: {type: stop}}}}}
                foreach:
                  item: event
                  at: i
                  do:
                    - work: {call: 'work:1.0.0@default', with: {n: '${ $event.n }', i: '${ $i }', dot: '${ .n }'}}
                    - add: {set: {n: '${ $event.n * 10 }'}}
                  output: {as: '.n + $i'}
                  export: {as: '$context + {last: $output}'}
            """, events: [Json.Array(Event("a", """{"n": 1}"""), Event("a", """{"n": 2}"""), Event("stop"), Event("a", """{"n": 3}"""))]);
        Assert.Equal("[10,21]", run.State.Output.ToString());
        Assert.Equal("""{"last":21}""", run.State.Context.ToString());
        Assert.Equal(["""{"n":1,"i":0,"dot":1}""", """{"n":2,"i":1,"dot":2}"""], run.Calls.Select(c => c.ToString()));
        Assert.Equal(["hear", "work", "add", "work", "add"], run.Ran);
    }

    [Fact]
    public void A_condition_is_asked_after_what_was_done_for_an_event_and_the_events_behind_it_are_left()
    {
        var run = KernelRun.Of("""
            - hear:
                listen: {to: {any: [], until: '$context.sum > 2'}}
                foreach:
                  do: [{work: {call: 'work:1.0.0@default', with: {}}}]
                  output: {as: '$item'}
                  export: {as: '{sum: (($context.sum // 0) + .)}'}
            """, events: [Json.Array(Event("a", "1"), Event("a", "2"), Event("a", "3"))]);
        Assert.Equal("[1,2]", run.State.Output.ToString());
    }

    [Fact]
    public void Foreach_without_tasks_shapes_the_output() =>
        Assert.Equal("[1,2]", KernelRun.Of("""
            - hear:
                listen: {to: {all: [{with: {type: a}}, {with: {type: b}}]}}
                foreach: {output: {as: '$item.n'}}
            """, events: [Event("a", """{"n": 1}"""), Event("b", """{"n": 2}""")]).State.Output.ToString());

    /// <summary>The examples of the specification that listen, each with events that it takes and some that it lets be.</summary>
    [Theory]
    [InlineData("listen-to-one", "com.virtual-wf-powered-race.events.race.started.v1=1", "null")]
    [InlineData("listen-to-any", "x=1 y=2", "[1]")]
    [InlineData("listen-to-any-filter", "com.fake-hospital.vitals.measurements.temperature={\"temperature\":37} com.fake-hospital.vitals.measurements.bpm={\"bpm\":120}", """[{"bpm":120}]""")]
    [InlineData("listen-to-any-until-condition", "a=1 b=2 c=3 d=4 e=5", "[1,2,3,4]")]
    [InlineData("listen-to-any-until-consumed", "com.fake-hospital.vitals.measurements.bpm={\"bpm\":50} x=1 com.fake-hospital.patient.checked-out={} x=2", """[{"bpm":50}]""")]
    [InlineData("listen-to-all", "com.fake-hospital.vitals.measurements.bpm={\"bpm\":50} com.fake-hospital.vitals.measurements.temperature={\"temperature\":39}", """[{"bpm":50},{"temperature":39}]""")]
    public void Examples_of_the_specification_listen(string example, string events, string output)
    {
        var run = KernelRun.Of(Example(example), events: [.. events.Split(' ').Select(e => Event(e.Split('=')[0], e.Split('=')[1]))]);
        Assert.Equal(RunPhase.Completed, run.State.Phase);
        Assert.Equal(output, run.State.Output.ToString());
    }

    [Fact]
    public void An_example_that_listens_for_ever_posts_each_event()
    {
        var run = KernelRun.Of(Example("listen-to-any-forever-foreach"), events: [Event("a", "1"), Event("b", "2"), Event("c", "3")]);
        Assert.Equal(RunPhase.Waiting, run.State.Phase);
        Assert.Equal(["1", "2", "3"], run.Calls.Select(c => c["body"]["event"].ToString()));
    }

    [Fact]
    public void A_timeout_ends_the_listening_abruptly()
    {
        var run = KernelRun.Of("""
            - guarded:
                try:
                  - hear: {listen: {to: {one: {with: {type: never}}}}, timeout: {after: PT5S}}
                catch:
                  errors: {with: {status: 408}}
                  do: [{late: {set: {late: true}}}]
            """, events: [Event("other")]);
        Assert.Equal("""{"late":true}""", run.State.Output.ToString());
        Assert.Equal(["+2", "-2"], run.Listened);
    }

    [Fact]
    public void A_fault_in_what_is_done_for_an_event_faults_the_task()
    {
        var run = KernelRun.Of("""
            - hear:
                listen: {to: {any: [], until: '${ false }'}}
                foreach: {do: [{bad: {raise: {error: {type: https://example.com/bad, status: 400}}}}]}
            """, events: [Event("a")]);
        Assert.Equal(RunPhase.Faulted, run.State.Phase);
        Assert.Equal(["+1", "-1"], run.Listened);
    }

    [Fact]
    public void Too_many_events_that_wait_fault_the_task()
    {
        var events = Enumerable.Range(0, 10_002).Select(n => Event("a", n.ToString(System.Globalization.CultureInfo.InvariantCulture))).ToArray();
        var run = KernelRun.Of("""
            - hear:
                listen: {to: {any: [], until: '${ false }'}}
                foreach: {do: [{rest: {wait: PT1H}}]}
            """, events: [Json.Array(events)]);
        Assert.Equal("Too many events", run.State.Error!.Title);
    }
}
