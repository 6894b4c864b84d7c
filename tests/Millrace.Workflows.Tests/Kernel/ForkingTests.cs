using Millrace.Jq;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;

namespace Millrace.Workflows.Tests.Kernel;

public sealed class ForkingTests
{
    private static object Answered(int call) => Json.Object("n", 5);

    [Theory]
    [InlineData("- a: { set: { n: 1 } }\n- b: { do: [ { c: { set: { n: '${ .n + 1 }' } } }, { d: { if: '${ false }', set: { n: 0 } } }, { e: { call: f } } ] }")]
    [InlineData("- all: { for: { each: i, in: '${ [1, 2, 3] }' }, while: '${ true }', do: [ { x: { set: { n: '${ (.n // 0) + $i }' } } }, { y: { call: f } } ] }")]
    [InlineData("- both: { fork: { branches: [ { l: { do: [ { l1: { call: f } }, { l2: { wait: PT1M } } ] } }, { r: { do: [ { r1: { wait: PT1S } }, { r2: { call: f } } ] } } ] } }")]
    [InlineData("- race: { fork: { compete: true, branches: [ { slow: { wait: PT1H } }, { quick: { set: { n: 3 } } } ] } }\n- after: { set: { got: '${ .n }' } }")]
    [InlineData("- guarded: { try: [ { t: { call: f } }, { boom: { raise: { error: { type: https://example.com/x, status: 400 } } } } ], catch: { as: e, do: [ { h: { set: { s: '${ $e.status }' } } } ] } }")]
    [InlineData("- pick: { switch: [ { go: { when: '${ (.k // 0) < 2 }', then: up } }, { on: { then: end } } ] }\n- up: { set: { k: '${ (.k // 0) + 1 }' }, then: pick }")]
    [InlineData("- whole: { timeout: { after: PT5S }, do: [ { rest: { wait: PT3S } }, { s: { set: { ok: true } } } ] }")]
    public void A_fork_before_any_step_ends_as_its_source_did(string tasks)
    {
        var source = KernelRun.Of(tasks, head: Function, answer: Answered);
        Assert.Equal(RunPhase.Completed, source.State.Phase);
        Assert.NotEmpty(source.Begun);
        foreach (var at in source.Begun)
        {
            var fork = source.Fork(at, Answered);
            Assert.Equal((RunPhase.Completed, source.State.Output), (fork.State.Phase, fork.State.Output));
            Assert.Equal(source.State.Counts, fork.State.Counts);
        }
    }

    [Theory]
    [InlineData("- b: { do: [ { c: { set: { n: '${ 1 }' } } }, { e: { call: f } } ] }")]
    [InlineData("- all: { for: { each: i, in: '${ [1, 2, 3] }' }, do: [ { x: { set: { n: '${ (.n // 0) + $i }' } } }, { y: { call: f } } ] }")]
    [InlineData("- both: { fork: { branches: [ { l: { do: [ { l1: { call: f } }, { l2: { wait: PT1M } } ] } }, { r: { do: [ { r1: { wait: PT1S } }, { r2: { call: f } } ] } } ] } }")]
    [InlineData("- guarded: { try: [ { t: { call: f } }, { boom: { raise: { error: { type: https://example.com/x, status: 400 } } } } ], catch: { as: e, do: [ { h: { set: { s: '${ $e.status }' } } } ] } }")]
    public void Any_step_that_is_under_way_can_be_begun_once_more(string tasks)
    {
        var source = KernelRun.Of(tasks, head: Function, answer: Answered);
        foreach (var at in source.Begun)
        {
            var fork = source.Fork(at, Answered, again: true);
            Assert.Equal((RunPhase.Completed, source.State.Output), (fork.State.Phase, fork.State.Output));
        }
    }

    [Fact]
    public void Only_the_branch_that_is_edited_is_given_the_other_input()
    {
        const string Tasks = "- both: { fork: { branches: [ { l: { set: { v: '${ .v }' } } }, { r: { set: { v: '${ .v }' } } }, { m: { set: { v: '${ .v }' } } } ] } }";
        var source = KernelRun.Of(Tasks, Json.Object("v", 1));
        foreach (var (at, output) in source.Begun.Skip(1).Zip(["""[{"v":9},{"v":1},{"v":1}]""", """[{"v":1},{"v":9},{"v":1}]""", """[{"v":1},{"v":1},{"v":9}]"""]))
        {
            Assert.Equal(output, source.Fork(at, Answered, input: Json.Object("v", 9)).State.Output.ToString());
            Assert.Equal(output, source.Fork(at, Answered, again: true, input: Json.Object("v", 9)).State.Output.ToString());
        }
    }

    [Fact]
    public void A_step_that_was_begun_again_counts_as_cancelled_once()
    {
        var source = KernelRun.Of("- a: { call: f }\n- b: { set: { x: 1 } }", head: Function, answer: Answered);
        var fork = source.Fork(source.Begun.First(), Answered, again: true);
        Assert.Equal(new StepCounts(4, 3, 0, 0, 1), fork.State.Counts);
    }

    private const string Function = "use: { functions: { f: { call: http, with: { method: get, endpoint: https://example.com } } } }";
}
