using System.CommandLine;
using Millrace.Cli.Views;
using Millrace.Jq;

namespace Millrace.Cli.Commands;

/// <summary><c>millrace runs step</c>: one step as the run's page shows it, with its values and its children.</summary>
internal static class StepCommand
{
    private static readonly Argument<int> Step = new("step") { Description = "The step's number, as 'runs steps' lists it." };

    public static Verb Create(CommandLine line) => line.With(
        new Verb("step", "Show one step: its input and output, the members of a swarm, how far a map is.", "millrace runs step 019a… 3", "millrace runs step 019a… 3 --json | jq .output") { RunsCommands.Id, Step },
        ShowAsync);

    private static async Task<int> ShowAsync(Session session, ParseResult parse, CancellationToken cancel)
    {
        var step = await session.Client.GetAsync(RunsCommands.Path(parse, $"/steps/{parse.GetValue(Step)}"), cancel);
        if (session.Json) session.Terminal.Print(step);
        else Tell(session.Terminal, step);
        return Exit.Completed;
    }

    private static void Tell(Terminal terminal, Json step)
    {
        terminal.Line(Terminal.Clean($"step {step["id"]} {step["state"].StringOrNull}  {step["reference"].StringOrNull} {step["kind"].StringOrNull}"));
        var nth = (step["iteration"].IsNumber ? $"iteration {step["iteration"]}, " : "") + $"attempt {step["attempt"]}";
        terminal.Line($"{nth}, since {Times.Date(step["startedAt"].StringOrNull)}, {Times.Between(step["startedAt"].StringOrNull, step["endedAt"].StringOrNull, terminal.Time.GetUtcNow())}");
        if (step["wakeAt"].StringOrNull is { } wake) terminal.Line($"wakes {Times.Date(wake)}");
        if (step["compensates"].IsNumber) terminal.Line($"undoes step {step["compensates"]}");
        if (step["child"].StringOrNull is { } child) terminal.Line($"started run {child}");
        if (step["approval"].StringOrNull is { } approval) terminal.Line($"asks approval {approval}");
        if (step["error"].IsObject) terminal.Line(Terminal.Clean(RunLines.ErrorText(step["error"])));
        if (step["spawn"].IsObject) TellChildren(terminal, step["spawn"]);
        foreach (var name in (string[])["input", "output"])
            if (step.AsObject().TryGet(name, out var value))
            {
                terminal.Line($"{name}:");
                terminal.PrintIndented(value);
            }
            else
            {
                terminal.Line($"{name}: none");
            }
    }

    private static void TellChildren(Terminal terminal, Json spawn)
    {
        var parts = new List<string> { $"{spawn["completed"]}{(spawn["total"].IsNumber ? $" of {spawn["total"]}" : "")} completed" };
        foreach (var (name, words) in ((string, string)[])[("failed", "failed"), ("skipped", "skipped"), ("running", "under way"), ("queued", "queued")])
            if (spawn[name] is { IsNumber: true } count && count.AsNumber() > 0) parts.Add($"{count} {words}");
        terminal.Line($"children: {string.Join(", ", parts)}; at most {spawn["concurrency"]} at once");
        if (spawn["results"].StringOrNull is { } results) terminal.Line(results == "none" ? "results: none" : "results: with the children, see 'millrace runs results'");
        if (spawn["firstError"].IsObject) terminal.Line(Terminal.Clean($"first failure: {RunLines.ErrorText(spawn["firstError"])}"));
        if (spawn["members"].ArrayOrNull is not { } members) return;
        Columns.Write(terminal, ["MEMBER", "STATE", "NEEDS", "RUN", "WHY"], members.Select(m => new[]
        {
            m["name"].StringOrNull ?? "", m["state"].StringOrNull ?? "", string.Join(", ", (m["needs"].ArrayOrNull ?? JsonArray.Empty).Select(n => n.StringOrNull)), m["child"].StringOrNull ?? "",
            m["error"].IsObject ? RunLines.ErrorText(m["error"]) : m["reason"].StringOrNull ?? "",
        }));
    }
}
