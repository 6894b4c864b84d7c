using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Engine.Tests;

public sealed class RunDiffTests
{
    private static readonly Workflow Workflow = WorkflowLoader.Load("""
        document: { dsl: 1.0.3, namespace: test, name: diff, version: 1.0.0 }
        do:
          - a: { set: { x: 1 } }
          - loop:
              for: { each: item, in: '${ [1, 2] }' }
              do:
                - turn: { set: { x: 2 } }
          - b: { set: { x: 3 } }
        """).Workflow!;

    private static StepView Step(int id, string name, int parent = 0, int iteration = -1, Json? output = null, StepState state = StepState.Completed) => new()
    {
        Id = id,
        Parent = parent,
        Node = Workflow.Nodes.Single(n => n.Name == name),
        Iteration = iteration,
        State = state,
        Input = Json.EmptyObject,
        Output = output ?? 1,
        StartedAt = id,
        EndedAt = id + 1,
    };

    private static string Told(IReadOnlyList<StepPair> pairs) => string.Join(' ', pairs.Select(p => $"{p.Path}:{p.Change}"));

    [Fact]
    public void Steps_are_aligned_by_task_and_iteration_whatever_their_numbers()
    {
        StepView[] left = [Step(1, "a"), Step(2, "loop"), Step(3, "turn", 2, 0), Step(4, "turn", 2, 1)];
        StepView[] right = [Step(5, "a"), Step(6, "loop"), Step(8, "turn", 6, 0), Step(9, "turn", 6, 1, output: 7)];
        Assert.Equal("/a:Same /loop:Same /loop/turn[0]:Same /loop/turn[1]:Changed", Told(RunDiff.Of(left, right)));
    }

    [Fact]
    public void What_differs_is_named_and_duration_is_not_a_difference()
    {
        var pair = Assert.Single(RunDiff.Of([Step(1, "a")], [Step(1, "a", output: 2, state: StepState.Faulted) with { EndedAt = 900 }]));
        Assert.Equal(["state", "output"], pair.Differs);
        Assert.Equal(StepChange.Same, Assert.Single(RunDiff.Of([Step(1, "a")], [Step(1, "a") with { StartedAt = 5, EndedAt = 900 }])).Change);
    }

    [Fact]
    public void Steps_that_only_one_run_has_stand_where_it_has_them()
    {
        Assert.Equal("/a:Same /loop:OnlyRight /b:Same", Told(RunDiff.Of([Step(1, "a"), Step(2, "b")], [Step(1, "a"), Step(2, "loop"), Step(3, "b")])));
        Assert.Equal("/a:Same /loop:OnlyLeft /b:OnlyRight", Told(RunDiff.Of([Step(1, "a"), Step(2, "loop")], [Step(1, "a"), Step(2, "b")])));
    }

    [Fact]
    public void The_same_task_begun_again_is_another_step()
    {
        StepView[] left = [Step(1, "a"), Step(2, "b"), Step(3, "a", output: 2)];
        Assert.Equal("/a:Same /b:Same /a~2:OnlyLeft", Told(RunDiff.Of(left, left[..2])));
    }

    [Fact]
    public void A_step_that_a_retry_began_once_more_is_compared_by_what_it_became()
    {
        StepView[] fork = [Step(1, "a"), Step(2, "loop", state: StepState.Cancelled) with { IsSuperseded = true }, Step(3, "turn", 2, 0), Step(4, "loop"), Step(5, "turn", 4, 0)];
        Assert.Equal("/a:Same /loop:Same /loop/turn[0]:Same", Told(RunDiff.Of([Step(1, "a"), Step(2, "loop"), Step(3, "turn", 2, 0)], fork)));
    }

    [Fact]
    public void Steps_in_another_order_are_still_told_once()
    {
        var pairs = RunDiff.Of([Step(1, "a"), Step(2, "b")], [Step(1, "b"), Step(2, "a"), Step(3, "loop")]);
        Assert.Equal("/a:Same /b:Same /loop:OnlyRight", Told(pairs));
        Assert.All(pairs, p => Assert.False(p.Left is null && p.Right is null));
    }
}
