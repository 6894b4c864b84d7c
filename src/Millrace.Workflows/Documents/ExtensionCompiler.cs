using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>Puts extensions (<c>use.extensions</c>) around the tasks they extend (dsl-reference.md, Extension).</summary>
internal static class ExtensionCompiler
{
    /// <summary>The extensions of a task by what kind it is of; what an extension does is itself extended by none.</summary>
    public static IReadOnlyList<(string Name, Cursor Value)> Of(Compilation of, Cursor task)
    {
        if (of.InExtension || task.Value.ObjectOrNull is not { } members || DslTasks.KeywordOf(members) is not { } keyword) return [];
        var all = of.Root["use"]["extensions"];
        return all.Is(JsonKind.Array) ? [.. all.Named.Where(e => Extends(e.Value["extend"].Text, keyword))] : [];
    }

    public static IReadOnlyList<ExtensionLayer> Layers(Compilation of, IReadOnlyList<(string Name, Cursor Value)> extensions)
    {
        of.InExtension = true;
        var layers = extensions.Select(e => Layer(of, e.Name, e.Value)).ToList();
        of.InExtension = false;
        return layers;
    }

    public static ExtensionLayer Layer(Compilation of, string name, Cursor extension) => new(
        name, of.Filter(extension["when"], Variables.Standard, Place.If), List(of, extension["before"]), List(of, extension["after"]));

    private static Scope? List(Compilation of, Cursor tasks) =>
        tasks.Value.ArrayOrNull is { Count: > 0 } ? TaskCompiler.Scope(of, tasks, Variables.Standard) : null;

    /// <summary>Tasks composed of others side by side or one after another are what the language once called composite.</summary>
    private static bool Extends(string? kind, string keyword) =>
        kind == "all" || kind == keyword || (kind == "composite" && keyword is ("do" or "fork"));
}
