using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>Compiles run tasks: processes become calls, a workflow becomes a child run.</summary>
internal static class RunCompiler
{
    public static TaskBody Run(Compilation of, Cursor run, IReadOnlyList<string> names)
    {
        var awaited = run["await"].Value is not { IsBoolean: true } await || await.AsBoolean();
        if (run["workflow"].Is(JsonKind.Object)) return Child(of, run["workflow"], awaited, names);
        var kind = run["shell"].Is(JsonKind.Object) ? "shell" : run["script"].Is(JsonKind.Object) ? "script" : "container";
        return new CallBody(kind, Process(of, run[kind], run["return"].Text ?? "stdout", names), awaited) { Keyword = "run" };
    }

    private static Template Process(Compilation of, Cursor process, string returns, IReadOnlyList<string> names)
    {
        if (process.Value.ObjectOrNull is not { } members) return Template.Of(Json.EmptyObject);
        return CallCompiler.Arguments(of, process with { Value = members.With("return", returns) }, names);
    }

    private static SpawnBody Child(Compilation of, Cursor child, bool awaited, IReadOnlyList<string> names)
    {
        var input = child["input"];
        return new(Constant(of, child["namespace"]), Constant(of, child["name"]), Constant(of, child["version"]),
            input.IsAbsent ? null : of.Template(input, names, Place.Kept), awaited)
        { Keyword = "run" };
    }

    /// <summary>Which workflow is run is known before the run starts.</summary>
    public static string Constant(Compilation of, Cursor at)
    {
        if (at.Text is { } text && text.Contains("${", StringComparison.Ordinal))
            of.Findings.AtValue("workflow.bad_value", at.Pointer, "Which workflow is run cannot depend on an expression.", "a constant");
        return at.Text ?? "";
    }
}
