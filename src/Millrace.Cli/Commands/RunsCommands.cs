using System.CommandLine;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace runs …</c>.</summary>
internal static class RunsCommands
{
    internal static readonly Argument<string> Id = new("id") { Description = "The run's id." };
    private static readonly Option<string[]> State = new("--state") { Description = "Only runs in this state; may be repeated.", HelpName = "state", AllowMultipleArgumentsPerToken = false };
    private static readonly Option<string?> Definition = new("--definition") { Description = "Only runs of this definition.", HelpName = "namespace/name" };
    private static readonly Option<string?> Parent = new("--parent") { Description = "Only children of this run.", HelpName = "id" };
    private static readonly Option<string?> ForkOf = new("--fork-of") { Description = "Only forks of this run.", HelpName = "id" };
    private static readonly Option<bool> Children = new("--children") { Description = "Also runs that other runs have started; without it they are left out, unless --parent or --fork-of asks." };
    private static readonly Option<int> Limit = new("--limit") { Description = "Lines at most.", DefaultValueFactory = _ => 50, HelpName = "n" };
    private static readonly Option<int> StepsMax = new("--limit") { Description = "Lines at most.", DefaultValueFactory = _ => 10_000, HelpName = "n" };
    private static readonly Option<long> After = new("--after") { Description = "Only records after this sequence number.", HelpName = "seq", DefaultValueFactory = _ => -1 };
    private static readonly Option<string?> Reason = new("--reason") { Description = "Why; kept with the run.", HelpName = "text" };
    private static readonly Option<bool> Plain = new("--plain") { Description = "One line for each change instead of a picture that moves." };
    private static readonly Argument<string?> Artifact = new("name") { Description = "Fetch this artifact; without a name they are listed.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> To = new("--to") { Description = "Write the artifact into this file instead of the standard output.", HelpName = "file" };

    public static Command Create(CommandLine line)
    {
        var group = new Verb("runs", "List runs, look into them, and act on them.",
            "millrace runs list --state faulted", "millrace runs waiting 019a…", "millrace runs cancel 019a… --reason 'wrong input'");
        group.Add(line.With(new Verb("list", "List runs, newest first.", "millrace runs list --state running --state waiting") { State, Definition, Parent, ForkOf, Children, Limit }, ListAsync));
        var get = new Verb("get", "Show one run, with what started it.", "millrace runs get 019a…") { Id };
        get.Aliases.Add("show");
        group.Add(line.With(get, (s, p, c) => ShowAsync(s, p, "", c)));
        group.Add(line.With(new Verb("steps", "List the steps of a run in the order in which they began.", "millrace runs steps 019a…") { Id, StepsMax }, StepsAsync));
        group.Add(StepCommand.Create(line));
        group.Add(line.With(new Verb("journal", "Print the run's record, one line of JSON for each entry.", "millrace runs journal 019a… --after 17") { Id, After }, JournalAsync));
        group.Add(line.With(new Verb("input", "Print the run's input.", "millrace runs input 019a…") { Id }, (s, p, c) => ShowAsync(s, p, "/input", c)));
        group.Add(line.With(new Verb("output", "Print the output of a completed run.", "millrace runs output 019a… --json") { Id }, (s, p, c) => ShowAsync(s, p, "/output", c)));
        group.Add(line.With(new Verb("waiting", "Say what the run waits for, since when, and what will wake it.", "millrace runs waiting 019a…") { Id }, WaitingAsync));
        group.Add(Act(line, "cancel", "cancellation", "Cancel a run and its children.", NoCleanUp));
        group.Add(Act(line, "suspend", "suspension", "Suspend a run: it starts nothing more until it is resumed."));
        group.Add(Act(line, "resume", "resumption", "Resume a suspended run."));
        SignalCommand.AddTo(group, line);
        SpawnCommands.AddTo(group, line);
        group.Add(line.With(new Verb("watch", "Follow a run to its end; the exit code tells the end.", "millrace runs watch 019a… --plain") { Id, Plain }, WatchAsync));
        group.Add(line.With(new Verb("artifacts", "List a run's artifacts, or fetch one.", "millrace runs artifacts 019a…", "millrace runs artifacts 019a… report.md --to report.md") { Id, Artifact, To }, ArtifactsAsync));
        foreach (var verb in ForkCommands.Create(line)) group.Add(verb);
        group.Add(BulkCommands.Create(line));
        return group;
    }

    private static readonly Option<bool> NoCleanUp = new("--no-clean-up") { Description = "Undo nothing that the run did, and stop what is being undone." };

    private static Verb Act(CommandLine line, string name, string resource, string description, params Option[] more)
    {
        var verb = new Verb(name, description, $"millrace runs {name} 019a… --reason 'as agreed'") { Id, Reason };
        foreach (var option in more) verb.Add(option);
        return line.With(verb, async (session, parse, cancel) =>
        {
            var body = parse.GetValue(Reason) is { } reason ? Json.Object("reason", reason) : Json.EmptyObject;
            if (parse.GetValue(NoCleanUp)) body = body.AsObject().With("cleanUp", false);
            var (_, run) = await session.Client.PostAsync(Path(parse, $"/{resource}"), body, null, cancel);
            if (session.Json) session.Terminal.Print(run);
            else session.Terminal.Line($"run {run["id"].StringOrNull} {run["state"].StringOrNull}");
            return Exit.Completed;
        });
    }

    internal static string Path(ParseResult parse, string rest) => $"api/v1/runs/{Uri.EscapeDataString(parse.GetRequiredValue(Id))}{rest}";

    private static async Task<int> ListAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var query = (parse.GetValue(State) ?? []).Select(s => $"state={Uri.EscapeDataString(s)}").ToList();
        if (parse.GetValue(Definition) is { } definition) query.Add($"definition={Uri.EscapeDataString(definition)}");
        if (parse.GetValue(Parent) is { } parent) query.Add($"parent={Uri.EscapeDataString(parent)}");
        if (parse.GetValue(ForkOf) is { } forkOf) query.Add($"forkOf={Uri.EscapeDataString(forkOf)}");
        if (!parse.GetValue(Children) && parse.GetValue(Parent) is null && parse.GetValue(ForkOf) is null) query.Add("children=false");
        var items = await session.Client.ListAsync($"api/v1/runs{(query.Count == 0 ? "" : $"?{string.Join('&', query)}")}", parse.GetValue(Limit), cancel);
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(items)));
        else
            Columns.Write(session.Terminal, ["RUN", "STATE", "DEFINITION", "CREATED", "DURATION", "ERROR"], items.Select(r => new[]
            {
                r["id"].StringOrNull ?? "", r["state"].StringOrNull ?? "", Inputs.DefinitionReference.Of(r["definition"]).ToString(),
                Times.Date(r["createdAt"].StringOrNull), Times.Between(r["startedAt"].StringOrNull, r["endedAt"].StringOrNull, session.Terminal.Time.GetUtcNow()),
                r["error"].IsObject ? RunLines.ErrorText(r["error"]) : "",
            }));
        return Exit.Completed;
    }

    private static async Task<int> ShowAsync(Session session, ParseResult parse, string rest, CancellationToken cancel)
    {
        var found = await session.Client.GetAsync(Path(parse, rest), cancel);
        if (session.Json) session.Terminal.Print(found);
        else session.Terminal.PrintIndented(found);
        return Exit.Completed;
    }

    private static async Task<int> StepsAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var items = await session.Client.ListAsync(Path(parse, "/steps"), parse.GetValue(StepsMax), cancel);
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(items)));
        else
            Columns.Write(session.Terminal, ["STEP", "STATE", "TASK", "KIND", "ATTEMPT", "DURATION", "ERROR"], items.Select(s => new[]
            {
                s["id"].ToString(), s["state"].StringOrNull ?? "",
                (s["reference"].StringOrNull ?? "") + (s["iteration"].IsNumber ? $" #{s["iteration"]}" : ""), s["kind"].StringOrNull ?? "", s["attempt"].ToString(),
                Times.Between(s["startedAt"].StringOrNull, s["endedAt"].StringOrNull, session.Terminal.Time.GetUtcNow()),
                s["error"].IsObject ? RunLines.ErrorText(s["error"]) : "",
            }));
        return Exit.Completed;
    }

    private static async Task<int> JournalAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var after = parse.GetValue(After);
        var records = await session.Client.ListAsync(Path(parse, $"/journal?after={after}"), int.MaxValue, cancel);
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(records)));
        else
            foreach (var record in records)
                foreach (var entry in record["entries"].ArrayOrNull ?? JsonArray.Empty)
                    session.Terminal.Line($"{record["seq"],6}  {Times.Clock(record["at"].StringOrNull)}  {Terminal.Clean(entry.ToString())}");
        return Exit.Completed;
    }

    private static async Task<int> WaitingAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var found = await session.Client.GetAsync(Path(parse, "/waiting"), cancel);
        if (session.Json)
        {
            session.Terminal.Print(found);
            return Exit.Completed;
        }
        var items = found["items"].ArrayOrNull ?? JsonArray.Empty;
        if (items.Count == 0) session.Terminal.Line("The run is over; it waits for nothing.");
        else
            Columns.Write(session.Terminal, ["ON", "TASK", "SINCE", "WAKES", "WHAT"], items.Select(w => new[]
            {
                w["on"].StringOrNull ?? "", w["reference"].StringOrNull ?? "", Times.Date(w["since"].StringOrNull), Times.Date(w["wakeAt"].StringOrNull), w["detail"].StringOrNull ?? "",
            }));
        return Exit.Completed;
    }

    private static async Task<int> WatchAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var run = await session.Client.GetAsync(Path(parse, ""), cancel);
        return await new RunWatch(session, parse.GetValue(Plain)).FollowAsync(run, [], cancel);
    }

    private static async Task<int> ArtifactsAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        if (parse.GetValue(Artifact) is { } name) return await FetchAsync(session, Path(parse, $"/artifacts/{Uri.EscapeDataString(name)}"), parse.GetValue(To), cancel);
        var found = await session.Client.GetAsync(Path(parse, "/artifacts"), cancel);
        if (session.Json) session.Terminal.Print(found);
        else
            Columns.Write(session.Terminal, ["NAME", "TYPE", "BYTES", "WHERE"], (found["items"].ArrayOrNull ?? JsonArray.Empty).Select(a => new[]
            {
                a["name"].StringOrNull ?? "", a["mediaType"].StringOrNull ?? "", a["size"].ToString(), a["path"].StringOrNull ?? a["href"].StringOrNull ?? "",
            }));
        return Exit.Completed;
    }

    private static async Task<int> FetchAsync(Session session, string path, string? to, CancellationToken cancel)
    {
        var bytes = await session.Client.BytesAsync(path, cancel);
        if (to is null) session.Terminal.Write(bytes);
        else await File.WriteAllBytesAsync(to, bytes, cancel);
        return Exit.Completed;
    }
}
