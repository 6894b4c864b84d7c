using System.CommandLine;
using System.Globalization;
using Millrace.Cli.Inputs;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace runs</c> state, fork, retry, diff: looking back, and going on from there.</summary>
internal static class ForkCommands
{
    private static readonly Argument<string> Id = new("id") { Description = "The run's id." };
    private static readonly Argument<string> Other = new("other") { Description = "The id of the run to compare it with." };
    private static readonly Option<long?> Seq = new("--seq") { Description = "Behind this record of the journal.", HelpName = "n" };
    private static readonly Option<int?> Step = new("--step") { Description = "Just before this step began.", HelpName = "n" };
    private static readonly Option<string?> Task = new("--task") { Description = "Just before the last step of this task began.", HelpName = "pointer" };
    private static readonly Option<string?> Input = new("--input") { Description = "What the step begins with instead: JSON text, @file, or -.", HelpName = "json|@file|-" };
    private static readonly Option<string?> Context = new("--context") { Description = "The workflow context instead: JSON text, @file, or -.", HelpName = "json|@file|-" };
    private static readonly Option<string?> Version = new("--definition-version") { Description = "Go on with this version of the definition; latest is the newest.", HelpName = "version" };
    private static readonly Option<string?> Reason = new("--reason") { Description = "Why; kept with the run.", HelpName = "text" };
    private static readonly Option<string?> Key = new("--idempotency-key") { Description = "Starts one run however often the command is repeated with this key (at most 255 characters).", HelpName = "key" };
    private static readonly Option<bool> All = new("--all") { Description = "Also the steps that are the same in both." };

    public static IEnumerable<Verb> Create(CommandLine line)
    {
        var state = new Verb("state", "Show a run as it stood behind a record of its journal, or before a step.", "millrace runs state 019a… --seq 17", "millrace runs state 019a… --step 4") { Id, Seq, Step };
        line.Does(state, StateAsync);
        yield return state;
        var fork = new Verb("fork", "Start a run that goes on from a place in this one.", "millrace runs fork 019a… --step 4", "millrace runs fork 019a… --task /do/2/send --input '{\"to\": \"me\"}'")
        { Id, Step, Task, Seq, Input, Context, Version, Reason, Key };
        line.Does(fork, (s, p, c) => ForkAsync(s, p, "/forks", c));
        yield return fork;
        var retry = new Verb("retry", "Start a run that goes on from where this one faulted or was cancelled.", "millrace runs retry 019a…", "millrace runs retry 019a… --definition-version latest")
        { Id, Input, Context, Version, Reason, Key };
        line.Does(retry, (s, p, c) => ForkAsync(s, p, "/retry", c));
        yield return retry;
        var diff = new Verb("diff", "Compare two runs step by step.", "millrace runs diff 019a… 019b…") { Id, Other, All };
        line.Does(diff, DiffAsync);
        yield return diff;
    }

    private static string Path(ParseResult parse, string rest) => $"api/v1/runs/{Uri.EscapeDataString(parse.GetRequiredValue(Id))}{rest}";

    private static async Task<int> StateAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var query = new List<string>();
        if (parse.GetValue(Seq) is { } seq) query.Add(string.Create(CultureInfo.InvariantCulture, $"seq={seq}"));
        if (parse.GetValue(Step) is { } step) query.Add(string.Create(CultureInfo.InvariantCulture, $"step={step}"));
        var found = await session.Client.GetAsync(Path(parse, $"/state{(query.Count == 0 ? "" : $"?{string.Join('&', query)}")}"), cancel);
        if (session.Json)
        {
            session.Terminal.Print(found);
            return Exit.Completed;
        }
        session.Terminal.Line($"run {found["run"].StringOrNull} {found["state"].StringOrNull} at record {found["seq"]} of {found["last"]}, {Times.Date(found["at"].StringOrNull)}");
        var active = found["active"].ArrayOrNull ?? JsonArray.Empty;
        if (active.Count > 0) Columns.Write(session.Terminal, ["STEP", "TASK", "KIND", "ATTEMPT", "WAKES", "DATA"], active.Select(s => new[]
        {
            s["id"].ToString(), (s["reference"].StringOrNull ?? "") + (s["iteration"].IsNumber ? $" #{s["iteration"]}" : ""), s["kind"].StringOrNull ?? "", s["attempt"].ToString(),
            Times.Date(s["wakeAt"].StringOrNull), Shorten(s["data"].ToString()),
        }));
        session.Terminal.Line($"data    {Terminal.Clean(Shorten(found["data"].ToString()))}");
        session.Terminal.Line($"context {Terminal.Clean(Shorten(found["context"].ToString()))}");
        foreach (var wait in found["waiting"].ArrayOrNull ?? JsonArray.Empty) session.Terminal.Line(Terminal.Clean(wait["detail"].StringOrNull ?? ""));
        return Exit.Completed;
    }

    private static async Task<int> ForkAsync(Session session, ParseResult parse, string resource, CancellationToken cancel)
    {
        var body = JsonObject.Empty;
        if (resource == "/forks")
        {
            if (parse.GetValue(Step) is { } step) body = body.With("step", step);
            if (parse.GetValue(Task) is { } task) body = body.With("task", task);
            if (parse.GetValue(Seq) is { } seq) body = body.With("seq", seq);
            if (body.Count != 1) throw new UsageException("A fork needs one place to begin from: --step, --task or --seq.");
        }
        if (InputArguments.Read(parse.GetValue(Input), [], session.Terminal.In) is { } input) body = body.With("input", input);
        if (InputArguments.Read(parse.GetValue(Context), [], session.Terminal.In) is { } context) body = body.With("context", context);
        if (parse.GetValue(Version) is { } version) body = body.With("definition", Json.Object("version", version));
        if (parse.GetValue(Reason) is { } reason) body = body.With("reason", reason);
        var (status, run) = await session.Client.PostAsync(Path(parse, resource), body, parse.GetValue(Key), cancel);
        if (session.Json) session.Terminal.Print(run);
        else session.Terminal.Line($"run {run["id"].StringOrNull} {(status == 201 ? "started" : "was started before with this key")}\nSee it with: millrace runs watch {run["id"].StringOrNull}");
        return Exit.Completed;
    }

    private static async Task<int> DiffAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var path = Path(parse, $"/diff/{Uri.EscapeDataString(parse.GetRequiredValue(Other))}");
        var rows = await session.Client.ListAsync(path, 10_000, cancel);
        if (!parse.GetValue(All)) rows.RemoveAll(r => r["change"].StringOrNull == "same");
        if (session.Json) session.Terminal.Print(Json.Object("items", JsonArray.Of(rows)));
        else if (rows.Count == 0) session.Terminal.Line("Every step is the same in both.");
        else
            Columns.Write(session.Terminal, ["STEP", "CHANGE", "DIFFERS", "LEFT", "RIGHT"], rows.Select(r => new[]
            {
                r["path"].StringOrNull ?? "", r["change"].StringOrNull ?? "", string.Join(' ', (r["differs"].ArrayOrNull ?? JsonArray.Empty).Select(d => d.StringOrNull)), Side(r["left"], r["leftMs"]), Side(r["right"], r["rightMs"]),
            }));
        return Exit.Completed;
    }

    private static string Side(Json step, Json milliseconds) =>
        !step.IsObject ? "" : $"{step["state"].StringOrNull}{(milliseconds.IsNumber ? $" {milliseconds} ms" : "")}{(step["output"].IsNull ? "" : $" {Shorten(step["output"].ToString())}")}";

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
