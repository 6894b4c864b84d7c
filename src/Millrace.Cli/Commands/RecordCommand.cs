using System.CommandLine;
using System.Globalization;
using Millrace.Cli.Api;
using Millrace.Cli.Inputs;
using Millrace.Jq;
using Millrace.Testing.Recording;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace record</c>: a run that was becomes a scenario.</summary>
internal static class RecordCommand
{
    /// <summary>Steps of one run, and runs with their children, that a scenario is made of at most.</summary>
    private const int StepsMax = 10_000, RunsMax = 200;

    private static readonly Option<string?> To = new("--to") { Description = "Write the scenario into this file instead of the standard output.", HelpName = "file" };

    public static Command Create(CommandLine line)
    {
        var command = new Verb("record", "Print a scenario that plays a run again: its input, what its calls gave, its events, its end.",
            "millrace record 019a… > order.scenarios.yaml", "millrace test order.scenarios.yaml")
        { RunsCommands.Id, To };
        line.Does(command, RecordAsync);
        return command;
    }

    private static async Task<int> RecordAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var runs = new List<ToldRun>();
        var client = session.Client;
        var root = parse.GetRequiredValue(RunsCommands.Id);
        await TellAsync(client, root, runs, cancel);
        Json? output = runs[0].Run["state"].StringOrNull == "completed" ? await client.GetAsync(Path(root, "/output"), cancel) : (Json?)null;
        var events = new Dictionary<long, Json>();
        foreach (var position in runs.SelectMany(r => r.Journal).SelectMany(RunRecording.Positions).Distinct())
            events[position] = await EventAsync(client, position, cancel);
        var scenario = Written(runs, output, events);
        if (parse.GetValue(To) is { } file) await File.WriteAllTextAsync(file, scenario, cancel);
        else session.Terminal.Out.Write(scenario);
        return Exit.Completed;
    }

    private static string Written(List<ToldRun> runs, Json? output, Dictionary<long, Json> events)
    {
        try
        {
            return RunRecording.Write(runs[0], runs[1..], output, events);
        }
        catch (FormatException e)
        {
            throw new UsageException(e.Message);
        }
    }

    /// <summary>The run, and behind it its children and theirs.</summary>
    private static async Task TellAsync(ServerClient client, string id, List<ToldRun> into, CancellationToken cancel)
    {
        var run = await client.GetAsync(Path(id, ""), cancel);
        var definition = DefinitionReference.Of(run["definition"]);
        var steps = await client.ListAsync(Path(id, "/steps"), StepsMax + 1, cancel);
        if (steps.Count > StepsMax) throw new UsageException($"The run has more than {StepsMax} steps; a scenario is made of fewer.");
        var told = new List<Json>();
        foreach (var step in steps)
            told.Add(step["kind"].StringOrNull is "call" or "run" or "emit" ? await client.GetAsync(Path(id, $"/steps/{step["id"]}"), cancel) : step);
        var journal = await client.ListAsync(Path(id, "/journal"), int.MaxValue, cancel);
        var source = await client.BytesAsync($"{definition.VersionPath}/source", cancel);
        var input = await client.GetAsync(Path(id, "/input"), cancel);
        into.Add(new ToldRun(run, told, journal, System.Text.Encoding.UTF8.GetString(source), input));
        if (!steps.Exists(s => s["child"].IsString || s["spawn"].IsObject)) return;
        foreach (var child in await ChildrenAsync(client, id, RunsMax - into.Count, cancel)) await TellAsync(client, child, into, cancel);
    }

    /// <summary>In the order in which they began.</summary>
    private static async Task<IEnumerable<string>> ChildrenAsync(ServerClient client, string id, int most, CancellationToken cancel)
    {
        var children = await client.ListAsync($"api/v1/runs?parent={Uri.EscapeDataString(id)}", most + 1, cancel);
        if (children.Count > most) throw new UsageException($"The run has more than {RunsMax - 1} children and theirs; a scenario is made of fewer.");
        return children.Select(c => c["id"].AsString()).Reverse();
    }

    private static async Task<Json> EventAsync(ServerClient client, long position, CancellationToken cancel)
    {
        var found = await client.GetAsync(string.Create(CultureInfo.InvariantCulture, $"api/v1/events/{position}"), cancel);
        return found["event"].IsObject ? found["event"] : found;
    }

    private static string Path(string run, string rest) => $"api/v1/runs/{Uri.EscapeDataString(run)}{rest}";
}
