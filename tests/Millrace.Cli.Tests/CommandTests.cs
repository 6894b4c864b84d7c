using Millrace.Jq;
using Millrace.Server;

namespace Millrace.Cli.Tests;

/// <summary>The command line in this process against the real server in this process.</summary>
public sealed class CommandTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-cli-test-").FullName;
    private MillraceServer? _server;
    private Uri? _address;

    public async ValueTask InitializeAsync() => await StartAsync(port: 0);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAsync(int port)
    {
        _server = await MillraceServer.StartAsync(new ServerSettings(port, Path.Combine(_folder, "data"), null));
        _address = _server.Address;
    }

    private async Task<(int Exit, string Out, string Error)> RunAsync(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        using var patience = new CancellationTokenSource(Patience);
        var exit = await CommandLine.RunAsync([.. args, "--server", _address!.ToString()], new Terminal(TextReader.Null, output, error), patience.Token);
        return (exit, output.ToString(), error.ToString());
    }

    private string Write(string name, string tasks, string head = "", string version = "1.0.0")
    {
        var path = Path.Combine(_folder, $"{name}.yaml");
        File.WriteAllText(path, $"document: {{dsl: '1.0.3', namespace: test, name: {name}, version: '{version}'}}\n{head}do:\n{tasks}\n");
        return path;
    }

    /// <summary>Says when a line with the text has been written.</summary>
    private sealed class WatchedWriter(string text) : StringWriter
    {
        private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Seen => _seen.Task;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.Contains(text, StringComparison.Ordinal) == true) _seen.TrySetResult();
        }
    }

    [Fact]
    public async Task Running_a_file_pushes_it_follows_it_and_prints_the_output()
    {
        var (exit, output, _) = await RunAsync("run", Write("whole", "  - greet: {set: {greeting: 'Hello ${ .name }'}}"), "name=Ada");

        Assert.Equal(Exit.Completed, exit);
        Assert.Contains("pushed test/whole:1.0.0 from", output, StringComparison.Ordinal);
        Assert.Contains("completed /do/0/greet set", output, StringComparison.Ordinal);
        Assert.Contains("\"greeting\": \"Hello Ada\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_are_sent_listed_and_shown()
    {
        var (exit, output, error) = await RunAsync("events", "send", "order.paid", "order=17", "--subject", "17", "--id", "e1", "-a", "tenant=acme");
        Assert.True(exit == Exit.Completed, error);
        Assert.Equal("event 1 e1 sent", output.Trim());
        Assert.Equal("event 1 e1 was there already", (await RunAsync("events", "send", "order.paid", "--id", "e1")).Out.Trim());
        Assert.Contains("order.paid", (await RunAsync("events", "list", "--type", "order.paid")).Out, StringComparison.Ordinal);
        Assert.DoesNotContain("order.paid", (await RunAsync("events", "list", "--type", "other")).Out, StringComparison.Ordinal);
        var kept = JsonText.Parse((await RunAsync("events", "get", "1")).Out);
        Assert.Equal(("""{"order":17}""", "acme", "17"), (kept["data"].ToString(), kept["tenant"].AsString(), kept["subject"].AsString()));
        File.WriteAllText(Path.Combine(_folder, "events.json"), """[{"specversion": "1.0", "id": "x", "source": "/s"}]""");
        (exit, _, error) = await RunAsync("events", "send", "--file", Path.Combine(_folder, "events.json"));
        Assert.Equal(Exit.Refused, exit);
        Assert.Contains("/0/type", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_that_heard_an_event_are_listed_with_how_they_did()
    {
        foreach (var name in (string[])["first", "second"])
            await RunAsync("definitions", "push", Write(name, "  - a: {set: {x: 1}}", "schedule: {on: {one: {with: {type: order.paid}}}}\n"));
        await RunAsync("events", "send", "order.paid");
        var (exit, output, error) = await RunAsync("events", "runs", "1");
        Assert.True(exit == Exit.Completed, error);
        Assert.Matches("test/(first|second):1.0.0 .* started by it", output);
        Assert.Equal(3, output.Trim().Split('\n').Length);
        Assert.Single(JsonText.Parse((await RunAsync("events", "runs", "1", "--limit", "1", "--json")).Out)["items"].AsArray());

        var (_, started, _) = await RunAsync("run", Write("listens", "  - hear: {listen: {to: {one: {with: {type: approved}}}}}"), "--detach", "--json");
        var listener = JsonText.Parse(started)["id"].AsString();
        await RunAsync("runs", "signal", listener, "approved");
        await RunAsync("runs", "watch", listener, "--plain");
        Assert.Matches($"{listener} +completed +test/listens:1.0.0 .* listened", (await RunAsync("events", "runs", "2")).Out);
        Assert.Contains("event.not_found", (await RunAsync("events", "runs", "9")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signal_reaches_the_run_it_is_for_and_is_sent_once_for_a_key()
    {
        var file = Write("signalled", "  - hear: {listen: {to: {one: {with: {type: approved}}}}}");
        string[] start = ["run", file, "--detach", "--json"];
        var (id, other) = (JsonText.Parse((await RunAsync(start)).Out)["id"].AsString(), JsonText.Parse((await RunAsync(start)).Out)["id"].AsString());
        var (exit, output, error) = await RunAsync("runs", "signal", id, "approved", "by=ada", "--key", "k1");
        Assert.True(exit == Exit.Completed, error);
        Assert.Equal($"event 1 k1 sent to run {id}", output.Trim());
        Assert.Contains("\"by\": \"ada\"", (await RunAsync("runs", "watch", id, "--plain")).Out, StringComparison.Ordinal);
        Assert.Equal("event 1 k1 was there already", (await RunAsync("runs", "signal", id, "approved", "--data", """{"by": "ada"}""", "--key", "k1")).Out.Trim());
        (exit, _, error) = await RunAsync("runs", "signal", id, "approved");
        Assert.Equal(Exit.Refused, exit);
        Assert.Contains("run.already_finished", error, StringComparison.Ordinal);
        Assert.Contains("--data is no JSON", (await RunAsync("runs", "signal", other, "approved", "--data", "{")).Error, StringComparison.Ordinal);
        Assert.Contains("approved", (await RunAsync("runs", "waiting", other)).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Artifacts_are_told_with_the_place_where_they_lie()
    {
        var (_, output, _) = await RunAsync("run", Write("kept", "  - keep: {call: 'artifact:1.0.0@default', with: {name: note.txt, content: hello}}"));

        var line = output.Split('\n').Single(l => l.StartsWith("artifact note.txt: ", StringComparison.Ordinal));
        Assert.Equal("hello", await File.ReadAllTextAsync(line["artifact note.txt: ".Length..].Trim()));
    }

    [Fact]
    public async Task A_faulted_run_is_told_with_the_task_that_raised_the_error()
    {
        var (exit, output, _) = await RunAsync("run", Write("faults", "  - boom: {raise: {error: {type: https://example.com/boom, status: 418, title: Boom}}}"));

        Assert.Equal(Exit.Faulted, exit);
        Assert.Contains("boom 418: Boom", output, StringComparison.Ordinal);
        Assert.Contains("raised by /do/0/boom", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_run_has_its_own_exit_code()
    {
        var (_, started, _) = await RunAsync("run", Write("long", "  - sleep: {wait: {hours: 1}}"), "--detach", "--json");
        var id = JsonText.Parse(started)["id"].AsString();

        Assert.Equal(Exit.Completed, (await RunAsync("runs", "cancel", id, "--reason", "enough")).Exit);
        var (exit, output, _) = await RunAsync("runs", "watch", id);

        Assert.Equal(Exit.Cancelled, exit);
        Assert.Contains("reason: enough", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_has_ended_is_taken_back_to_its_map()
    {
        await RunAsync("definitions", "push", Write("sour", "  - fail: {raise: {error: {type: 'https://example.com/e', status: 418}}}"));
        var (_, started, _) = await RunAsync("run", Write("over", "  - all: {call: 'map:1.0.0@default', with: {in: [1, 2], do: {namespace: test, name: sour, version: 1.x}}}"), "--detach", "--json");
        var id = JsonText.Parse(started)["id"].AsString();
        Assert.Equal(Exit.Faulted, (await RunAsync("runs", "watch", id)).Exit);

        var (exit, output, error) = await RunAsync("runs", "redrive", id, "1");

        Assert.True(exit == Exit.Completed, error);
        Assert.Contains($"run {id}", output, StringComparison.Ordinal);
        Assert.Equal(Exit.Faulted, (await RunAsync("runs", "watch", id)).Exit);
        Assert.Contains("step.already_ended", (await RunAsync("runs", "concurrency", id, "1", "5")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Results_that_a_map_left_with_its_children_are_printed_line_by_line()
    {
        await RunAsync("definitions", "push", Write("tenfold", "  - give: {set: '${ . * 10 }'}"));
        var (_, started, _) = await RunAsync("run", Write("referring", "  - all: {call: 'map:1.0.0@default', with: {in: [1, 2], chunk: 1, results: reference, do: {namespace: test, name: tenfold, version: 1.x}}}"), "--detach", "--json");
        var id = JsonText.Parse(started)["id"].AsString();
        Assert.Equal(Exit.Completed, (await RunAsync("runs", "watch", id)).Exit);

        var (exit, output, error) = await RunAsync("runs", "results", id, "1");

        Assert.True(exit == Exit.Completed, error);
        Assert.Equal("{\"index\":0,\"result\":10}\n{\"index\":1,\"result\":20}\n", output.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task An_error_in_a_document_is_drawn_under_the_word()
    {
        var file = Write("drawn", "  - a:\n      cal: http");

        var (exit, _, error) = await RunAsync("run", file);

        Assert.Equal(Exit.Refused, exit);
        Assert.Contains($"--> {file}:4:7", error, StringComparison.Ordinal);
        Assert.Contains(" 4 |       cal: http\n   |       ^^^", error.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_input_is_told_member_by_member_and_nothing_starts()
    {
        var file = Write("strict", "  - a: {set: {x: 1}}", "input: {schema: {document: {type: object, required: [n], properties: {n: {type: integer}}}}}\n");

        var (exit, _, error) = await RunAsync("run", file, "n=text");

        Assert.Equal(Exit.Refused, exit);
        Assert.Contains("run.input_invalid", error, StringComparison.Ordinal);
        Assert.Contains("  /n: ", error, StringComparison.Ordinal);
        Assert.Equal("""{"items":[]}""", (await RunAsync("runs", "list", "--json")).Out.Trim());
    }

    [Fact]
    public async Task Definitions_it_runs_that_lie_beside_it_are_pushed_first_and_named()
    {
        Write("inner", "  - a: {set: {x: 1}}");
        Write("unrelated", "  - a: {set: {x: 1}}");
        var file = Write("outer", "  - child: {run: {workflow: {namespace: test, name: inner, version: '1.0.0'}}}");

        var (exit, output, _) = await RunAsync("run", file);

        Assert.Equal(Exit.Completed, exit);
        var lines = output.Split('\n');
        Assert.StartsWith("pushed test/inner:1.0.0 from", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("pushed test/outer:1.0.0 from", lines[1], StringComparison.Ordinal);
        Assert.DoesNotContain("unrelated", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task For_machines_there_is_one_json_value_with_run_output_and_artifacts()
    {
        var (exit, output, _) = await RunAsync("run", Write("machine", "  - a: {set: {x: 1}}"), "--json");

        Assert.Equal(Exit.Completed, exit);
        var value = JsonText.Parse(output);
        Assert.Equal(("completed", """{"x":1}""", "[]"), (value["run"]["state"].AsString(), value["output"].ToString(), value["artifacts"].ToString()));
    }

    [Fact]
    public async Task For_machines_a_refusal_is_json_on_the_standard_error()
    {
        var (exit, output, error) = await RunAsync("runs", "get", "01a1f9ab-1fae-74a0-95e2-da65fad13194", "--json");

        Assert.Equal((Exit.Refused, ""), (exit, output));
        Assert.Equal("run.not_found", JsonText.Parse(error)["code"].AsString());
    }

    [Fact]
    public async Task The_same_key_starts_one_run()
    {
        var file = Write("keyed", "  - a: {set: {x: 1}}");

        var first = JsonText.Parse((await RunAsync("run", file, "--idempotency-key", "k", "--json")).Out);
        var again = JsonText.Parse((await RunAsync("run", file, "--idempotency-key", "k", "--json")).Out);

        Assert.Equal(first["run"]["id"], again["run"]["id"]);
    }

    [Fact]
    public async Task A_server_that_is_not_there_has_its_own_exit_code()
    {
        await _server!.DisposeAsync();
        _server = null;

        var (exit, _, error) = await RunAsync("runs", "list");

        Assert.Equal(Exit.Unreachable, exit);
        Assert.Contains("Cannot reach", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_followed_run_outlives_a_restart_of_the_server()
    {
        var file = Write("outlives", "  - sleep: {wait: {seconds: 1}}\n  - after: {set: {x: 1}}");
        var (_, started, _) = await RunAsync("run", file, "--detach", "--json");
        var seen = new WatchedWriter("waiting   /do/0/sleep");
        var watching = CommandLine.RunAsync(
            ["runs", "watch", JsonText.Parse(started)["id"].AsString(), "--server", _address!.ToString()], new Terminal(TextReader.Null, seen, TextWriter.Null), CancellationToken.None);
        await seen.Seen.WaitAsync(Patience);

        await _server!.DisposeAsync();
        await StartAsync(_address!.Port);

        Assert.Equal(Exit.Completed, await watching.WaitAsync(Patience));
        Assert.Single(seen.ToString().Split('\n'), l => l.Contains("completed /do/1/after", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Validating_changes_nothing_and_tells_each_file()
    {
        var (good, bad) = (Write("good", "  - a: {set: {x: 1}}"), Write("bad", "  - a: {}"));

        var (exit, output, _) = await RunAsync("validate", good, bad);

        Assert.Equal(Exit.Refused, exit);
        Assert.Contains($"{good}: valid, test/good:1.0.0", output, StringComparison.Ordinal);
        Assert.Contains($"{bad}: 1 error(s)", output, StringComparison.Ordinal);
        Assert.Equal("""{"items":[]}""", (await RunAsync("definitions", "list", "--json")).Out.Trim());
    }

    [Fact]
    public async Task Definitions_are_pushed_listed_shown_and_drawn()
    {
        var file = Write("shown", "  - choose: {switch: [{big: {when: .n > 1, then: last}}]}\n  - mid: {set: {x: 1}}\n  - last: {set: {y: 2}}");
        Assert.Equal(Exit.Completed, (await RunAsync("definitions", "push", file)).Exit);

        Assert.Contains("test/shown:1.0.0", (await RunAsync("definitions", "list")).Out, StringComparison.Ordinal);
        Assert.Contains("test/shown:1.0.0", (await RunAsync("definitions", "versions", "test/shown")).Out, StringComparison.Ordinal);
        Assert.Contains("\"hash\"", (await RunAsync("definitions", "show", "test/shown")).Out, StringComparison.Ordinal);
        Assert.Equal(await File.ReadAllTextAsync(file), (await RunAsync("definitions", "source", "test/shown:1.0.0")).Out);
        Assert.Contains("choose  switch  → big: last, mid", (await RunAsync("definitions", "graph", "test/shown")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_are_listed_and_looked_into()
    {
        var (_, ran, _) = await RunAsync("run", Write("looked", "  - keep: {call: 'artifact:1.0.0@default', with: {name: note.txt, content: hello}}"), "n=1", "--json");
        var id = JsonText.Parse(ran)["run"]["id"].AsString();

        Assert.Contains(id, (await RunAsync("runs", "list", "--state", "completed", "--definition", "test/looked")).Out, StringComparison.Ordinal);
        Assert.Contains("completed", (await RunAsync("runs", "get", id)).Out, StringComparison.Ordinal);
        Assert.Contains("/do/0/keep", (await RunAsync("runs", "steps", id)).Out, StringComparison.Ordinal);
        Assert.Contains("run.created", (await RunAsync("runs", "journal", id)).Out, StringComparison.Ordinal);
        Assert.Equal("""{"n":1}""", (await RunAsync("runs", "input", id, "--json")).Out.Trim());
        Assert.Contains("note.txt", (await RunAsync("runs", "output", id)).Out, StringComparison.Ordinal);
        Assert.Contains("waits for nothing", (await RunAsync("runs", "waiting", id)).Out, StringComparison.Ordinal);
        Assert.Equal("hello", (await RunAsync("runs", "artifacts", id, "note.txt")).Out);
    }

    [Fact]
    public async Task A_waiting_run_is_suspended_and_resumed()
    {
        var (_, started, _) = await RunAsync("run", Write("paused", "  - sleep: {wait: {hours: 1}}"), "--detach", "--json");
        var id = JsonText.Parse(started)["id"].AsString();

        Assert.Equal(Exit.Completed, (await RunAsync("runs", "suspend", id)).Exit);
        Assert.Equal(Exit.Completed, (await RunAsync("runs", "resume", id)).Exit);
        Assert.Equal(Exit.Refused, (await RunAsync("runs", "resume", id)).Exit);
    }

    [Theory]
    [InlineData("rnu")]
    [InlineData("run")]
    [InlineData("runs list --stat running")]
    [InlineData("run no-such-file.yaml")]
    [InlineData("definitions show nothing")]
    [InlineData("runs list --state dead")]
    public async Task A_wrong_command_line_is_refused(string line)
    {
        var (exit, _, error) = await RunAsync(line.Split(' '));

        Assert.Equal(Exit.Refused, exit);
        Assert.NotEqual("", error);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("runs cancel")]
    [InlineData("definitions push")]
    [InlineData("validate")]
    [InlineData("system")]
    [InlineData("admin")]
    public async Task Help_shows_examples(string line)
    {
        var (exit, output, _) = await RunAsync([.. line.Split(' '), "--help"]);

        Assert.Equal(Exit.Completed, exit);
        Assert.Contains($"Examples:{Environment.NewLine}  millrace {line}", output, StringComparison.Ordinal);
    }
}
