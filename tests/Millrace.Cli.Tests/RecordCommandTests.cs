using Millrace.Jq;
using Millrace.Server;

namespace Millrace.Cli.Tests;

/// <summary>Runs that were on the real server become scenarios, which are played without it and pass.</summary>
public sealed class RecordCommandTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-record-").FullName;
    private MillraceServer? _server;

    public async ValueTask InitializeAsync() => _server = await MillraceServer.StartAsync(new ServerSettings(0, Path.Combine(_folder, "data"), null));

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_map_is_recorded_with_what_each_of_its_children_was_answered()
    {
        // The server lists as many of its runs as it is asked for: another answer for each item.
        await WriteAsync("all.yaml", """
            document: { dsl: 1.0.3, namespace: test, name: all, version: 1.0.0 }
            do:
              - each: { call: 'map:1.0.0@default', with: { in: '${ .counts }', do: { namespace: test, name: count, version: ^1 } } }
              - again: { call: 'map:1.0.0@default', with: { in: '${ . }', chunk: 3, do: [ { a: { set: '${ . * 10 }' } } ] } }
            """);
        var child = await WriteAsync("count.yaml", $$"""
            document: { dsl: 1.0.3, namespace: test, name: count, version: 1.0.0 }
            do:
              - ask: { call: http, with: { method: get, endpoint: '{{_server!.Address}}api/v1/runs?limit={n}' }, input: { from: '${ {n: .} }' }, output: { as: '${ .items | length }' } }
            """);
        await RunAsync("definitions", "push", child);
        var (run, output) = await RunToEndAsync("all.yaml", """{"counts": [3, 1, 2, 1]}""");
        Assert.Equal("[30,10,20,10]", output.ToString());

        var scenario = await RecordAsync(run);

        Assert.Equal(4, scenario.Split("\"workflow\":\"count\"").Length - 1);
        await PlaysAsync();
    }

    [Fact]
    public async Task A_swarm_is_recorded_with_its_members()
    {
        await WriteAsync("team.yaml", """
            document: { dsl: 1.0.3, namespace: test, name: team, version: 1.0.0 }
            do:
              - all:
                  call: swarm:1.0.0@default
                  with:
                    nodes:
                      one: { run: { namespace: test, name: first, version: latest } }
                      two: { run: { namespace: test, name: second, version: latest }, needs: [one], input: '${ $needs.one.output }' }
                      lost: { run: { namespace: test, name: absent, version: latest } }
            """);
        foreach (var (name, limit) in new[] { ("first", 1), ("second", 2) })
        {
            var member = await WriteAsync($"{name}.yaml", $$"""
                document: { dsl: 1.0.3, namespace: test, name: {{name}}, version: 1.0.0 }
                do:
                  - ask: { call: http, with: { method: get, endpoint: '{{_server!.Address}}api/v1/runs?limit={{limit}}' }, output: { as: '${ {told: (.items | length)} }' } }
                """);
            await RunAsync("definitions", "push", member);
        }
        var (run, output) = await RunToEndAsync("team.yaml", "{}");
        Assert.Equal("""{"told":1} {"told":2} "faulted" """, $"{output["one"]["output"]} {output["two"]["output"]} {output["lost"]["state"]} ");

        await RecordAsync(run);

        await PlaysAsync();
    }

    [Fact]
    public async Task What_people_decided_is_recorded_as_they_said_it()
    {
        var file = await WriteAsync("pay.yaml", """
            document: { dsl: 1.0.3, namespace: test, name: pay, version: 1.0.0 }
            do:
              - each:
                  for: { in: '${ .amounts }', each: amount }
                  do:
                    - ask: { call: 'approve:1.0.0@default', with: { title: Pay?, quorum: 2, onReject: continue, show: { amount: '${ $amount }' }, form: { type: object } } }
            """);
        var run = JsonText.Parse((await RunAsync("run", file, "--input", """{"amounts": [5, 7]}""", "--detach", "--json")).Out)["id"].AsString();
        var question = await QuestionAsync(run, 5);
        await RunAsync("approvals", "approve", question, "--by", "anna", "--form", """{"from": "till"}""", "--comment", "fine");
        await RunAsync("approvals", "delegate", question, "--by", "bert", "--to", "cleo");
        await RunAsync("approvals", "approve", question, "--by", "cleo", "--form", "{}");
        await RunAsync("approvals", "reject", await QuestionAsync(run, 7), "--by", "anna", "--comment", "too dear");
        Assert.Equal(Exit.Completed, (await RunAsync("runs", "watch", run, "--plain")).Exit);

        var scenario = await RecordAsync(run);

        Assert.Contains("\"show\":{\"amount\":7},\"by\":\"anna\",\"reject\":true,\"comment\":\"too dear\"", scenario, StringComparison.Ordinal);
        Assert.Contains("\"delegate\":\"cleo\"", scenario, StringComparison.Ordinal);
        await PlaysAsync();
    }

    private string Recorded => Path.Combine(_folder, "recorded.scenarios.yaml");

    private async Task<string> WriteAsync(string name, string text)
    {
        var file = Path.Combine(_folder, name);
        await File.WriteAllTextAsync(file, text);
        return file;
    }

    private async Task<(string Run, Json Output)> RunToEndAsync(string file, string input)
    {
        var (exit, output, error) = await RunAsync("run", Path.Combine(_folder, file), "--input", input, "--plain");
        Assert.True(exit == Exit.Completed, $"{output}{error}");
        var runs = JsonText.Parse((await RunAsync("runs", "list", "--json")).Out)["items"].AsArray();
        var root = runs.Single(r => r["parent"].IsNull)["id"].AsString();
        return (root, JsonText.Parse((await RunAsync("runs", "output", root)).Out));
    }

    private async Task<string> QuestionAsync(string run, int amount)
    {
        while (true)
        {
            var open = JsonText.Parse((await RunAsync("approvals", "list", "--run", run, "--state", "open", "--json")).Out)["items"].AsArray();
            if (open.FirstOrDefault(q => q["show"]["amount"] == amount) is { IsObject: true } found) return found["id"].AsString();
        }
    }

    private async Task<string> RecordAsync(string run)
    {
        var (exit, _, error) = await RunAsync("record", run, "--to", Recorded);
        Assert.True(exit == Exit.Completed, error);
        return await File.ReadAllTextAsync(Recorded, TestContext.Current.CancellationToken);
    }

    /// <summary>Without the server, once as it was and once for each write with a crash after it.</summary>
    private async Task PlaysAsync()
    {
        await _server!.DisposeAsync();
        _server = null;
        var (output, error) = (new StringWriter(), new StringWriter());
        var exit = await CommandLine.RunAsync(["test", Recorded, "--restart-everywhere"], new Terminal(TextReader.Null, output, error), TestContext.Current.CancellationToken);
        Assert.True(exit == Exit.Completed, $"{output}{error}\n{await File.ReadAllTextAsync(Recorded, TestContext.Current.CancellationToken)}");
    }

    private async Task<(int Exit, string Out, string Error)> RunAsync(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var exit = await CommandLine.RunAsync([.. args, "--server", _server!.Address.ToString()], new Terminal(TextReader.Null, output, error), patience.Token);
        return (exit, output.ToString(), error.ToString());
    }
}
