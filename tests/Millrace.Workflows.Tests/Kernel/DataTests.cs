using Millrace.Jq;
using Millrace.Workflows.Kernel;

namespace Millrace.Workflows.Tests.Kernel;

public sealed class DataTests
{
    [Fact]
    public void Data_goes_through_every_stage_in_order()
    {
        var run = KernelRun.Of("""
            - first:
                input: { from: .order }
                set: { total: '${ .price * .count }', raw: '${ $task.input.order.price }' }
                output: { as: '${ {total, price: $input.price} }' }
                export: { as: '${ {seen: $output.total} }' }
            - second:
                set: { context: '${ $context.seen }', total: '${ .total }' }
            """,
            JsonText.Parse("""{"wrap": {"order": {"price": 3, "count": 4}}}"""),
            "input: { from: .wrap }\noutput: { as: '${ . + {ctx: $context} }' }");
        Assert.Equal("""{"context":12,"total":12,"ctx":{"seen":12}}""", run.State.Output.ToString());
    }

    [Fact]
    public void The_context_begins_as_the_workflows_input()
    {
        var run = KernelRun.Of("- say: { set: { n: '${ $context.n }' } }", Json.Object("n", 3));
        Assert.Equal("""{"n":3}""", run.State.Output.ToString());
    }

    [Fact]
    public void Arguments_of_a_call_are_evaluated_on_the_transformed_input()
    {
        var run = KernelRun.Of("""
            - ask:
                input: { from: .user }
                call: http
                with: { method: post, endpoint: 'http://a.test', body: { hello: '${ .name }', text: 'Dear ${ .name }!' } }
            """, JsonText.Parse("""{"user": {"name": "Ada"}}"""));
        Assert.Equal("""{"hello":"Ada","text":"Dear Ada!"}""", Assert.Single(run.Calls)["body"].ToString());
    }

    [Fact]
    public void The_descriptors_say_what_runs_where_and_since_when()
    {
        var run = KernelRun.Of("""- say: { set: { task: '${ $task.reference }', name: '${ $workflow.definition.document.name }', id: '${ $workflow.id | length }', at: '${ $task.startedAt.epoch.seconds }', now: '${ now | floor }', by: '${ $runtime.name }' } }""");
        Assert.Equal("""{"task":"/do/0/say","name":"test","id":36,"at":1700000000,"now":1700000000,"by":"Millrace"}""", run.State.Output.ToString());
    }

    [Fact]
    public void An_expression_that_fails_faults_the_task_with_an_expression_error()
    {
        var run = KernelRun.Of("- bad: { set: { a: '${ .text + 1 }' } }", Json.Object("text", "x"));
        Assert.Equal(RunPhase.Faulted, run.State.Phase);
        Assert.Equal((ErrorTypes.Expression, 400, "/do/0/bad"), (run.State.Error!.Type, run.State.Error.Status, run.State.Error.Instance));
    }

    [Theory]
    [InlineData("input", "/do/0/check")]
    [InlineData("output", "/do/0/check")]
    [InlineData("export", "/do/0/check")]
    public void A_value_that_does_not_fit_its_schema_is_a_validation_error(string stage, string instance)
    {
        var run = KernelRun.Of($$"""
            - check:
                set: { n: text }
                {{stage}}: { {{(stage == "export" ? "as: ., " : "")}}schema: { document: { type: object, properties: { n: { type: integer } } } } }
            """, Json.Object("n", "text"));
        Assert.Equal((ErrorTypes.Validation, 400, instance), (run.State.Error!.Type, run.State.Error.Status, run.State.Error.Instance));
        Assert.Contains("/n", run.State.Error.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_workflows_own_schemas_are_held()
    {
        var input = KernelRun.Of("- a: { set: { b: 1 } }", Json.Object("n", "text"), "input: { schema: { document: { required: [m] } } }");
        Assert.Equal((ErrorTypes.Validation, "/"), (input.State.Error!.Type, input.State.Error.Instance));
        Assert.Empty(input.Ran);
        var output = KernelRun.Of("- a: { set: { b: 1 } }", head: "output: { schema: { document: { required: [c] } } }");
        Assert.Equal(RunPhase.Faulted, output.State.Phase);
    }

    [Fact]
    public void There_is_no_transformed_input_while_it_is_being_made()
    {
        var run = KernelRun.Of("""
            - one: { if: '$input == null', input: { from: '{of: $input, raw: .n}' }, set: { in: '${ . }' } }
            - ask: { call: 'x:1.0.0@default', input: { from: '${ [$secrets.token, $input] }' }, with: { of: '${ . }' } }
            """, Json.Object("n", 1), "use: { secrets: [token] }", secrets: new() { ["token"] = "abc" });
        Assert.Equal("""{"of":["abc",null]}""", run.Calls[0].ToString());
        Assert.Equal(["one", "ask"], run.Ran);
    }

    [Fact]
    public void A_secret_that_is_not_in_the_vault_is_an_authorization_error()
    {
        const string tasks = "- ask: { call: http, with: { method: get, endpoint: 'http://a.test', headers: { key: '${ $secrets.token }' } } }";
        var absent = KernelRun.Of(tasks, head: "use: { secrets: [token] }");
        Assert.Equal((ErrorTypes.Authorization, 403), (absent.State.Error!.Type, absent.State.Error.Status));
        var there = KernelRun.Of(tasks, head: "use: { secrets: [token] }", secrets: new() { ["token"] = "abc" });
        Assert.Equal("abc", Assert.Single(there.Calls)["headers"]["key"].AsString());
    }

    [Fact]
    public void An_input_that_holds_secrets_is_not_in_the_journal_and_can_be_had_again()
    {
        var run = KernelRun.Of("""
            - ask:
                input: { from: '${ . + {token: $secrets.token} }' }
                call: http
                with: { method: get, endpoint: 'http://a.test', headers: { key: '${ .token }' } }
            """, Json.Object("a", 1), "use: { secrets: [token] }", secrets: new() { ["token"] = "abc" });
        Assert.Equal("abc", Assert.Single(run.Calls)["headers"]["key"].AsString());
        Assert.Equal(RunPhase.Completed, run.State.Phase);
    }
}
