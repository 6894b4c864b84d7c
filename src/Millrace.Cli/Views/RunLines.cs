using Millrace.Jq;

namespace Millrace.Cli.Views;

/// <summary>A run's progress as lines, one for each change: for logs, pipes and screen readers.</summary>
internal sealed class RunLines(Terminal terminal)
{
    private string? _runState;

    public void Record(RunProgress progress, List<StepLine> changed, string at)
    {
        foreach (var line in changed) terminal.Line($"{Times.Clock(at)}  {Painted(line.State)} {Step(line)}");
        if (progress.State == _runState) return;
        _runState = progress.State;
        var reason = progress.Run["reason"].StringOrNull is { } r ? $" ({Terminal.Clean(r)})" : "";
        terminal.Line($"{Times.Clock(at)}  {Painted(progress.State)} run{reason}");
    }

    public void Sign(StepLine? step, string channel, Json data) =>
        terminal.Line($"              {terminal.Paint($"{step?.Name ?? "?"} {Terminal.Clean(channel)}: {Terminal.Clean(data.StringOrNull ?? data.ToString())}", Ink.Faint)}");

    public static string ErrorText(Json error)
    {
        var type = error["type"].StringOrNull ?? "error";
        var name = type[(type.LastIndexOf('/') + 1)..];
        var status = error["status"].IsNumber ? $" {error["status"]}" : "";
        var text = string.Join(": ", new[] { error["title"].StringOrNull, error["detail"].StringOrNull }.Where(t => !string.IsNullOrEmpty(t)));
        return $"{name}{status}{(text.Length == 0 ? "" : $": {text}")}";
    }

    private static string Step(StepLine line)
    {
        var step = line.Step;
        var text = $"{step["reference"].StringOrNull ?? line.Name} {step["kind"].StringOrNull}";
        if (step["iteration"].IsNumber) text += $" #{step["iteration"]}";
        if (step["attempt"].IsNumber && step["attempt"].AsNumber() > 1) text += $" attempt {step["attempt"]}";
        if (line.IsOver) text += $" {Times.Between(step["startedAt"].StringOrNull, step["endedAt"].StringOrNull, default)}";
        if (line.State == "waiting" && step["wakeAt"].StringOrNull is { } wake) text += $" until {Times.Clock(wake)}";
        if (step["child"].StringOrNull is { } child) text += $" run {child}";
        if (step["error"].IsObject) text += $" {ErrorText(step["error"])}";
        return Terminal.Clean(text);
    }

    private string Painted(string state) => terminal.Paint(state.PadRight(9), state switch
    {
        "completed" => Ink.Good,
        "faulted" => Ink.Bad,
        "waiting" or "suspended" or "cancelled" => Ink.Warn,
        "running" => Ink.Busy,
        _ => Ink.Faint,
    });
}
