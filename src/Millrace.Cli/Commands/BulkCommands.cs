using System.CommandLine;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace runs bulk …</c>: one wish about many runs.</summary>
internal static class BulkCommands
{
    private static readonly Argument<string> Action = new("action") { Description = "retry, fork, cancel, suspend or resume." };
    private static readonly Argument<string> Id = new("id") { Description = "The id of the bulk work." };
    private static readonly Option<string[]> State = new("--state") { Description = "Only runs in this state; may be repeated.", HelpName = "state" };
    private static readonly Option<string?> Definition = new("--definition") { Description = "Only runs of this definition.", HelpName = "namespace/name" };
    private static readonly Option<string[]> Run = new("--run") { Description = "Only this run; may be repeated.", HelpName = "id" };
    private static readonly Option<string?> After = new("--created-after") { Description = "Only runs created at this time or later.", HelpName = "time" };
    private static readonly Option<string?> Before = new("--created-before") { Description = "Only runs created before this time.", HelpName = "time" };
    private static readonly Option<string?> ForkOf = new("--fork-of") { Description = "Only forks of this run.", HelpName = "id" };
    private static readonly Option<bool> NoChildren = new("--no-children") { Description = "Leave out runs that other runs have started, as lists of runs do." };
    private static readonly Option<string?> Task = new("--task") { Description = "For fork: just before the last step of this task.", HelpName = "pointer" };
    private static readonly Option<long?> Seq = new("--seq") { Description = "For fork: behind this record of the journal.", HelpName = "n" };
    private static readonly Option<string?> Version = new("--definition-version") { Description = "For retry and fork: go on with this version.", HelpName = "version" };
    private static readonly Option<string?> Reason = new("--reason") { Description = "Why; kept with the runs.", HelpName = "text" };
    private static readonly Option<string?> Key = new("--idempotency-key") { Description = "One wish however often the command is repeated with this key.", HelpName = "key" };

    public static Verb Create(CommandLine line)
    {
        var group = new Verb("bulk", "Retry, fork, cancel, suspend or resume many runs.", "millrace runs bulk start retry --state faulted --definition shop/order", "millrace runs bulk get 019a…");
        var start = new Verb("start", "Ask for it; it goes on by itself.", "millrace runs bulk start cancel --state waiting --reason 'wrong prices'")
        { Action, State, Definition, Run, After, Before, ForkOf, NoChildren, Task, Seq, Version, Reason, Key };
        line.Does(start, StartAsync);
        group.Add(start);
        var get = new Verb("get", "Say how far it has come.", "millrace runs bulk get 019a…") { Id };
        line.Does(get, async (session, parse, cancel) => Tell(session, await session.Client.GetAsync($"api/v1/runs/bulk/{Uri.EscapeDataString(parse.GetRequiredValue(Id))}", cancel)));
        group.Add(get);
        var list = new Verb("list", "List what was asked for, newest first.", "millrace runs bulk list");
        line.Does(list, ListAsync);
        group.Add(list);
        var stop = new Verb("stop", "Go on to no further runs.", "millrace runs bulk stop 019a…") { Id };
        line.Does(stop, async (session, parse, cancel) =>
            Tell(session, (await session.Client.PostAsync($"api/v1/runs/bulk/{Uri.EscapeDataString(parse.GetRequiredValue(Id))}/cancellation", Json.EmptyObject, null, cancel)).Body));
        group.Add(stop);
        return group;
    }

    private static async Task<int> StartAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var filter = JsonObject.Empty;
        if (parse.GetValue(State) is { Length: > 0 } states) filter = filter.With("states", JsonArray.Of(states.Select(s => (Json)s).ToList()));
        if (parse.GetValue(Run) is { Length: > 0 } ids) filter = filter.With("ids", JsonArray.Of(ids.Select(s => (Json)s).ToList()));
        if (parse.GetValue(Definition) is { } definition)
        {
            if (definition.Split('/') is not [{ Length: > 0 } space, { Length: > 0 } name]) throw new UsageException($"'{definition}' names no definition: expected namespace/name.");
            filter = filter.With("namespace", space).With("name", name);
        }
        if (parse.GetValue(After) is { } after) filter = filter.With("createdAfter", after);
        if (parse.GetValue(Before) is { } before) filter = filter.With("createdBefore", before);
        if (parse.GetValue(ForkOf) is { } forkOf) filter = filter.With("forkOf", forkOf);
        if (parse.GetValue(NoChildren)) filter = filter.With("children", false);
        var body = JsonObject.Empty.With("action", parse.GetRequiredValue(Action)).With("filter", filter);
        if (parse.GetValue(Task) is { } task) body = body.With("task", task);
        if (parse.GetValue(Seq) is { } seq) body = body.With("seq", seq);
        if (parse.GetValue(Version) is { } version) body = body.With("definition", Json.Object("version", version));
        if (parse.GetValue(Reason) is { } reason) body = body.With("reason", reason);
        return Tell(session, (await session.Client.PostAsync("api/v1/runs/bulk", body, parse.GetValue(Key), cancel)).Body);
    }

    private static async Task<int> ListAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var items = await session.Client.ListAsync("api/v1/runs/bulk", 50, cancel);
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(items)));
        else
            Columns.Write(session.Terminal, ["BULK", "ACTION", "STATE", "FOUND", "DONE", "REFUSED", "ASKED"], items.Select(b => new[]
            {
                b["id"].StringOrNull ?? "", b["action"].StringOrNull ?? "", b["state"].StringOrNull ?? "", b["found"].ToString(), b["done"].ToString(), b["refused"].ToString(), Times.Date(b["createdAt"].StringOrNull),
            }));
        return Exit.Completed;
    }

    private static int Tell(Session session, Json work)
    {
        if (session.Json)
        {
            session.Terminal.Print(work);
            return Exit.Completed;
        }
        session.Terminal.Line($"bulk {work["id"].StringOrNull} {work["action"].StringOrNull} {work["state"].StringOrNull}: {work["done"]} of {work["found"]} done, {work["refused"]} refused");
        foreach (var refusal in work["refusals"].ArrayOrNull ?? JsonArray.Empty)
            session.Terminal.Line($"  {refusal["run"].StringOrNull} {refusal["code"].StringOrNull}: {Terminal.Clean(refusal["detail"].StringOrNull ?? "")}");
        return Exit.Completed;
    }
}
