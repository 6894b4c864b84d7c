namespace Millrace.Workflows.Graph;

/// <summary>The arguments that runtime expressions may read (dsl.md, Runtime Expression Arguments).</summary>
internal static class Variables
{
    public static readonly IReadOnlyList<string> Standard = ["context", "input", "output", "secrets", "authorization", "task", "workflow", "runtime"];

    /// <summary>The standard eight and the names that loops and catch clauses around the expression define.</summary>
    public static IReadOnlyList<string> With(IReadOnlyList<string> scope, params ReadOnlySpan<string> names)
    {
        var all = new List<string>(scope);
        foreach (var name in names)
            if (!all.Contains(name)) all.Add(name);
        return all;
    }
}
