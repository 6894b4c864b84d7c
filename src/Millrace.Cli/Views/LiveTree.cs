using Millrace.Jq;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Millrace.Cli.Views;

/// <summary>Draws a run's progress for a screen: title, bar, and the tree of steps, no higher than the screen is.</summary>
internal static class LiveTree
{
    private const int BarWidth = 30;

    /// <summary>Executions of one parent (a loop's iterations) that are drawn; earlier ones that are over are counted instead.</summary>
    private const int ChildrenMax = 12;

    public static IRenderable Draw(RunProgress progress, string title, DateTimeOffset now, int linesMax)
    {
        var lines = new List<IRenderable> { Title(progress, title, now), Bar(progress) };
        var tree = new List<Markup>();
        foreach (var root in Shown(progress.Roots, tree, 0)) Add(root, 0, now, tree);
        var room = Math.Max(3, linesMax - 4);
        if (tree.Count > room)
        {
            lines.Add(new Markup($"[dim]  … {tree.Count - room} lines above[/]"));
            tree.RemoveRange(0, tree.Count - room);
        }
        lines.AddRange(tree);
        return new Rows(lines);
    }

    private static Markup Title(RunProgress progress, string title, DateTimeOffset now)
    {
        var run = progress.Run;
        var duration = Times.Between(run["startedAt"].StringOrNull ?? run["createdAt"].StringOrNull, run["endedAt"].StringOrNull, now);
        return new Markup($"{Mark(progress.State)} [bold]{Safe(title)}[/] {progress.State} [dim]{duration}[/]");
    }

    private static Markup Bar(RunProgress progress)
    {
        var (done, total) = progress.Nodes;
        var filled = total == 0 ? 0 : done * BarWidth / total;
        var count = total == 0 ? $"{progress.StepsOver} steps" : $"{done} of {total} tasks, {progress.StepsOver} steps";
        var colour = progress.State == "faulted" ? "red" : "green";
        return new Markup($"[{colour}]{new string('━', filled)}[/][dim]{new string('━', BarWidth - filled)} {count}[/]");
    }

    private static List<StepLine> Shown(List<StepLine> children, List<Markup> tree, int depth)
    {
        if (children.Count <= ChildrenMax) return children;
        var hidden = children.Take(children.Count - ChildrenMax).Where(c => c.IsOver).ToHashSet();
        if (hidden.Count > 0) tree.Add(new Markup($"{Indent(depth)}[dim]… {hidden.Count} earlier steps are over[/]"));
        return [.. children.Where(c => !hidden.Contains(c))];
    }

    private static void Add(StepLine line, int depth, DateTimeOffset now, List<Markup> tree)
    {
        tree.Add(new Markup($"{Indent(depth)}{Mark(line.State)} {Describe(line)} [dim]{Times.Between(line.Step["startedAt"].StringOrNull, line.Step["endedAt"].StringOrNull, now)}[/]{Remark(line)}"));
        foreach (var child in Shown(line.Children, tree, depth + 1)) Add(child, depth + 1, now, tree);
    }

    private static string Describe(StepLine line)
    {
        var iteration = line.Step["iteration"].IsNumber ? $"[dim]#{(int)line.Step["iteration"].AsNumber()}[/]" : "";
        return $"{Safe(line.Name)}{iteration} [dim]{Safe(line.Step["kind"].StringOrNull ?? "")}[/]";
    }

    private static string Remark(StepLine line)
    {
        var attempt = line.Step["attempt"].IsNumber ? (int)line.Step["attempt"].AsNumber() : 1;
        var remark = attempt > 1 ? $" [yellow]attempt {attempt}[/]" : "";
        if (line.Step["error"].IsObject) return $"{remark} [red]{Safe(RunLines.ErrorText(line.Step["error"]))}[/]";
        return line.LastSign is { } sign && !line.IsOver ? $"{remark} [dim]{Safe(sign)}[/]" : remark;
    }

    private static string Mark(string state) => state switch
    {
        "completed" => "[green]✓[/]",
        "faulted" => "[red]✗[/]",
        "cancelled" => "[yellow]■[/]",
        "skipped" => "[dim]○[/]",
        "waiting" => "[yellow]◷[/]",
        "suspended" => "[yellow]‖[/]",
        "running" => "[aqua]▶[/]",
        _ => "[dim]·[/]",
    };

    private static string Indent(int depth) => new(' ', depth * 2);

    private static string Safe(string text)
    {
        var clean = Terminal.Clean(text).ReplaceLineEndings(" ");
        return Markup.Escape(clean.Length <= 100 ? clean : clean[..100] + "…");
    }
}
