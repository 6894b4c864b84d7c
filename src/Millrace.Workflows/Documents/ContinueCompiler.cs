using Millrace.Jq;
using Millrace.Workflows.Graph;
using static Millrace.Workflows.Documents.Dsl;

namespace Millrace.Workflows.Documents;

/// <summary>Compiles calls of <c>continue</c>.</summary>
internal static class ContinueCompiler
{
    private static readonly Shape Arguments = new ObjectShape("the arguments of continue", May("input", Any), May("version", new ChoiceShape("same", "latest")));

    public static ContinueBody Compile(Compilation of, Cursor task, IReadOnlyList<string> names)
    {
        var with = task["with"];
        if (!with.IsAbsent) Arguments.Check(with.Value, with.Pointer, of.Findings);
        var given = with.Value.ObjectOrNull?.Has("input") == true;
        return new ContinueBody(given ? of.Template(with["input"], names, Place.Kept) : null, with["version"].Text == "latest") { Keyword = "call" };
    }
}
