using Millrace.Jq;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Documents;

/// <summary>What the compilers of one document share: the document, what was found, the nodes made so far, and how expressions are compiled.</summary>
internal sealed class Compilation(Json document, Findings findings, Imports imports)
{
    /// <summary>For the definition of a function that stands elsewhere; its tasks belong to the same graph.</summary>
    /// <param name="call">Where it is called.</param>
    public Compilation(Json document, Findings findings, Compilation within, Cursor call)
        : this(document, findings, within.Imports)
    {
        (Nodes, Functions, Nesting, Secrets, InExtension) = (within.Nodes, within.Functions, within.Nesting, within.Secrets, within.InExtension);
        (Prefix, Line) = (within.Prefix + call.Pointer, within.Line ?? within.Findings.Map.Value(call.Pointer).Line);
    }

    public Imports Imports => imports;

    /// <summary>What stands before the pointers of tasks: nothing but where the document is that of a function.</summary>
    public string Prefix { get; } = "";

    /// <summary>The line of the call, for a function that stands elsewhere.</summary>
    public int? Line { get; }

    /// <summary>Nodes that a graph has at most; functions count once for each call of them.</summary>
    public const int NodesMax = 10_000;

    /// <summary>Tasks inside tasks at most, functions counted where they are called; walks over a graph need no more stack than this.</summary>
    public const int NestingMax = 100;

    /// <summary>How many tasks the one being compiled stands in.</summary>
    public int Nesting { get; set; }

    public Cursor Root { get; } = new(document, "");
    public Findings Findings => findings;
    public bool IsLoose { get; } = document["evaluate"]["mode"].StringOrNull == "loose";
    public List<Node?> Nodes { get; private set; } = [];

    /// <summary>What is being compiled is done by an extension.</summary>
    public bool InExtension { get; set; }

    /// <summary>The functions whose task is being compiled, outermost first.</summary>
    public Stack<string> Functions { get; } = new();

    /// <summary>Names listed under <c>use.secrets</c>.</summary>
    public HashSet<string> Secrets { get; } = [.. new Cursor(document, "")["use"]["secrets"].Items.Select(s => s.Text ?? "")];

    public Cursor Used(string section, string name) => Root["use"][section][name];

    /// <summary>Compiles what will never be part of the graph, so that its errors are found.</summary>
    public void Aside(Action compile)
    {
        var nodes = Nodes;
        Nodes = [];
        compile();
        Nodes = nodes;
    }

    /// <summary>Finds a reusable component; reports when there is none of that name.</summary>
    public Cursor? Find(string section, string noun, Cursor reference)
    {
        var name = reference.Text!;
        if (Root["use"][section].Value.ObjectOrNull is { } all && all.Has(name)) return Used(section, name);
        var names = Root["use"][section].Members.Select(m => m.Key).Take(20).ToList();
        findings.AtValue("workflow.unknown_reference", reference.Pointer, $"No {noun} '{TextShape.Shorten(name)}' is defined under use.{section}{findings.Hint(name, names)}",
            names.Count == 0 ? null : $"one of {string.Join(", ", names)}");
        return null;
    }

    public void Unsupported(Cursor at, string what) =>
        findings.AtKey(Findings.Unsupported, at.Pointer, $"{what} is part of the language and not executable in this version.");

    /// <summary>A field that holds an expression, with or without <c>${ }</c>; null when it is absent or wrong.</summary>
    public Expression? Filter(Cursor at, IReadOnlyList<string> names, Place place) =>
        at.Text is { } text && !findings.IsWrong(at.Pointer) ? new Texts(this, names, place, null).Compile(text, .., at.Pointer) : null;

    /// <summary>An expression as above, or an object with expressions in it.</summary>
    public Template? FilterOrObject(Cursor at, IReadOnlyList<string> names, Place place)
    {
        if (at.Is(JsonKind.String)) return Filter(at, names, place) is { } filter ? Graph.Template.Of(filter) : null;
        return at.Is(JsonKind.Object) ? Template(at, names, place) : null;
    }

    /// <param name="moved">Maps pointers of values that were put in from elsewhere to where they stand in the document.</param>
    public Template Template(Cursor at, IReadOnlyList<string> names, Place place, Func<string, string>? moved = null) =>
        Graph.Template.Compile(at.Value, at.Pointer, new Texts(this, names, place, moved));

    /// <summary>Null when there is none or it is no duration, which the shapes have reported.</summary>
    public Template? Duration(Cursor at, IReadOnlyList<string> names) =>
        at.IsAbsent || findings.IsWrong(at.Pointer) ? null : Template(at, names, Place.Definition);

    public JsonSchema? Schema(Cursor section)
    {
        var schema = section["schema"];
        if (schema["format"].Text is { } format && format != "json" && !format.StartsWith("json:", StringComparison.Ordinal))
            Unsupported(schema["format"], $"A schema of the format '{format}'");
        if (schema["resource"].Is(JsonKind.Object)) return ImportCompiler.Schema(this, schema["resource"]);
        if (schema.Value.ObjectOrNull is not { } members || !members.TryGet("document", out var document) || findings.IsWrong(schema["document"].Pointer)) return null;
        try
        {
            return JsonSchema.Compile(document);
        }
        catch (JsonSchemaException e)
        {
            findings.AtValue("workflow.bad_schema", schema["document"].Pointer + e.Pointer, $"This is no JSON Schema: {e.Message}.");
            return null;
        }
    }

    /// <summary>Compiles the expressions of strings, and checks the names they read.</summary>
    private sealed class Texts(Compilation of, IReadOnlyList<string> names, Place place, Func<string, string>? moved) : Template.ITexts
    {
        public Expression? Compile(string text, Range range, string pointer)
        {
            var at = moved?.Invoke(pointer) ?? pointer;
            if (of.Findings.IsFull) return null;
            try
            {
                var expression = Expression.Compile(text, range, names, at);
                Check(expression, text);
                return expression;
            }
            catch (JqCompileException e)
            {
                Report("workflow.bad_expression", at, Offset(text, e), e.Message + Hint(at));
                return null;
            }
        }

        public void Unclosed(string text, int start, string pointer) =>
            Report("workflow.bad_expression", moved?.Invoke(pointer) ?? pointer, start, "The expression opened by '${' is not closed.");

        public Expression? Bare(string text, string pointer)
        {
            if (!of.IsLoose || string.IsNullOrWhiteSpace(text)) return null;
            try
            {
                return Expression.Compile(text, names, pointer);
            }
            catch (JqCompileException)
            {
                return null;
            }
        }

        /// <summary>Shells and scripts know a <c>${ }</c> of their own.</summary>
        private static string Hint(string pointer) =>
            pointer.EndsWith("/shell/command", StringComparison.Ordinal) || pointer.EndsWith("/script/code", StringComparison.Ordinal)
                ? " ('${' begins a runtime expression here; write the shell's or the script's own variables otherwise)"
                : "";

        private void Check(Expression expression, string text)
        {
            foreach (var name in expression.Variables)
            {
                if (!Variables.Standard.Contains(name)) continue;
                var start = Math.Max(0, text.IndexOf("$" + name, expression.Start, StringComparison.Ordinal));
                if (name == "secrets" && place.IsKept())
                    Report("workflow.secret_exposed", expression.Pointer, start, "A secret used here would be written to the journal; use it in the arguments of the call that needs it, or in a task's input.from.");
                else if (!place.Gives(name))
                    Report("workflow.unavailable_variable", expression.Pointer, start, $"${name} is not available here and is null.", Severity.Warning);
            }
        }

        private static int Offset(string text, JqCompileException e)
        {
            var offset = 0;
            for (var line = 1; line < e.Line; line++) offset = text.IndexOf('\n', offset) + 1;
            return offset + e.Column - 1;
        }

        private void Report(string code, string pointer, int offset, string message, Severity severity = Severity.Error) =>
            of.Findings.Inside(severity, code, pointer, message, offset);
    }
}
