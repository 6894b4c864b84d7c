using Millrace.Jq;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Workflows.Tests.Kernel;

public sealed class ExtensionTests
{
    private const string Log = """
        use:
          extensions:
            - log:
                extend: all
                before: [ { told: { call: 'tell:1.0.0@default', with: { text: '${ "before \($task.reference)" }' } } } ]
                after: [ { told: { call: 'tell:1.0.0@default', with: { text: '${ "after \($task.reference) \($task.output)" }' } } } ]
        """;

    [Fact]
    public void What_is_done_before_and_after_a_task_reads_that_task_and_leaves_its_data_alone()
    {
        var run = KernelRun.Of("""
            - one: { set: { n: 1 } }
            - two: { set: '${ {n: (.n + 1)} }' }
            """, head: Log, answer: _ => (Json)"of no account");
        Assert.Equal("""{"n":2}""", run.State.Output.ToString());
        Assert.Equal(
            ["before /do/0/one", """after /do/0/one {"n":1}""", "before /do/1/two", """after /do/1/two {"n":2}"""],
            run.Calls.Select(c => c["text"].AsString()));
    }

    [Fact]
    public void Tasks_inside_of_tasks_are_extended_and_those_of_extensions_are_not()
    {
        var run = KernelRun.Of("- outer: { do: [ { inner: { set: { n: 1 } } } ] }", head: Log);
        Assert.Equal(
            ["before /do/0/outer", "before /do/0/outer/do/0/inner", """after /do/0/outer/do/0/inner {"n":1}""", """after /do/0/outer {"n":1}"""],
            run.Calls.Select(c => c["text"].AsString()));
    }

    [Fact]
    public void The_first_extension_stands_outermost()
    {
        var run = KernelRun.Of("- task: { set: { n: 1 } }", head: """
            use:
              extensions:
                - one: { extend: all, before: [ { oneBefore: { set: { a: 1 } } } ], after: [ { oneAfter: { set: { a: 1 } } } ] }
                - two: { extend: set, before: [ { twoBefore: { set: { a: 1 } } } ], after: [ { twoAfter: { set: { a: 1 } } } ] }
            """);
        Assert.Equal(["task", "oneBefore", "twoBefore", "task", "twoAfter", "oneAfter"], run.Ran);
        Assert.Equal("""{"n":1}""", run.State.Output.ToString());
    }

    [Fact]
    public void Exit_before_a_task_leaves_it_out_and_stands_for_its_output()
    {
        var run = KernelRun.Of("""
            - get: { call: http, with: { method: get, endpoint: 'https://mocked.service.com/x' }, output: { as: .content }, export: { as: . } }
            - other: { call: http, with: { method: get, endpoint: 'https://real.service.com/x' } }
            """, head: """
            use:
              extensions:
                - outer: { extend: call, after: [ { seen: { set: { of: '${ $task.output }' }, export: { as: '${ $context + {seen: .of} }' } } } ] }
                - mock:
                    extend: call
                    when: $task.call == "http" and ($task.with.endpoint | startswith("https://mocked.service.com"))
                    before: [ { intercept: { set: { statusCode: 200, content: { foo: bar } }, then: exit } }, { never: { set: { a: 1 } } } ]
                    after: [ { notThen: { set: { a: 1 } } } ]
                - inner: { extend: call, when: '$task.name == "get"', before: [ { left: { set: { a: 1 } } } ] }
            """, answer: _ => (Json)"real");
        Assert.Equal("real", run.State.Output.AsString());
        Assert.Single(run.Calls);
        Assert.Equal("""{"foo":"bar","seen":"real"}""", run.State.Context.ToString());
        Assert.Equal(["get", "intercept", "get", "seen", "other", "other", "seen"], run.Ran);
    }

    [Fact]
    public void Exit_after_a_task_replaces_its_output()
    {
        var run = KernelRun.Of("- task: { set: { n: 1 } }", head: """
            use: { extensions: [ { mask: { extend: set, after: [ { hide: { set: '${ {n: (.n + 1)} }', then: exit } } ] } } ] }
            """);
        Assert.Equal("""{"n":2}""", run.State.Output.ToString());
    }

    [Fact]
    public void An_extension_that_does_not_apply_leaves_no_step()
    {
        var run = KernelRun.Of("- one: { set: { n: 1 } }\n- two: { set: { n: 2 } }", head: """
            use: { extensions: [ { some: { extend: all, when: '$task.set.n == 2', before: [ { b: { set: { a: 1 } } } ] } } ] }
            """);
        Assert.Equal(["one", "two", "b", "two"], run.Ran);
    }

    [Fact]
    public void A_task_that_its_condition_skips_is_not_extended()
    {
        var run = KernelRun.Of("- one: { if: 'false', set: { n: 1 } }", head: Log);
        Assert.Equal(["one"], run.Skipped);
        Assert.Empty(run.Calls);
    }

    [Fact]
    public void A_fault_of_an_extension_is_one_of_its_task_and_can_be_caught()
    {
        var run = KernelRun.Of("""
            - careful:
                try: [ { task: { call: 'x:1.0.0@default' } } ]
                catch: { as: e, do: [ { handled: { set: { at: '${ $e.instance }' } } } ] }
            """, head: """
            use: { extensions: [ { deny: { extend: call, before: [ { refuse: { raise: { error: { type: 'https://x.test/denied', status: 403 } } } } ] } } ] }
            """);
        Assert.Equal("""{"at":"/use/extensions/0/deny/before/0/refuse"}""", run.State.Output.ToString());
        Assert.Empty(run.Calls);
    }

    [Fact]
    public void A_condition_that_fails_faults_its_task()
    {
        var run = KernelRun.Of("- task: { set: { n: 1 } }", head: "use: { extensions: [ { bad: { extend: set, when: '1 / 0 > .', before: [ { b: { set: { a: 1 } } } ] } } ] }");
        Assert.Equal((ErrorTypes.Expression, "/do/0/task"), (run.State.Error!.Type, run.State.Error.Instance));
    }

    [Theory]
    [InlineData("- t: { do: [ { x: { set: { n: 1 } } } ] }", "composite")]
    [InlineData("- t: { fork: { branches: [ { x: { set: { n: 1 } } }, { y: { set: { n: 2 } } } ] } }", "composite")]
    [InlineData("- t: { fork: { compete: true, branches: [ { x: { set: { n: 1 } } }, { y: { set: { n: 2 } } } ] } }", "set")]
    [InlineData("- t: { emit: { event: { with: { type: a, source: 'https://x.test' } } } }", "emit")]
    [InlineData("- t: { for: { in: '[1, 2]' }, do: [ { x: { set: { n: '${ $item }' } } } ] }", "for")]
    [InlineData("- t: { for: { in: '[1, 2]' }, do: [ { x: { set: { n: '${ $item }' } } } ] }", "set")]
    [InlineData("- t: { listen: { to: { one: { with: { type: a } } } } }", "listen")]
    [InlineData("- t: { try: [ { x: { raise: { error: { type: 'https://x.test/e', status: 500 } } } } ], catch: { do: [ { y: { wait: PT1S } } ] } }", "raise")]
    [InlineData("- t: { try: [ { x: { raise: { error: { type: 'https://x.test/e', status: 500 } } } } ], catch: { retry: { delay: PT1S, limit: { attempt: { count: 2 } } }, do: [ { y: { wait: PT1S } } ] } }", "try")]
    [InlineData("- t: { run: { shell: { command: ls } } }", "run")]
    [InlineData("- t: { wait: PT1S }", "wait")]
    [InlineData("- t: { switch: [ { a: { when: .n == 1, then: end } }, { b: { then: u } } ] }\n- s: { set: { n: 9 } }\n- u: { wait: PT1S }", "switch")]
    [InlineData("- t: { switch: [ { a: { when: .n == 1, then: end } }, { b: { then: u } } ] }\n- s: { set: { n: 9 } }\n- u: { wait: PT1S }", "all")]
    public void Every_kind_of_task_gives_with_an_extension_what_it_gives_without(string tasks, string kind)
    {
        static object Answer(int call) => Json.Object("call", "answered");
        IReadOnlyList<Json> events = [JsonText.Parse("""{"specversion": "1.0", "id": "1", "source": "s", "type": "a", "data": {"n": 7}}""")];
        var plain = KernelRun.Of(tasks, answer: Answer, events: events);
        var extended = KernelRun.Of(tasks, answer: Answer, events: events, head: $"use: {{ extensions: [ {{ x: {{ extend: {kind}, before: [ {{ b: {{ set: {{ a: 1 }} }} }} ], after: [ {{ w: {{ wait: PT1S }} }}, {{ a: {{ set: {{ a: 2 }} }} }} ] }} }} ] }}");
        Assert.True(extended.State.IsFinished);
        Assert.Contains("b", extended.Ran);
        Assert.Equal((plain.State.Ended, plain.State.Output), (extended.State.Ended, extended.State.Output));
    }

    [Fact]
    public void A_function_is_extended_where_it_is_called_and_inside()
    {
        var run = KernelRun.Of("- t: { call: double, with: { n: 2 } }", head: """
            use:
              functions: { double: { set: '${ {n: (.n * 2)} }' } }
              extensions: [ { x: { extend: all, after: [ { seen: { set: { a: 1 }, export: { as: '${ {seen: (($context.seen // []) + [$task.name])} }' } } } ] } } ]
            """);
        Assert.Equal("""{"n":4}""", run.State.Output.ToString());
        Assert.Equal("""{"seen":["double","t"]}""", run.State.Context.ToString());
    }

    [Fact]
    public void Extensions_stand_in_the_graph_around_their_task()
    {
        var workflow = WorkflowLoader.Load($"document: {{ dsl: 1.0.3, namespace: a, name: b, version: 1.0.0 }}\n{Log}\ndo: [ {{ one: {{ wait: PT1S }} }}, {{ two: {{ wait: PT2S }} }} ]").Workflow!;
        var graph = GraphView.Of(workflow);
        Assert.Equal(["do", "task", "before: log", "after: log"], graph.Nodes.Take(4).Select(n => n.Slot));
        Assert.Equal(["one", "one", "told", "told"], graph.Nodes.Take(4).Select(n => n.Name));
        Assert.Contains(graph.Edges, e => e is { From: 0, To: 4, Parent: null });
    }

    private static object Number(int call) => (Json)call;

    [Fact]
    public void A_fork_of_a_run_can_begin_at_any_step_of_an_extended_task()
    {
        var source = KernelRun.Of("- one: { set: { n: 1 } }\n- two: { call: 'x:1.0.0@default' }", head: Log, answer: Number);
        foreach (var at in source.Begun)
        {
            var fork = source.Fork(at, Number);
            Assert.Equal(RunPhase.Completed, fork.State.Ended);
        }
        var again = source.Fork(source.Begun.Last(b => b.Scope != 0), Number, again: true);
        Assert.Equal(RunPhase.Completed, again.State.Ended);
    }
}
