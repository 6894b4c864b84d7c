using Millrace.Jq;
using Millrace.Workflows.Kernel;

namespace Millrace.Workflows.Tests.Kernel;

/// <summary>Calls whose effect gives items on the way, and what is done for each.</summary>
public sealed class ConsumeTests
{
    private static readonly Json Three = JsonText.Parse("""[{"payload": 1}, {"payload": 2}, {"payload": 3}]""");

    [Fact]
    public void Its_tasks_are_done_for_each_item_and_give_the_output()
    {
        var run = KernelRun.Of(Call("amount: 3", "item: message, at: place, do: [{one: {set: {n: '${ $message.payload * 10 }', at: '${ $place }'}}}]"), answer: _ => Three);
        Assert.Equal("""[{"n":10,"at":0},{"n":20,"at":1},{"n":30,"at":2}]""", run.State.Output.ToString());
        Assert.Equal(["gather", "one", "one", "one", "after"], run.Ran);
    }

    [Fact]
    public void The_next_item_is_taken_when_the_one_before_is_done_with()
    {
        var run = KernelRun.Of(Call("amount: 3", "do: [{rest: {wait: PT1H}}]"), answer: _ => Three);
        Assert.InRange(run.Passed, TimeSpan.FromHours(3), TimeSpan.FromHours(3) + TimeSpan.FromSeconds(1));
        Assert.Equal(Three, run.State.Output);
    }

    [Fact]
    public void A_condition_sees_the_context_that_the_items_make_and_no_item_behind_it_is_taken()
    {
        var run = KernelRun.Of(Call("until: '${ $context.sum >= 3 }'", "export: {as: '{sum: (($context.sum // 0) + .payload)}'}"), answer: _ => Three);
        Assert.Equal("""[{"payload":1},{"payload":2}]""", run.State.Output.ToString());
        Assert.Equal("""{"sum":3}""", run.State.Context.ToString());
    }

    [Fact]
    public void A_condition_that_does_not_hold_at_first_asks_for_nothing()
    {
        var run = KernelRun.Of(Call("while: '${ $context.wanted }'", "output: {as: .payload}"), JsonText.Parse("""{"wanted": false}"""), answer: _ => Three);
        Assert.Equal("[]", run.State.Output.ToString());
        Assert.Empty(run.Calls);
    }

    [Fact]
    public void The_conditions_are_no_arguments_of_the_call()
    {
        var run = KernelRun.Of(Call("until: '${ length == 2 }'", "output: {as: .payload}"), answer: _ => Three);
        Assert.Equal("""{"consume":{}}""", run.Calls[0]["subscription"].ToString());
        Assert.Equal("[1,2]", run.State.Output.ToString());
    }

    [Fact]
    public void A_fault_in_its_tasks_ends_it_and_lets_go_of_the_effect()
    {
        var run = KernelRun.Of(Call("amount: 3", "do: [{bad: {raise: {error: {type: https://example.com/bad, status: 400}}}}]"), answer: _ => Three);
        Assert.Equal((RunPhase.Faulted, "https://example.com/bad", "/do/0/gather/with/subscription/foreach/do/0/bad"), (run.State.Phase, run.State.Error!.Type, run.State.Error.Instance));
        Assert.Contains(1, run.Abandoned);
    }

    [Fact]
    public void A_fault_of_the_effect_is_its_own()
    {
        var run = KernelRun.Of(Call("amount: 3", "do: [{one: {set: {n: 1}}}]"), answer: _ => new WorkflowError(ErrorTypes.Communication, 503, "Connection failed"));
        Assert.Equal((RunPhase.Faulted, "/do/0/gather"), (run.State.Phase, run.State.Error!.Instance));
    }

    [Fact]
    public void A_fork_within_goes_on_with_the_item_at_hand()
    {
        var run = KernelRun.Of(Call("amount: 3", "do: [{one: {set: {n: '${ $item.payload }'}}}]"), answer: _ => Three);
        // The second item's task: the call is step 1, the first item's is 2.
        var fork = run.Fork(run.Begun.Single(b => b.Step == 3), _ => Three);
        Assert.Equal("""[{"n":1},{"n":2},{"n":3}]""", fork.State.Output.ToString());
        Assert.Single(fork.Calls);
    }

    private static string Call(string consume, string each) => $$"""
          - gather:
              call: asyncapi
              with:
                document: {endpoint: 'https://example.com/api.yaml'}
                operation: readings
                subscription: {consume: { {{consume}} }, foreach: { {{each}} } }
          - after: {set: '${ . }'}
        """;
}
