using Millrace.Jq;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Documents;

/// <summary>Compiles what a document takes from elsewhere: functions and schemas.</summary>
internal static class ImportCompiler
{
    /// <summary>The function's task, as it is called here; null when it is not there or wrong, which is reported at the call.</summary>
    /// <param name="call">The value that names the function.</param>
    public static Node? Function(Compilation of, Cursor call, string name, string address, Json authentication)
    {
        if (of.Functions.Contains(address))
        {
            of.Findings.AtValue("workflow.recursion", call.Pointer, $"The function '{TextShape.Shorten(name)}' calls itself.");
            return null;
        }
        if (of.Imports.Text(of, call, $"The function '{TextShape.Shorten(name)}'", address, authentication) is not { } text) return null;
        of.Functions.Push(address);
        try
        {
            var (value, map) = DocumentReader.Read(text);
            var findings = new Findings(map);
            value = Absolute(value, new Uri(address));
            DslTasks.Task.Check(value, "", findings);
            var node = TaskCompiler.Single(new Compilation(value, findings, of, call), name, new Cursor(value, ""), Variables.Standard);
            foreach (var found in findings.ToList().Where(f => f.Severity == Severity.Error).Take(5))
                of.Findings.AtValue(found.Code, call.Pointer, $"{TextShape.Shorten(address)}, line {found.Line}, column {found.Column}: {found.Message}", found.Expected);
            return node;
        }
        catch (UnreadableException e)
        {
            throw new UnreadableException(e.Code, $"{TextShape.Shorten(address)}, line {e.At.Line}: {e.Message}", of.Findings.Map.Value(call.Pointer), e.Expected);
        }
        finally
        {
            of.Functions.Pop();
        }
    }

    /// <summary>Files that lie beside a function (<c>./script.js</c>) are named from where the function stands.</summary>
    private static Json Absolute(Json value, Uri address)
    {
        if (value.ArrayOrNull is { } items) return JsonArray.Of(items.Select(i => Absolute(i, address)).ToList());
        if (value.ObjectOrNull is not { } members) return value;
        var built = new JsonObject.Builder();
        foreach (var (key, member) in members) built.Set(key, key is "endpoint" or "uri" && IsBeside(member) ? new Uri(address, member.AsString()).AbsoluteUri : Absolute(member, address));
        return built.Build();
    }

    private static bool IsBeside(Json value) =>
        value.StringOrNull is { } text && (text.StartsWith("./", StringComparison.Ordinal) || text.StartsWith("../", StringComparison.Ordinal)) && !text.Contains('{');

    /// <summary>A schema that stands elsewhere, JSON or YAML.</summary>
    public static JsonSchema? Schema(Compilation of, Cursor resource)
    {
        var at = resource["endpoint"];
        if (Imports.Endpoint(of, at) is not var (address, authentication) || of.Imports.Text(of, at, "The schema", address, authentication) is not { } text) return null;
        try
        {
            return JsonSchema.Compile(DocumentReader.Read(text).Value);
        }
        catch (UnreadableException e)
        {
            of.Findings.AtValue("workflow.bad_schema", at.Pointer, $"{TextShape.Shorten(address)}, line {e.At.Line}: {e.Message}");
        }
        catch (JsonSchemaException e)
        {
            of.Findings.AtValue("workflow.bad_schema", at.Pointer, $"{TextShape.Shorten(address)} is no JSON Schema, at {(e.Pointer.Length == 0 ? "/" : e.Pointer)}: {e.Message}.");
        }
        return null;
    }
}
