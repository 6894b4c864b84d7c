using Millrace.Jq;
using Millrace.Workflows.Kernel;

namespace Millrace.Workflows.Tests.Kernel;

public sealed class FlowTests
{
    [Fact]
    public void A_task_whose_condition_is_false_is_skipped_and_passes_its_input_on()
    {
        var run = KernelRun.Of("""
            - one: { set: { n: 1 } }
            - two: { if: .n > 1, set: { n: 2 }, then: end }
            - three: { set: '${ . + {seen: true} }' }
            """);
        Assert.Equal(["two"], run.Skipped);
        Assert.Equal("""{"n":1,"seen":true}""", run.State.Output.ToString());
    }

    [Fact]
    public void A_switch_takes_the_first_case_that_holds_or_the_default()
    {
        const string tasks = """
            - choose:
                switch:
                  - big: { when: .n > 10, then: large }
                  - other: { then: small }
            - large: { set: { size: large }, then: end }
            - small: { set: { size: small } }
            """;
        Assert.Equal("""{"size":"large"}""", KernelRun.Of(tasks, Json.Object("n", 11)).State.Output.ToString());
        Assert.Equal("""{"size":"small"}""", KernelRun.Of(tasks, Json.Object("n", 1)).State.Output.ToString());
    }

    [Fact]
    public void A_directive_may_go_back_to_an_earlier_task()
    {
        var run = KernelRun.Of("""
            - count: { set: '${ {n: ((.n // 0) + 1)} }' }
            - again: { switch: [ { more: { when: .n < 5, then: count } } ] }
            """);
        Assert.Equal("""{"n":5}""", run.State.Output.ToString());
    }

    [Fact]
    public void An_endless_loop_of_pure_tasks_comes_to_the_surface_at_its_budget()
    {
        var run = KernelRun.Of("""
            - round: { set: { a: 1 } }
            - again: { set: { a: 2 }, then: round }
            """, decisionsMax: 5);
        Assert.Equal(RunPhase.Running, run.State.Phase);
        Assert.InRange(run.Ran.Count, 400, 1100);
    }

    [Fact]
    public void Exit_leaves_the_scope_and_end_leaves_the_run()
    {
        var exit = KernelRun.Of("""
            - inner: { do: [ { a: { set: { at: a }, then: exit } }, { b: { set: { at: b } } } ] }
            - after: { set: '${ {from: .at, after: true} }' }
            """);
        Assert.Equal("""{"from":"a","after":true}""", exit.State.Output.ToString());
        var end = KernelRun.Of("""
            - inner: { do: [ { a: { set: { at: a }, then: end } } ] }
            - after: { set: { after: true } }
            """);
        Assert.Equal("""{"at":"a"}""", end.State.Output.ToString());
    }

    [Fact]
    public void End_inside_a_fork_cancels_the_other_branches()
    {
        var run = KernelRun.Of("""
            - both:
                fork:
                  branches:
                    - slow: { wait: PT1H }
                    - quick: { do: [ { stop: { set: { stopped: true }, then: end } } ] }
            """);
        Assert.Equal(RunPhase.Completed, run.State.Phase);
        Assert.Equal(TimeSpan.Zero, TimeSpan.FromSeconds(Math.Floor(run.Passed.TotalSeconds)));
        Assert.Equal("""{"stopped":true}""", run.State.Output.ToString());
    }

    [Fact]
    public void A_loop_gives_each_item_and_index_and_passes_data_on()
    {
        var run = KernelRun.Of("""
            - sum:
                for: { each: price, in: .prices, at: i }
                do:
                  - add: { set: '${ {prices: .prices, total: ((.total // 0) + $price * ($i + 1))} }' }
                output: { as: .total }
            """, JsonText.Parse("""{"prices": [1, 2, 3]}"""));
        Assert.Equal("14", run.State.Output.ToString());
    }

    [Fact]
    public void A_loop_ends_when_its_condition_does_not_hold_any_more()
    {
        var run = KernelRun.Of("""
            - some:
                for: { in: '${ [range(10)] }' }
                while: $item < 3
                do: [ { take: { set: '${ {last: $item} }' } } ]
            """);
        Assert.Equal("""{"last":2}""", run.State.Output.ToString());
        Assert.Equal(3, run.Ran.Count(n => n == "take"));
    }

    [Fact]
    public void A_loop_over_nothing_passes_its_input_on()
    {
        var run = KernelRun.Of("- none: { for: { in: .items }, do: [ { never: { set: { a: 1 } } } ] }", JsonText.Parse("""{"items": []}"""));
        Assert.Equal("""{"items":[]}""", run.State.Output.ToString());
        Assert.Equal(["none"], run.Ran);
    }

    [Fact]
    public void A_loop_without_tasks_passes_its_input_on()
    {
        Assert.Equal("""{"n":1}""", KernelRun.Of("- none: { for: { in: '${ [1, 2] }' }, do: [] }", Json.Object("n", 1)).State.Output.ToString());
    }

    [Fact]
    public void Loops_inside_loops_see_both_variables()
    {
        var run = KernelRun.Of("""
            - outer:
                for: { each: a, in: '${ [1, 2] }' }
                do:
                  - inner:
                      for: { each: b, in: '${ [10, 20] }' }
                      do:
                        - pair: { set: '${ {sum: ((.sum // 0) + $a * $b)} }' }
            """);
        Assert.Equal("""{"sum":90}""", run.State.Output.ToString());
    }

    [Fact]
    public void Branches_of_a_fork_all_get_the_forks_input()
    {
        var run = KernelRun.Of("""
            - both:
                input: { from: .start }
                fork:
                  branches:
                    - double: { set: '${ {n: (.n * 2)} }' }
                    - ask: { call: http, with: { method: get, endpoint: 'http://a.test' } }
                    - triple: { set: '${ {n: (.n * 3)} }' }
            """, JsonText.Parse("""{"start": {"n": 7}}"""), answer: _ => Json.Of("asked"));
        Assert.Equal("""[{"n":14},"asked",{"n":21}]""", run.State.Output.ToString());
    }

    [Fact]
    public void A_function_runs_on_its_arguments_and_sees_nothing_of_its_callers_loop()
    {
        var run = KernelRun.Of("""
            - each:
                for: { each: x, in: '${ [5] }' }
                do:
                  - twice: { call: double, with: { n: '${ $x }' } }
            """, head: "use: { functions: { double: { set: '${ {twice: (.n * 2), saw: $task.name} }' } } }");
        Assert.Equal("""{"twice":10,"saw":"double"}""", run.State.Output.ToString());
    }

    [Fact]
    public void Waits_take_their_time()
    {
        var run = KernelRun.Of("""
            - inline: { wait: { minutes: 1, seconds: 30 } }
            - iso: { wait: PT30S }
            """);
        Assert.Equal(120, Math.Round(run.Passed.TotalSeconds));
    }
}
