using Millrace.Jq;
using Millrace.Server;

namespace Millrace.Cli.Tests;

/// <summary>One step of a run as <c>millrace runs step</c> shows it, against the real server.</summary>
public sealed class StepCommandTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-cli-test-").FullName;
    private MillraceServer? _server;

    public async ValueTask InitializeAsync() => _server = await MillraceServer.StartAsync(new ServerSettings(0, Path.Combine(_folder, "data"), null));

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<(int Exit, string Out, string Error)> RunAsync(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var exit = await CommandLine.RunAsync([.. args, "--server", _server!.Address.ToString()], new Terminal(TextReader.Null, output, error), patience.Token);
        return (exit, output.ToString(), error.ToString());
    }

    private string Write(string name, string tasks)
    {
        var path = Path.Combine(_folder, $"{name}.yaml");
        File.WriteAllText(path, $"document: {{dsl: '1.0.3', namespace: test, name: {name}, version: 1.0.0}}\ndo:\n{tasks}\n");
        return path;
    }

    /// <returns>The run's id, and the number of each of its steps by the step's name.</returns>
    private async Task<(string Run, Dictionary<string, string> Steps)> EndedAsync(string file, int end)
    {
        var (exit, output, error) = await RunAsync("run", file, "--json");
        Assert.True(exit == end, output + error);
        // Children of a map are runs of the same definition; the first of all is the one that was asked for.
        var runs = JsonText.Parse((await RunAsync("runs", "list", "--definition", $"test/{Path.GetFileNameWithoutExtension(file)}", "--json")).Out)["items"].AsArray();
        var run = runs[^1]["id"].AsString();
        var steps = JsonText.Parse((await RunAsync("runs", "steps", run, "--json")).Out)["items"].AsArray();
        return (run, steps.ToDictionary(s => s["name"].AsString(), s => s["id"].ToString()));
    }

    private async Task<string> StepAsync(string run, string step)
    {
        var (exit, output, error) = await RunAsync("runs", "step", run, step);
        Assert.True(exit == Exit.Completed, error);
        return output;
    }

    [Fact]
    public async Task A_step_is_shown_with_its_values()
    {
        var (run, steps) = await EndedAsync(Write("plain", "  - greet: {set: {greeting: 'Hello ${ .name // \"you\" }'}}"), Exit.Completed);
        var shown = await StepAsync(run, steps["greet"]);
        Assert.Contains($"step {steps["greet"]} completed  /do/0/greet set", shown, StringComparison.Ordinal);
        Assert.Contains("attempt 1, since ", shown, StringComparison.Ordinal);
        Assert.Matches(@"input:\s+{}\s+output:\s+{\s+""greeting"": ""Hello you""\s+}", shown);
        var told = JsonText.Parse((await RunAsync("runs", "step", run, steps["greet"], "--json")).Out);
        Assert.Equal(("{}", """{"greeting":"Hello you"}"""), (told["input"].ToString(), told["output"].ToString()));
    }

    [Fact]
    public async Task Members_of_a_swarm_say_why_they_failed_or_never_began()
    {
        Write("fails", "  - no: {raise: {error: {type: 'https://example.com/broken', status: 500, title: It broke}}}");
        Write("works", "  - yes: {set: {fine: true}}");
        var (run, steps) = await EndedAsync(Write("team", """
              - all:
                  call: swarm:1.0.0@default
                  with:
                    onError: collect
                    nodes:
                      good: {run: {namespace: test, name: works, version: latest}}
                      bad: {run: {namespace: test, name: fails, version: latest}}
                      after: {run: {namespace: test, name: works, version: latest}, needs: [good, bad]}
            """), Exit.Completed);
        var shown = await StepAsync(run, steps["all"]);
        Assert.Contains("children: 1 of 3 completed, 1 failed, 1 skipped", shown, StringComparison.Ordinal);
        Assert.Matches("good +completed +[0-9a-f-]{36}", shown);
        Assert.Matches("bad +faulted +[0-9a-f-]{36} +broken 500: It broke", shown);
        Assert.Matches("after +skipped +good, bad +It needs 'bad', which was faulted", shown);
    }

    [Fact]
    public async Task A_map_says_how_far_it_is()
    {
        var (run, steps) = await EndedAsync(Write("each", """
              - sums:
                  call: map:1.0.0@default
                  with:
                    in: ${ [1, 2, 3] }
                    onError: collect
                    concurrency: 2
                    do:
                      - sum: {set: {n: '${ if . == 2 then error("two") else . + 1 end }'}}
            """), Exit.Completed);
        var shown = await StepAsync(run, steps["sums"]);
        Assert.Contains("children: 2 of 3 completed, 1 failed; at most 2 at once", shown, StringComparison.Ordinal);
        Assert.Contains("first failure: ", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_that_undoes_another_says_which()
    {
        var (run, steps) = await EndedAsync(Write("undone", """
              - book: {set: {booked: true}, metadata: {compensate: [{unbook: {set: {booked: false}}}]}}
              - fail: {raise: {error: {type: 'https://example.com/broken', status: 500}}}
            """), Exit.Faulted);
        Assert.Contains($"undoes step {steps["book"]}", await StepAsync(run, steps["undo book"]), StringComparison.Ordinal);
        Assert.DoesNotContain("undoes", await StepAsync(run, steps["book"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_that_is_not_there_is_refused()
    {
        var (run, _) = await EndedAsync(Write("plain", "  - greet: {set: {greeting: hello}}"), Exit.Completed);
        var (exit, _, error) = await RunAsync("runs", "step", run, "99");
        Assert.Equal(Exit.Refused, exit);
        Assert.Contains("step", error, StringComparison.Ordinal);
    }
}
