using System.CommandLine;
using Millrace.Cli.Inputs;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace triggers …</c>: definitions whose runs events start.</summary>
internal static class TriggerCommands
{
    private static readonly Argument<string> Name = new("definition") { Description = "namespace/name of the definition." };
    private static readonly Option<int> Limit = new("--limit") { Description = "Lines at most.", DefaultValueFactory = _ => 200, HelpName = "n" };

    public static Command Create(CommandLine line)
    {
        var group = new Verb("triggers", "See which definitions events start (schedule.on), and act on it.",
            "millrace triggers list", "millrace triggers show demo/paid", "millrace triggers pause demo/paid");
        group.Aliases.Add("trigger");
        group.Add(line.With(new Verb("list", "List the definitions whose latest version listens.", "millrace triggers list --json") { Limit }, ListAsync));
        group.Add(line.With(new Verb("show", "Show what one listens for, and the runs that events started last.", "millrace triggers show demo/paid") { Name }, ShowAsync));
        group.Add(line.With(new Verb("pause", "Let events start no run of it; those that come meanwhile are not made up for.", "millrace triggers pause demo/paid") { Name }, (s, p, c) => PauseAsync(s, p, true, c)));
        group.Add(line.With(new Verb("resume", "Let events start runs of it from now on.", "millrace triggers resume demo/paid") { Name }, (s, p, c) => PauseAsync(s, p, false, c)));
        return group;
    }

    /// <summary>What a trigger listens for, in a few words.</summary>
    public static string Listens(Json trigger) =>
        "on " + string.Join(", ", (trigger["events"].ArrayOrNull ?? JsonArray.Empty).Select(e =>
            (e["type"].StringOrNull ?? "any event") + (e["source"].StringOrNull is { } source ? $" from {source}" : "")));

    /// <summary>The line that a list of schedules shows of it.</summary>
    public static string[] Row(Json trigger) =>
    [
        DefinitionReference.Of(trigger).ToString(), Terminal.Clean(Listens(trigger)), trigger["paused"].IsTruthy ? "paused" : "at its next event",
        Times.Date(trigger["lastRun"]["createdAt"].StringOrNull), trigger["lastRun"]["state"].StringOrNull ?? "", "",
    ];

    private static async Task<int> ListAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var items = await session.Client.ListAsync("api/v1/triggers", parse.GetValue(Limit), cancel);
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(items)));
        else
            Columns.Write(session.Terminal, ["DEFINITION", "LISTENS FOR", "SINCE", "STATE", "LAST RUN", "STATE", "ERROR"], items.Select(t => new[]
            {
                DefinitionReference.Of(t).ToString(), Terminal.Clean(Listens(t)), Times.Date(t["since"].StringOrNull), t["paused"].IsTruthy ? "paused" : "active",
                Times.Date(t["lastRun"]["createdAt"].StringOrNull), t["lastRun"]["state"].StringOrNull ?? "", Terminal.Clean(t["error"].StringOrNull ?? ""),
            }));
        return Exit.Completed;
    }

    private static async Task<int> ShowAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var found = await session.Client.GetAsync(Path(parse), cancel);
        if (session.Json)
        {
            session.Terminal.Print(found);
            return Exit.Completed;
        }
        var (trigger, terminal) = (found["trigger"], session.Terminal);
        var since = trigger["since"].StringOrNull is { } time ? $" since {Times.Date(time)}" : "";
        terminal.Line($"{DefinitionReference.Of(trigger)}  {(trigger["paused"].IsTruthy ? "paused" : "listens")}{since}  {Terminal.Clean(Listens(trigger))}");
        if (trigger["error"].StringOrNull is { } error) terminal.Line($"{terminal.Paint("error", Ink.Bad)} {Terminal.Clean(error)}");
        if (!trigger["on"].IsNull) terminal.PrintIndented(trigger["on"]);
        terminal.Line();
        Columns.Write(terminal, ["RUN", "STATE", "CREATED", "ENDED", "EVENT", "TYPE", "SOURCE"], (found["runs"].ArrayOrNull ?? JsonArray.Empty).Select(r => new[]
        {
            r["run"].StringOrNull ?? "", r["state"].StringOrNull ?? "", Times.Date(r["createdAt"].StringOrNull), Times.Date(r["endedAt"].StringOrNull),
            Last(r)["position"].ToString(), Terminal.Clean(Last(r)["type"].StringOrNull ?? ""), Terminal.Clean(Last(r)["source"].StringOrNull ?? ""),
        }));
        return Exit.Completed;
    }

    private static async Task<int> PauseAsync(Session session, ParseResult parse, bool paused, CancellationToken cancel)
    {
        var trigger = await session.Client.PatchAsync(Path(parse), Json.Object("paused", paused), cancel);
        if (session.Json) session.Terminal.Print(trigger);
        else session.Terminal.Line($"{DefinitionReference.Of(trigger)} {(paused ? "is paused: events start no run of it" : "listens from now on")}");
        return Exit.Completed;
    }

    /// <summary>The event that came last of those that started a run.</summary>
    private static Json Last(Json run) => run["events"].ArrayOrNull is { Count: > 0 } events ? events[events.Count - 1] : Json.Null;

    /// <exception cref="UsageException">The text names no definition, or names a version of one.</exception>
    private static string Path(ParseResult parse)
    {
        var definition = DefinitionReference.Parse(parse.GetRequiredValue(Name));
        if (definition.Version is not null) throw new UsageException("Events start runs of the latest version: name the definition without one.");
        return $"api/v1/triggers/{Uri.EscapeDataString(definition.Namespace)}/{Uri.EscapeDataString(definition.Name)}";
    }
}
