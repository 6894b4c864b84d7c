using System.CommandLine;
using Millrace.Cli.Inputs;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace schedules …</c>.</summary>
internal static class ScheduleCommands
{
    private static readonly Argument<string> Name = new("definition") { Description = "namespace/name of the definition." };
    private static readonly Option<int> Limit = new("--limit") { Description = "Lines at most.", DefaultValueFactory = _ => 200, HelpName = "n" };
    private static readonly Option<string> From = new("--from") { Description = "The beginning of the time to fill, such as 2026-11-20T00:00:00Z.", HelpName = "time", Required = true };
    private static readonly Option<string> To = new("--to") { Description = "Its end.", HelpName = "time", Required = true };
    private static readonly Option<string?> Key = new("--key") { Description = "Idempotency key: the same key starts one run.", HelpName = "text" };

    public static Command Create(CommandLine line)
    {
        var group = new Verb("schedules", "See when runs begin by themselves, and act on it.",
            "millrace schedules list", "millrace schedules show demo/nightly", "millrace schedules pause demo/nightly");
        group.Aliases.Add("schedule");
        group.Add(line.With(new Verb("list", "List the schedules of the latest versions, and below them what events start.", "millrace schedules list --json") { Limit }, ListAsync));
        group.Add(line.With(new Verb("show", "Show one schedule, its next ticks and the runs of its latest.", "millrace schedules show demo/nightly") { Name }, ShowAsync));
        group.Add(line.With(new Verb("pause", "Pause a schedule: nothing begins, and nothing of it is made up for.", "millrace schedules pause demo/nightly") { Name }, (s, p, c) => PauseAsync(s, p, true, c)));
        group.Add(line.With(new Verb("resume", "Let a paused schedule go on from now.", "millrace schedules resume demo/nightly") { Name }, (s, p, c) => PauseAsync(s, p, false, c)));
        group.Add(line.With(new Verb("trigger", "Start a run of the schedule at once.", "millrace schedules trigger demo/nightly") { Name, Key }, TriggerAsync));
        group.Add(line.With(new Verb("backfill", "Start a run for each tick of a time that has passed, unless it has started one.",
            "millrace schedules backfill demo/nightly --from 2026-11-01T00:00:00Z --to 2026-11-08T00:00:00Z") { Name, From, To }, BackfillAsync));
        return group;
    }

    /// <exception cref="UsageException">The text names no definition, or names a version of one.</exception>
    private static string Path(ParseResult parse)
    {
        var definition = DefinitionReference.Parse(parse.GetRequiredValue(Name));
        if (definition.Version is not null) throw new UsageException("A schedule is that of the latest version: name the definition without one.");
        return $"api/v1/schedules/{Uri.EscapeDataString(definition.Namespace)}/{Uri.EscapeDataString(definition.Name)}";
    }

    private static async Task<int> ListAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var items = await session.Client.ListAsync("api/v1/schedules", parse.GetValue(Limit), cancel);
        if (session.Json)
        {
            session.Terminal.Print(Json.Object("items", JsonArray.Of(items)));
            return Exit.Completed;
        }
        // What events start stands below what begins at a time.
        var triggers = await session.Client.ListAsync("api/v1/triggers", parse.GetValue(Limit), cancel);
        Columns.Write(session.Terminal, ["DEFINITION", "SCHEDULE", "NEXT", "LAST RUN", "STATE", "SKIPPED"], items.Select(s => new[]
        {
            DefinitionReference.Of(s).ToString(), When(s), Next(s), Times.Date(s["lastRun"]["createdAt"].StringOrNull), s["lastRun"]["state"].StringOrNull ?? "", s["skipped"].ToString(),
        }).Concat(triggers.Select(TriggerCommands.Row)));
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
        var (schedule, terminal) = (found["schedule"], session.Terminal);
        terminal.Line($"{DefinitionReference.Of(schedule)}  {Terminal.Clean(When(schedule))}  next {Next(schedule)}");
        terminal.Line($"overlap {schedule["overlap"].StringOrNull}, catch up {schedule["catchUp"]["mode"].StringOrNull} within {schedule["catchUp"]["window"].StringOrNull}, {schedule["skipped"]} skipped");
        if (schedule["error"].StringOrNull is { } error) terminal.Line($"{terminal.Paint("error", Ink.Bad)} {Terminal.Clean(error)}");
        if (schedule["running"].StringOrNull is { } running) terminal.Line($"under way: run {running}");
        if (schedule["buffered"].StringOrNull is { } buffered) terminal.Line($"waits for its end: {Times.Date(buffered)}");
        terminal.Line();
        Columns.Write(terminal, ["NEXT", "BEGINS"], (found["next"].ArrayOrNull ?? JsonArray.Empty).Select(t => new[] { Times.Date(t["tick"].StringOrNull), Times.Date(t["at"].StringOrNull) }));
        terminal.Line();
        Columns.Write(terminal, ["TICK", "RUN", "STATE", "CREATED", "ENDED"], (found["runs"].ArrayOrNull ?? JsonArray.Empty).Select(r => new[]
        {
            Times.Date(r["at"].StringOrNull), r["run"].StringOrNull ?? "", r["state"].StringOrNull ?? "", Times.Date(r["createdAt"].StringOrNull), Times.Date(r["endedAt"].StringOrNull),
        }));
        return Exit.Completed;
    }

    private static async Task<int> PauseAsync(Session session, ParseResult parse, bool paused, CancellationToken cancel)
    {
        var schedule = await session.Client.PatchAsync(Path(parse), Json.Object("paused", paused), cancel);
        if (session.Json) session.Terminal.Print(schedule);
        else session.Terminal.Line($"{DefinitionReference.Of(schedule)} {(paused ? "is paused" : $"goes on, next {Next(schedule)}")}");
        return Exit.Completed;
    }

    private static async Task<int> TriggerAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var (_, run) = await session.Client.PostAsync($"{Path(parse)}/runs", Json.EmptyObject, parse.GetValue(Key), cancel);
        if (session.Json) session.Terminal.Print(run);
        else session.Terminal.Line($"run {run["id"].StringOrNull} {run["state"].StringOrNull}");
        return Exit.Completed;
    }

    private static async Task<int> BackfillAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var (_, done) = await session.Client.PostAsync($"{Path(parse)}/backfill", Json.Object("from", parse.GetRequiredValue(From), "to", parse.GetRequiredValue(To)), null, cancel);
        if (session.Json) session.Terminal.Print(done);
        else session.Terminal.Line($"{done["started"]} started, {done["known"]} had been started before");
        return Exit.Completed;
    }

    private static string When(Json schedule)
    {
        var times = schedule["times"];
        if (times["cron"].StringOrNull is { } cron) return $"{cron} {schedule["timeZone"].StringOrNull}";
        return times["every"].IsNull ? $"after {Text(times["after"])}" : $"every {Text(times["every"])}";
    }

    private static string Text(Json duration) => duration.StringOrNull ?? duration.ToString();

    private static string Next(Json schedule) =>
        schedule["paused"].IsTruthy ? "paused" : schedule["nextAt"].StringOrNull is { } next ? Times.Date(next) : schedule["running"].IsNull ? "never" : "when its run has ended";
}
