using Millrace.Jq;
using Millrace.Testing.Scenarios;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Testing.Recording;

/// <summary>
/// Documents whose calls are answered with what a journal has. It has a task's output behind its <c>output.as</c>, so such a task is played
/// without one.
/// </summary>
internal static class Recorded
{
    public static string Prepared(Scenario scenario, string document)
    {
        var tasks = scenario.Mocks.Where(m => m.Answer is MockAnswer.Outputs).Select(m => m.Task!).Where(t => t.StartsWith('/')).Distinct().ToList();
        if (tasks.Count == 0) return document;
        try
        {
            var (value, _) = DocumentReader.Read(document);
            var changed = tasks.Aggregate(value, (v, task) => WithoutOutputAs(v, [.. Pointer.Keys(task)], 0));
            return changed == value ? document : changed.ToString();
        }
        catch (UnreadableException)
        {
            // What is wrong with it is told when it is loaded.
            return document;
        }
    }

    private static Json WithoutOutputAs(Json value, string[] path, int at)
    {
        if (at == path.Length)
            return value.ObjectOrNull is { } task && value["output"].ObjectOrNull is { } output ? task.With("output", output.Without("as")) : value;
        if (value.ArrayOrNull is { } items)
            return int.TryParse(path[at], out var index) && index < items.Count ? items.With(index, WithoutOutputAs(items[index], path, at + 1)) : value;
        return value.ObjectOrNull is { } members && members.TryGet(path[at], out var member) ? members.With(path[at], WithoutOutputAs(member, path, at + 1)) : value;
    }
}
