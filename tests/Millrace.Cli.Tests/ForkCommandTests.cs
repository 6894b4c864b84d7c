using Millrace.Jq;
using Millrace.Server;

namespace Millrace.Cli.Tests;

/// <summary>Looking back at runs and going on from there, by the command line against the real server.</summary>
public sealed class ForkCommandTests : IAsyncLifetime
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

    /// <returns>The id of a run whose second step faulted unless its input is other than 1.</returns>
    private async Task<string> FaultedAsync()
    {
        var file = Path.Combine(_folder, "faulty.yaml");
        await File.WriteAllTextAsync(file, """
            document: { dsl: 1.0.3, namespace: test, name: faulty, version: 1.0.0 }
            do:
              - one: { set: { n: 1 } }
              - two: { set: { n: '${ if .n == 1 then error("no") else .n end }' } }
            """);
        Assert.Equal(Exit.Faulted, (await RunAsync("run", file)).Exit);
        return JsonText.Parse((await RunAsync("runs", "list", "--json")).Out)["items"][0]["id"].AsString();
    }

    [Fact]
    public async Task A_run_is_retried_with_another_input_and_compared_with_its_source()
    {
        var id = await FaultedAsync();
        var fork = JsonText.Parse((await RunAsync("runs", "retry", id, "--input", """{"n": 5}""", "--json")).Out);
        Assert.Equal(id, fork["forkOf"]["run"].AsString());
        var (exit, output, _) = await RunAsync("runs", "watch", fork["id"].AsString(), "--plain");
        Assert.Equal(Exit.Completed, exit);
        Assert.Contains("\"n\": 5", output, StringComparison.Ordinal);
        var diff = (await RunAsync("runs", "diff", id, fork["id"].AsString())).Out;
        Assert.Contains("/two  changed", diff, StringComparison.Ordinal);
        Assert.DoesNotContain("/one", diff, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_past_state_is_shown()
    {
        var id = await FaultedAsync();
        var (exit, output, _) = await RunAsync("runs", "state", id, "--step", "2");
        Assert.Equal(Exit.Completed, exit);
        Assert.Contains("""data    {"n":1}""", output, StringComparison.Ordinal);
        Assert.Equal(Exit.Refused, (await RunAsync("runs", "state", id, "--seq", "99")).Exit);
    }

    [Fact]
    public async Task A_fork_needs_one_place()
    {
        var id = await FaultedAsync();
        Assert.Contains("--step, --task or --seq", (await RunAsync("runs", "fork", id)).Error, StringComparison.Ordinal);
        Assert.Equal(Exit.Refused, (await RunAsync("runs", "fork", id, "--step", "2", "--seq", "0")).Exit);
        Assert.Equal(Exit.Completed, (await RunAsync("runs", "fork", id, "--task", "/do/1/two")).Exit);
    }

    [Fact]
    public async Task Many_runs_are_acted_on_by_one_wish()
    {
        await FaultedAsync();
        var (exit, output, _) = await RunAsync("runs", "bulk", "start", "retry", "--state", "faulted", "--definition", "test/faulty", "--json");
        Assert.Equal(Exit.Completed, exit);
        var id = JsonText.Parse(output)["id"].AsString();
        Assert.Contains(id, (await RunAsync("runs", "bulk", "list")).Out, StringComparison.Ordinal);
        Assert.Contains($"bulk {id} retry", (await RunAsync("runs", "bulk", "get", id)).Out, StringComparison.Ordinal);
        Assert.Equal(Exit.Refused, (await RunAsync("runs", "bulk", "start", "explode", "--state", "faulted")).Exit);
    }

    [Fact]
    public async Task The_forks_of_a_run_are_acted_on_together_and_it_is_left_alone()
    {
        var id = await FaultedAsync();
        var fork = JsonText.Parse((await RunAsync("runs", "retry", id, "--json")).Out)["id"].AsString();
        Assert.Equal(Exit.Faulted, (await RunAsync("runs", "watch", fork, "--plain")).Exit);
        var (exit, output, error) = await RunAsync("runs", "bulk", "start", "retry", "--fork-of", id, "--json");
        Assert.True(exit == Exit.Completed, error);
        var work = JsonText.Parse(output);
        Assert.Equal((id, 1), (work["request"]["filter"]["forkOf"].AsString(), (int)work["found"].AsNumber()));
        Assert.Contains("a UUID", (await RunAsync("runs", "bulk", "start", "retry", "--fork-of", "x")).Error, StringComparison.Ordinal);
    }
}
