using System.Xml.Linq;
using Millrace.Jq;

namespace Millrace.Cli.Tests;

/// <summary><c>millrace test</c> and <c>millrace record</c>: scenarios are played without a server, and runs become scenarios.</summary>
public sealed class TestCommandTests : IDisposable
{
    private const string Calls = "workflow: { do: [{ a: { call: http, with: { method: get, endpoint: 'https://x.test/{id}' } } }] }";

    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-scenarios-").FullName;

    [Fact]
    public async Task A_scenario_with_a_mocked_call_passes_in_virtual_time()
    {
        var (exit, output, _) = await PlayAsync($$"""
            {{Calls}}
            scenarios:
              - name: It is answered after a minute and a half
                input: { id: 7 }
                mocks: [{ request: { uri: 'https://x.test/7' }, responds: { body: { name: Rex } }, after: PT1M30S }]
                restart: everywhere
                expect: { state: completed, output: { name: Rex }, took: PT1M30S, effects: [{ call: http, task: a }], requests: [{ method: GET }] }
            """);
        Assert.True(exit == Exit.Completed, output);
        Assert.Contains("1 passed, 0 failed, 3 restarts", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failing_expectation_shows_the_difference_and_its_place()
    {
        var (exit, output, _) = await PlayAsync("""
            scenarios:
              - name: Twice two is five
                workflow: { do: [{ a: { set: { n: '${ 2 * 2 }', m: [1, 2] } } }] }
                expect: { output: { n: 5, m: [1, 2, 3] }, took: PT1S }
            """);
        Assert.Equal(Exit.Faulted, exit);
        Assert.Contains("output.n: expected 5, was 4", output, StringComparison.Ordinal);
        Assert.Contains("output.m[2]: expected 3, was not there", output, StringComparison.Ordinal);
        Assert.Contains("took: expected PT1S, was PT0S", output, StringComparison.Ordinal);
        Assert.Contains("it.scenarios.yaml:2", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_without_a_mock_fails_whatever_is_expected()
    {
        var (exit, output, _) = await PlayAsync($$"""
            {{Calls}}
            scenarios: [{ name: It is not answered, input: { id: 7 }, expect: { state: faulted } }]
            """);
        Assert.Equal(Exit.Faulted, exit);
        Assert.Contains("no mock answers the request GET https://x.test/7 of 'a' (http)", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_misspelt_key_is_an_error_with_its_place()
    {
        var (exit, _, error) = await PlayAsync("""
            scenarios:
              - name: It is misspelt
                workflow: { do: [{ a: { set: { n: 1 } } }] }
                expect: { outptu: { n: 1 } }
            """);
        Assert.Equal(Exit.Refused, exit);
        Assert.Contains("did you mean 'output'?", error, StringComparison.Ordinal);
        Assert.Contains("it.scenarios.yaml:4:15", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_condition_that_is_no_filter_is_an_error_with_its_place()
    {
        var (exit, _, error) = await PlayAsync("""
            scenarios:
              - name: It does not parse
                workflow: { do: [{ a: { set: { n: 1 } } }] }
                expect: { output: '${ .n | }' }
            """);
        Assert.Equal(Exit.Refused, exit);
        Assert.Contains("it.scenarios.yaml:4", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_effect_that_is_done_once_is_not_repeated_after_a_crash()
    {
        var (exit, output, _) = await PlayAsync("""
            scenarios:
              - name: It is lost
                workflow: { do: [{ a: { run: { shell: { command: ls } } } }] }
                mocks: [{ call: shell, returns: files, after: PT5S }]
                restart: { at: PT2S, for: PT1S }
                expect: { state: faulted, error: { title: Outcome unknown }, took: PT3S }
            """);
        Assert.True(exit == Exit.Completed, output);
    }

    [Fact]
    public async Task Results_are_told_to_other_programs()
    {
        var junit = Path.Combine(_folder, "results.xml");
        var (exit, output, _) = await PlayAsync("""
            workflow: { do: [{ a: { set: { n: 1 } } }] }
            scenarios:
              - { name: It holds, spec: dsl-reference#set, expect: { output: { n: 1 } } }
              - { name: It does not, expect: { output: { n: 2 } } }
              - { name: It is known not to, gap: not there yet, expect: { output: { n: 3 } } }
            """, "--json", "--junit", junit);
        Assert.Equal(Exit.Faulted, exit);
        var told = JsonText.Parse(output);
        Assert.Equal((1.0, 1.0, 1.0), (told["passed"].AsNumber(), told["failed"].AsNumber(), told["gaps"].AsNumber()));
        Assert.Equal("dsl-reference#set", told["scenarios"][0]["spec"].AsString());
        var suite = XDocument.Load(junit).Root!.Element("testsuite")!;
        Assert.Equal(("3", "1"), (suite.Attribute("tests")!.Value, suite.Attribute("failures")!.Value));
        Assert.Single(suite.Descendants("skipped"));
    }

    [Fact]
    public async Task People_decide_at_their_moments_and_crashes_change_nothing()
    {
        var (exit, output, _) = await PlayAsync("""
            workflow: { do: [{ ask: { call: 'approve:1.0.0@default', with: { title: 'Pay?', quorum: 2, onReject: continue, show: { n: 1 }, form: { type: object, required: [amount], properties: { amount: { type: number } } } } } }] }
            scenarios:
              - name: Two of three agree
                restart: everywhere
                signals:
                  - { at: PT1H, decide: { task: ask, by: ann, approve: true, form: { amount: 5 }, comment: fine } }
                  - { at: PT2H, decide: { task: ask, by: bert, delegate: cleo } }
                  - { at: PT3H, decide: { task: /do/0/ask, show: { n: 1 }, by: cleo, approve: true, form: { amount: 6 } } }
                expect: { took: PT3H, output: '${ .outcome == "approved" and [.decisions[] | .by, .form.amount] == ["ann", 5, "cleo", 6] and .delegations[0].to == "cleo" }' }
              - name: One says no
                signals: [{ at: PT1H, decide: { task: ask, by: ann, reject: true, comment: too dear } }]
                expect: { took: PT1H, output: '${ .outcome == "rejected" and .decisions[0].comment == "too dear" }' }
              - name: Nobody has said anything yet
                until: P1D
                expect: { state: waiting, waiting: [{ on: person, task: ask }] }
            """);
        Assert.True(exit == Exit.Completed, output);
        Assert.Contains("3 passed", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ task: other, by: ann, approve: true, form: { amount: 5 } }", "what ann says about 'other' is refused: it asks nothing that this person could answer; questions are open of ask")]
    [InlineData("{ task: ask, by: ann, approve: true, form: { amount: much } }", "the form at '/amount'")]
    [InlineData("{ task: ask, by: ann, delegate: bert }", "votes about it cannot be handed on")]
    public async Task A_decision_that_would_be_refused_fails_the_scenario(string decide, string said)
    {
        var (exit, output, _) = await PlayAsync($$"""
            workflow: { do: [{ ask: { call: 'approve:1.0.0@default', with: { title: 'Pay?', delegate: false, form: { type: object, properties: { amount: { type: number } } } } } }] }
            scenarios: [{ name: It is refused, until: P1D, signals: [{ at: PT1H, decide: {{decide}} }], expect: { state: waiting } }]
            """);
        Assert.Equal(Exit.Faulted, exit);
        Assert.Contains(said, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ task: ask, by: ann }", "approve, reject, delegate")]
    [InlineData("{ task: ask, by: ann, delegate: bert, form: 1 }", "Who hands a vote on fills nothing in.")]
    [InlineData("{ task: ask, by: ann, delegate: ann }", "Nobody hands a vote to themselves.")]
    public async Task A_decision_that_says_nothing_clear_is_an_error_with_its_place(string decide, string said)
    {
        var (exit, _, error) = await PlayAsync($$"""
            workflow: { do: [{ ask: { call: 'approve:1.0.0@default', with: { title: 'Pay?' } } }] }
            scenarios: [{ name: It is unclear, signals: [{ decide: {{decide}} }], expect: { state: completed } }]
            """);
        Assert.Equal(Exit.Refused, exit);
        Assert.Contains(said, error, StringComparison.Ordinal);
        Assert.Contains("it.scenarios.yaml:2", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_waits_for_its_start_says_so()
    {
        var (exit, output, _) = await PlayAsync("""
            workflow: { document: { dsl: 1.0.3, namespace: test, name: quiet, version: 1.0.0, metadata: { flow: { debounce: { after: PT10S } } } }, do: [{ a: { set: { n: 1 } } }] }
            scenarios:
              - { name: It waits, until: PT4S, expect: { state: pending, waiting: [{ on: slot, wakesIn: PT6S }] } }
              - { name: It begins, expect: { state: completed, took: PT10S } }
            """);
        Assert.True(exit == Exit.Completed, output);
    }

    [Fact]
    public async Task A_mock_may_be_for_runs_of_one_workflow_with_one_input()
    {
        var (exit, output, _) = await PlayAsync("""
            workflow: { do: [{ all: { call: 'map:1.0.0@default', with: { in: '${ .l }', do: { namespace: test, name: child, version: 1.0.0 } } } }, { a: { call: 'hash:1.0.0@default', with: { text: x } } }] }
            workflows: [{ document: { dsl: 1.0.3, namespace: test, name: child, version: 1.0.0 }, do: [{ a: { call: 'hash:1.0.0@default', with: { text: x } } }] }]
            scenarios:
              - name: Each is for its own
                input: { l: [1, 2, 3] }
                mocks:
                  - { call: hash, workflow: child, input: 2, returns: { hex: two } }
                  - { call: hash, workflow: child, input: '${ . > 2 }', returns: { hex: more } }
                  - { call: hash, workflow: child, returns: { hex: other } }
                  - { call: hash, workflow: scenario, returns: { hex: last } }
                restart: everywhere
                expect: { output: { hex: last }, effects: '${ length == 4 }', runs: '${ [.[] | select(.workflow == "child") | .output.hex] | sort == ["more", "other", "two"] }' }
            """);
        Assert.True(exit == Exit.Completed, output);
    }

    [Fact]
    public async Task A_run_that_was_becomes_a_scenario_that_passes()
    {
        const string source = """
            document: { dsl: 1.0.3, namespace: test, name: told, version: 1.0.0 }
            do:
              - a: { call: http, with: { method: get, endpoint: 'https://x.test/' }, output: { as: .n } }
              - l: { listen: { to: { one: { with: { type: go } } } } }
              - b: { set: { heard: '${ .[0] }' } }
            """;
        var server = new FakeServer()
            .Json("""{"id": "r1", "definition": {"namespace": "test", "name": "told", "version": "1.0.0"}, "state": "completed", "createdAt": "2026-11-20T08:00:00Z"}""")
            .Json("""
                {"items": [{"id": 1, "node": 0, "kind": "call", "name": "a", "state": "completed", "startedAt": "2026-11-20T08:00:00Z", "endedAt": "2026-11-20T08:00:02Z"},
                {"id": 2, "node": 1, "kind": "listen", "name": "l", "state": "completed", "startedAt": "2026-11-20T08:00:02Z", "endedAt": "2026-11-20T08:00:05Z"}], "next": null}
                """)
            .Json("""{"id": 1, "node": 0, "kind": "call", "name": "a", "state": "completed", "startedAt": "2026-11-20T08:00:00Z", "endedAt": "2026-11-20T08:00:02Z", "output": 4}""")
            .Json("""{"items": [{"seq": 3, "at": "2026-11-20T08:00:05Z", "entries": [{"e": "event.consumed", "step": 2, "event": 12}]}], "next": null}""")
            .Json(source, type: "application/yaml")
            .Json("{}").Json("""{"heard": {"m": 5}}""")
            .Json("""{"position": 12, "event": {"specversion": "1.0", "id": "e", "source": "/s", "type": "go", "data": {"m": 5}}}""");
        var file = Path.Combine(_folder, "told.scenarios.yaml");
        var (recorded, _, error) = await RunAsync(server, "record", "r1", "--to", file);
        Assert.True(recorded == Exit.Completed, error);
        var (exit, output, problems) = await RunAsync(new FakeServer(), "test", file, "--restart-everywhere");
        Assert.True(exit == Exit.Completed, $"{output}{problems}\n{await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)}");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<(int Exit, string Out, string Error)> PlayAsync(string scenarios, params string[] more)
    {
        var file = Path.Combine(_folder, "it.scenarios.yaml");
        File.WriteAllText(file, scenarios);
        return RunAsync(new FakeServer(), ["test", file, .. more]);
    }

    private static async Task<(int Exit, string Out, string Error)> RunAsync(FakeServer server, params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = new Terminal(TextReader.Null, output, error) { Http = address => new HttpClient(server, false) { BaseAddress = address } };
        var exit = await CommandLine.RunAsync(args, terminal, CancellationToken.None);
        return (exit, output.ToString(), error.ToString());
    }
}
