using Millrace.Jq;
using Millrace.Server.Tests.Support;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

/// <summary>Decisions that people take, as clients see them.</summary>
public abstract class ApprovalTests(TestServer server)
{
    private const string Form = "form: {type: object, required: [amount], properties: {amount: {type: number, maximum: 100}}}";

    private static string Asking(string with = "") => $"  - ask: {{call: 'approve:1.0.0@default', with: {{title: Pay?, show: {{to: acme}}{(with.Length == 0 ? "" : ", " + with)}}}}}";

    private async Task<(Guid Run, string Approval)> AskAsync(string name, string with = "")
    {
        var run = await server.StartAsync(name, Asking(with));
        while (true)
        {
            var found = (await server.GetAsync($"/api/v1/approvals?run={run}")).Body["items"].AsArray();
            if (found.Count == 1) return (run, found[0]["id"].AsString());
        }
    }

    private Task<Answer> DecideAsync(string approval, string body) => server.PostAsync($"/api/v1/approvals/{approval}/decisions", body);

    private static string Code(Answer answer) => $"{answer.Status} {answer.Body["code"].StringOrNull}";

    [Fact]
    public async Task A_person_decides_over_http_and_the_run_goes_on()
    {
        var (run, approval) = await AskAsync("asks");
        var asked = (await server.GetAsync($"/api/v1/approvals/{approval}")).Body;
        Assert.Equal(("open", "Pay?", "acme", run.ToString()), (asked["state"].AsString(), asked["title"].AsString(), asked["show"]["to"].AsString(), asked["run"].AsString()));
        var wait = (await server.GetAsync($"/api/v1/runs/{run}/waiting")).Body["items"][0];
        Assert.Equal(("person", approval), (wait["on"].AsString(), wait["approval"].AsString()));

        var answer = await DecideAsync(approval, $$"""{"by": "anna", "decision": "approve", "comment": "fine", "hash": "{{asked["hash"].AsString()}}"}""");

        Assert.Equal((200, "approved"), (answer.Status, answer.Body["state"].AsString()));
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
        var output = (await server.GetAsync($"/api/v1/runs/{run}/output")).Body;
        Assert.Equal(("approved", "anna", "fine"), (output["outcome"].AsString(), output["decisions"][0]["by"].AsString(), output["decisions"][0]["comment"].AsString()));
        Assert.Equal(approval, (await server.GetAsync($"/api/v1/runs/{run}/steps/1")).Body["approval"].AsString());
    }

    [Fact]
    public async Task The_same_decision_again_is_answered_as_before_and_another_is_refused()
    {
        var (run, approval) = await AskAsync("twice", "quorum: 2");
        Assert.Equal(200, (await DecideAsync(approval, """{"by": "anna", "decision": "approve"}""")).Status);
        Assert.Equal(200, (await DecideAsync(approval, """{"by": "anna", "decision": "approve"}""")).Status);
        Assert.Equal("409 approval.said_otherwise", Code(await DecideAsync(approval, """{"by": "anna", "decision": "reject"}""")));
        Assert.Equal(200, (await DecideAsync(approval, """{"by": "bert", "decision": "approve"}""")).Status);
        await server.EndAsync(run);
        Assert.Equal(200, (await DecideAsync(approval, """{"by": "bert", "decision": "approve"}""")).Status);
        Assert.Equal("409 approval.closed", Code(await DecideAsync(approval, """{"by": "cleo", "decision": "approve"}""")));
        Assert.Equal("404 approval.not_found", Code(await DecideAsync(Guid.CreateVersion7().ToString(), """{"by": "anna", "decision": "approve"}""")));
    }

    [Fact]
    public async Task A_form_is_checked_before_it_counts()
    {
        var (run, approval) = await AskAsync("fills", Form);
        var wrong = await DecideAsync(approval, """{"by": "anna", "decision": "approve", "form": {"amount": 101}}""");
        Assert.Equal(("422 approval.form_invalid", "/form/amount"), (Code(wrong), wrong.Body["errors"][0]["pointer"].AsString()));
        Assert.Equal("422 approval.form_invalid", Code(await DecideAsync(approval, """{"by": "anna", "decision": "approve"}""")));
        Assert.Equal(200, (await DecideAsync(approval, """{"by": "anna", "decision": "approve", "form": {"amount": 99}}""")).Status);
        await server.EndAsync(run);
        Assert.Equal("99", (await server.GetAsync($"/api/v1/runs/{run}/output")).Body["decisions"][0]["form"]["amount"].ToString());
    }

    [Theory]
    [InlineData("""{"decision": "approve"}""", "/by")]
    [InlineData("""{"by": "anna", "decision": "perhaps"}""", "/decision")]
    [InlineData("""{"by": "anna", "decision": "approve", "form": 1}""", "/form")]
    [InlineData("""{"by": "anna", "decision": "approve", "other": 1}""", "/other")]
    public async Task A_wrong_body_is_refused_with_its_place(string body, string pointer)
    {
        var (run, approval) = await AskAsync("refuses");
        var answer = await DecideAsync(approval, body);
        Assert.Equal((400, pointer), (answer.Status, answer.Body["errors"][0]["pointer"].AsString()));
        await server.PostAsync($"/api/v1/runs/{run}/cancellation", "{}");
    }

    [Fact]
    public async Task A_decision_for_other_content_is_refused()
    {
        var (run, approval) = await AskAsync("bound");
        Assert.Equal("409 approval.other_content", Code(await DecideAsync(approval, """{"by": "anna", "decision": "approve", "hash": "00"}""")));
        await server.PostAsync($"/api/v1/runs/{run}/cancellation", "{}");
        await server.EndAsync(run);
        Assert.Equal("409 approval.closed", Code(await DecideAsync(approval, """{"by": "anna", "decision": "approve"}""")));
    }

    [Fact]
    public async Task A_vote_is_handed_to_another()
    {
        var (run, approval) = await AskAsync("hands-on");
        Assert.Equal(400, (await server.PostAsync($"/api/v1/approvals/{approval}/delegation", """{"by": "anna", "to": "anna"}""")).Status);
        var handed = await server.PostAsync($"/api/v1/approvals/{approval}/delegation", """{"by": "anna", "to": "bert"}""");
        Assert.Equal((200, "delegate", "bert"), (handed.Status, handed.Body["decisions"][0]["decision"].AsString(), handed.Body["decisions"][0]["to"].AsString()));
        Assert.Equal("409 approval.said_otherwise", Code(await DecideAsync(approval, """{"by": "anna", "decision": "approve"}""")));
        Assert.Equal(200, (await DecideAsync(approval, """{"by": "bert", "decision": "approve"}""")).Status);
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
    }

    [Fact]
    public async Task Whoever_has_a_link_decides_in_the_name_it_was_made_for()
    {
        var (run, approval) = await AskAsync("links");
        var made = await server.PostAsync($"/api/v1/approvals/{approval}/links", """{"for": "anna"}""");
        Assert.Equal(201, made.Status);
        var url = made.Body["url"].AsString();
        Assert.Equal(approval, (await server.GetAsync(url)).Body["id"].AsString());
        Assert.Equal("404 approval.link_not_found", Code(await server.GetAsync(url[..^4] + "AAAA")));
        Assert.Equal("/by", (await server.PostAsync(url, """{"by": "bert", "decision": "approve"}""")).Body["errors"][0]["pointer"].AsString());
        var answer = await server.PostAsync(url, """{"decision": "approve"}""");
        Assert.Equal((200, "anna"), (answer.Status, answer.Body["decisions"][0]["by"].AsString()));
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
        Assert.Equal("409 approval.closed", Code(await server.PostAsync($"/api/v1/approvals/{approval}/links", """{"for": "cleo"}""")));
    }

    [Fact]
    public async Task The_list_shows_what_is_open()
    {
        var (run, approval) = await AskAsync("listed");
        Assert.Contains((await server.GetAsync("/api/v1/approvals?state=open&limit=200")).Body["items"].AsArray(), a => a["id"].AsString() == approval);
        await DecideAsync(approval, """{"by": "anna", "decision": "reject"}""");
        Assert.Equal(RunPhase.Faulted, await server.EndAsync(run));
        Assert.DoesNotContain((await server.GetAsync("/api/v1/approvals?state=open&limit=200")).Body["items"].AsArray(), a => a["id"].AsString() == approval);
        Assert.Contains((await server.GetAsync("/api/v1/approvals?state=rejected&limit=1")).Body["items"].AsArray(), a => a["id"].AsString() == approval);
        Assert.Equal(400, (await server.GetAsync("/api/v1/approvals?state=perhaps")).Status);
    }
}

public sealed class ApprovalOnSqliteTests(TestServer server) : ApprovalTests(server), IClassFixture<TestServer>;

public sealed class ApprovalOnPostgresTests(PostgresTestServer server) : ApprovalTests(server), IClassFixture<PostgresTestServer>;
