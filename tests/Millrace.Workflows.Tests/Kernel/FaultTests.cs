using Millrace.Jq;
using Millrace.Workflows.Kernel;

namespace Millrace.Workflows.Tests.Kernel;

public sealed class FaultTests
{
    private static readonly WorkflowError Unavailable = new(ErrorTypes.Communication, 503, "Service Unavailable");

    private const string Ask = "{ call: http, with: { method: get, endpoint: 'http://a.test' } }";

    [Fact]
    public void A_caught_error_is_handled_with_the_error_at_hand()
    {
        var run = KernelRun.Of($$"""
            - attempt:
                try: [ { ask: {{Ask}} } ]
                catch:
                  errors: { with: { type: 'https://open-workflow-specification.org/dsl/errors/types/communication' } }
                  as: failure
                  do: [ { note: { set: { status: '${ $failure.status }', where: '${ $failure.instance }' } } } ]
            """, answer: _ => Unavailable);
        Assert.Equal("""{"status":503,"where":"/do/0/attempt/try/0/ask"}""", run.State.Output.ToString());
    }

    [Theory]
    [InlineData("errors: { with: { status: 404 } }")]
    [InlineData("when: $error.status == 404")]
    [InlineData("exceptWhen: $error.status == 503")]
    public void An_error_the_clause_does_not_mean_goes_on_outwards(string clause)
    {
        var run = KernelRun.Of($$"""
            - attempt:
                try: [ { ask: {{Ask}} } ]
                catch: { {{clause}}, do: [ { never: { set: { a: 1 } } } ] }
            """, answer: _ => Unavailable);
        Assert.Equal(503, run.State.Error!.Status);
        Assert.DoesNotContain("never", run.Ran);
    }

    [Fact]
    public void An_outer_clause_catches_what_an_inner_one_raises()
    {
        var run = KernelRun.Of($$"""
            - outer:
                try:
                  - inner:
                      try: [ { ask: {{Ask}} } ]
                      catch:
                        do: [ { worse: { raise: { error: { type: 'https://example.com/worse', status: 599, title: Worse } } } } ]
                catch:
                  do: [ { note: { set: { status: '${ $error.status }' } } } ]
            """, answer: _ => Unavailable);
        Assert.Equal("""{"status":599}""", run.State.Output.ToString());
    }

    [Fact]
    public void A_clause_may_name_where_to_go_on()
    {
        var run = KernelRun.Of($$"""
            - attempt:
                try: [ { ask: {{Ask}} } ]
                catch: { then: rescue }
            - never: { set: { never: true }, then: end }
            - rescue: { set: { rescued: true } }
            """, answer: _ => Unavailable);
        Assert.Equal("""{"rescued":true}""", run.State.Output.ToString());
    }

    [Theory]
    [InlineData("backoff: { constant: {} }", 2 + 2 + 2)]
    [InlineData("backoff: { linear: {} }", 2 + 4 + 6)]
    [InlineData("backoff: { exponential: {} }", 2 + 4 + 8)]
    [InlineData("jitter: { from: PT1S, to: PT3S }", 3 * (2 + 2))]
    public void Retries_wait_as_their_policy_says(string policy, int seconds)
    {
        var run = KernelRun.Of($$"""
            - attempt:
                try: [ { ask: {{Ask}} } ]
                catch: { retry: { delay: PT2S, {{policy}}, limit: { attempt: { count: 3 } } } }
            """, answer: n => n < 3 ? Unavailable : Json.Of("at last"));
        Assert.Equal("\"at last\"", run.State.Output.ToString());
        Assert.Equal(4, run.Calls.Count);
        Assert.Equal(seconds, Math.Round(run.Passed.TotalSeconds));
    }

    [Fact]
    public void When_the_retries_run_out_the_error_goes_on_unless_the_clause_handles_it()
    {
        var plain = KernelRun.Of($"- attempt: {{ try: [ {{ ask: {Ask} }} ], catch: {{ retry: {{ delay: PT1S, limit: {{ attempt: {{ count: 2 }} }} }} }} }}", answer: _ => Unavailable);
        Assert.Equal(503, plain.State.Error!.Status);
        Assert.Equal(3, plain.Calls.Count);
        var handled = KernelRun.Of($"- attempt: {{ try: [ {{ ask: {Ask} }} ], catch: {{ retry: {{ delay: PT1S, limit: {{ attempt: {{ count: 2 }} }} }}, do: [ {{ note: {{ set: {{ gaveUp: true }} }} }} ] }} }}", answer: _ => Unavailable);
        Assert.Equal("""{"gaveUp":true}""", handled.State.Output.ToString());
    }

    [Fact]
    public void Retries_stop_when_their_whole_time_is_over()
    {
        var run = KernelRun.Of($"- attempt: {{ try: [ {{ ask: {Ask} }} ], catch: {{ retry: {{ delay: PT10S, limit: {{ duration: PT25S }} }} }} }}", answer: _ => Unavailable);
        Assert.Equal(3, run.Calls.Count);
    }

    [Fact]
    public void A_policy_may_refuse_to_retry()
    {
        var run = KernelRun.Of($"- attempt: {{ try: [ {{ ask: {Ask} }} ], catch: {{ retry: {{ when: $error.status == 500, delay: PT1S, limit: {{ attempt: {{ count: 2 }} }} }} }} }}", answer: _ => Unavailable);
        Assert.Single(run.Calls);
    }

    [Fact]
    public void An_attempt_that_takes_too_long_is_tried_again()
    {
        var run = KernelRun.Of("""
            - attempt:
                try: [ { slow: { wait: PT1H } } ]
                catch: { errors: { with: { status: 408 } }, retry: { delay: PT1S, limit: { attempt: { count: 1, duration: PT5S } } }, do: [ { note: { set: { tooSlow: true } } } ] }
            """);
        Assert.Equal("""{"tooSlow":true}""", run.State.Output.ToString());
        Assert.Equal(2, run.Ran.Count(n => n == "slow"));
        Assert.Equal(11, Math.Round(run.Passed.TotalSeconds));
    }

    [Fact]
    public void Timeouts_end_a_task_and_a_run()
    {
        var task = KernelRun.Of("- slow: { wait: PT1H, timeout: { after: PT5S } }");
        Assert.Equal((ErrorTypes.Timeout, 408, "/do/0/slow"), (task.State.Error!.Type, task.State.Error.Status, task.State.Error.Instance));
        var run = KernelRun.Of("- slow: { wait: PT1H }", head: "timeout: { after: PT5S }");
        Assert.Equal((ErrorTypes.Timeout, "/"), (run.State.Error!.Type, run.State.Error.Instance));
        Assert.Equal(new StepCounts(1, 0, 0, 0, 1), run.State.Counts);
    }

    [Theory]
    [InlineData("{ do: [ { slow: { wait: PT1H } } ] }")]
    [InlineData("{ for: { in: '[1, 2]' }, do: [ { slow: { wait: PT1H } } ] }")]
    [InlineData("{ fork: { branches: [ { slow: { wait: PT1H } }, { other: { do: [ { deep: { wait: PT2H } } ] } } ] } }")]
    [InlineData("{ fork: { compete: true, branches: [ { slow: { wait: PT1H } }, { other: { listen: { to: { any: [] } } } } ] } }")]
    [InlineData("{ try: [ { slow: { wait: PT1H } } ], catch: { errors: { with: { status: 500 } }, do: [ { no: { set: { a: 1 } } } ] } }")]
    [InlineData("{ try: [ { bad: { raise: { error: { type: 'https://x.test/e', status: 500 } } } } ], catch: { retry: { delay: PT1H } } }")]
    [InlineData("{ listen: { to: { one: { with: { type: never } } } } }")]
    [InlineData("{ call: 'x:1.0.0@default' }")]
    [InlineData("{ call: wait }")]
    [InlineData("{ wait: PT1H }")]
    public void A_timeout_ends_whatever_is_inside_at_its_moment(string task)
    {
        // The inner limit is later than the outer one, and the one around both is later still.
        var inner = task[..^1] + ", timeout: { after: PT30S } }";
        var run = KernelRun.Of($"- whole: {{ timeout: PT1M, do: [ {{ middle: {{ timeout: short, do: [ {{ inner: {inner} }} ] }} }} ] }}".Replace("timeout: PT1M", "timeout: { after: PT1M }", StringComparison.Ordinal),
            head: "use: { timeouts: { short: { after: PT5S } }, functions: { wait: { wait: PT1H } } }\ntimeout: { after: PT2M }", answerNever: true);
        Assert.Equal((RunPhase.Faulted, ErrorTypes.Timeout, "/do/0/whole/do/0/middle"), (run.State.Ended, run.State.Error!.Type, run.State.Error.Instance));
        Assert.Equal(5, Math.Round(run.Passed.TotalSeconds));
        Assert.Empty(run.State.Active);
    }

    [Fact]
    public void A_timeout_can_be_caught_where_it_happens()
    {
        var run = KernelRun.Of("""
            - attempt:
                try: [ { outer: { do: [ { slow: { wait: PT1H } } ], timeout: { after: PT5S } } } ]
                catch: { errors: { with: { type: 'https://open-workflow-specification.org/spec/1.0.0/errors/timeout' } }, do: [ { note: { set: { caught: true } } } ] }
            """);
        Assert.Equal("""{"caught":true}""", run.State.Output.ToString());
    }

    [Fact]
    public void A_branchs_fault_cancels_the_other_branches_and_faults_the_fork()
    {
        var run = KernelRun.Of($$"""
            - both: { fork: { branches: [ { bad: {{Ask}} }, { slow: { wait: PT1H } } ] } }
            """, answer: _ => Unavailable);
        Assert.Equal("/do/0/both/fork/branches/0/bad", run.State.Error!.Instance);
        Assert.Equal(new StepCounts(3, 0, 2, 0, 1), run.State.Counts);
    }

    [Fact]
    public void A_race_is_lost_only_when_every_branch_has_failed()
    {
        var won = KernelRun.Of($"- race: {{ fork: {{ compete: true, branches: [ {{ a: {Ask} }}, {{ b: {{ wait: PT1S }} }} ] }} }}", Json.Object("in", 1), answer: _ => Unavailable);
        Assert.Equal("""{"in":1}""", won.State.Output.ToString());
        var lost = KernelRun.Of($"- race: {{ fork: {{ compete: true, branches: [ {{ a: {Ask} }}, {{ b: {Ask} }} ] }} }}", answer: _ => Unavailable);
        Assert.Equal(503, lost.State.Error!.Status);
    }

    [Fact]
    public void A_raised_error_is_built_from_expressions()
    {
        var run = KernelRun.Of("- no: { raise: { error: { type: 'https://example.com/no', status: 422, title: '${ \"No \\(.what)\" }' } } }", Json.Object("what", "thanks"));
        Assert.Equal("No thanks", run.State.Error!.Title);
        Assert.Equal("/do/0/no", run.State.Error.Instance);
    }
}
