using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Millrace.Connectors.Http;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Processes;

/// <summary>
/// <c>run: script</c> (dsl-reference.md, Script Process) in <c>js</c> (Node.js 20 or later, as a module) or <c>python</c> (Python 3). Arguments as
/// a list are argv. Arguments as a map are variables of the script; then a js script without import statements may <c>return</c> a value, which
/// becomes the output in place of stdout (dsl.md, Creating a Custom Function). Folder, environment, class and errors are those of <see cref="ShellFunction"/>.
/// </summary>
internal sealed partial class ScriptFunction(ProcessTask process, HttpSender sender) : ConnectorFunction
{
    private const int NodeVersionMin = 20;
    private const string ResultFile = "millrace-result.json";

    // Known good once per instance: a newer interpreter does not become an older one while the server runs.
    private volatile bool _nodeChecked;

    public override FunctionDescriptor Descriptor { get; } = new("script", "", Capability.Irreversible, Idempotency.Once, Lane.Sandbox)
    {
        Summary = "Runs a script in JavaScript or Python.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["language"],
              "additionalProperties": false,
              "properties": {
                "language": {"enum": ["js", "python"]},
                "code": {"type": "string"},
                "source": {"type": "object", "required": ["endpoint"]},
                "stdin": {},
                "arguments": {"type": ["array", "object"]},
                "environment": {"type": "object"},
                "return": {"enum": ["stdout", "stderr", "code", "all", "none"]},
                "input": {}
              },
              "oneOf": [{"required": ["code"]}, {"required": ["source"]}]
            }
            """),
    };

    protected override async ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        process.Permit();
        var language = arguments.Choice("language", "", "js", "python");
        var code = await CodeAsync(context, arguments, cancel);
        var variables = arguments["arguments"].ObjectOrNull;
        IReadOnlyList<string> argv = variables is null ? arguments.TextsOrEmpty("arguments") : [];
        if (language == "js") await CheckNodeAsync(context, cancel);
        var (program, files, entry) = language == "js" ? JavaScript(code, variables) : Python(code, variables);
        var start = process.Start(context, arguments, program, [entry, .. argv]) with { Files = files, ResultFile = ResultFile };
        var end = await process.RunAsync(start, context, cancel);
        var output = ProcessTask.OutputOf(end, arguments);
        return end.Result is { } result && arguments.Choice("return", "stdout", "stdout", "stderr", "code", "all", "none") == "stdout"
            ? JsonText.Parse(result.Span) : output;
    }

    private async Task<string> CodeAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        if (arguments.TextOrNull("code") is { } code) return code;
        var redaction = new Redaction();
        var (address, policy) = ExternalResource.Locate(arguments.MemberOrNull("source") ?? throw arguments.Missing("code"), arguments.Input, context, redaction, sender.ReadsFiles);
        var answer = await ExternalResource.FetchAsync(address, policy, sender, context, redaction, cancel);
        return Encoding.UTF8.GetString(answer.Content.Span);
    }

    private async Task CheckNodeAsync(FunctionContext context, CancellationToken cancel)
    {
        if (_nodeChecked) return;
        var end = await process.RunAsync(process.Start(context, new Arguments(Json.EmptyObject), "node", ["--version"]) with { Output = null }, context, cancel);
        var version = end.Stdout.Trim();
        if (!int.TryParse(version.TrimStart('v').Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major) || major < NodeVersionMin)
            throw Refusal.Configuration("Program not found", $"Scripts in js need Node.js {NodeVersionMin} or later on PATH; found {(version.Length is 0 or > 32 ? "none that works" : version)}.");
        _nodeChecked = true;
    }

    private static (string Program, Dictionary<string, ReadOnlyMemory<byte>> Files, string Entry) JavaScript(string code, JsonObject? variables)
    {
        if (variables is null) return ("node", Files(("script.mjs", code)), "script.mjs");
        foreach (var (name, _) in variables)
            if (!JavaScriptName().IsMatch(name)) throw NoVariable(name);
        var names = string.Join(", ", variables.Select(v => v.Key));
        var read = "JSON.parse((await import('node:fs')).readFileSync(new URL('./arguments.json', import.meta.url), 'utf8'))";
        // The code starts on the first line in both forms, so that errors name the author's own lines.
        if (ImportStatement().IsMatch(code))
            return ("node", Files(("script.mjs", $"const {{ {names} }} = {read}; {code}"), ("arguments.json", Json.Of(variables).ToString())), "script.mjs");
        var main = $"""
            import script from './script.mjs';
            const result = await script({read});
            if (result !== undefined) (await import('node:fs')).writeFileSync(new URL('./{ResultFile}', import.meta.url), JSON.stringify(result) ?? 'null');
            """;
        return ("node", Files(("script.mjs", $"export default async function ({{ {names} }}) {{ {code}\n}}"), ("main.mjs", main), ("arguments.json", Json.Of(variables).ToString())), "main.mjs");
    }

    private static (string Program, Dictionary<string, ReadOnlyMemory<byte>> Files, string Entry) Python(string code, JsonObject? variables)
    {
        if (variables is null) return ("python3", Files(("script.py", code)), "script.py");
        foreach (var (name, _) in variables)
            if (!PythonName().IsMatch(name)) throw NoVariable(name);
        const string Main = """
            import json, os, runpy
            here = os.path.dirname(os.path.abspath(__file__))
            with open(os.path.join(here, 'arguments.json'), encoding='utf-8') as file: variables = json.load(file)
            runpy.run_path(os.path.join(here, 'script.py'), init_globals=variables, run_name='__main__')
            """;
        return ("python3", Files(("script.py", code), ("main.py", Main), ("arguments.json", Json.Of(variables).ToString())), "main.py");
    }

    private static Dictionary<string, ReadOnlyMemory<byte>> Files(params ReadOnlySpan<(string Name, string Text)> files)
    {
        var content = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (var (name, text) in files) content[name] = Encoding.UTF8.GetBytes(text);
        return content;
    }

    private static Refusal NoVariable(string name) =>
        Refusal.Configuration("Argument invalid", $"The argument /arguments/{name} cannot be a variable of the script: its name has to be an identifier.");

    [GeneratedRegex(@"^[\p{L}_$][\p{L}\p{Nd}_$]*$", RegexOptions.CultureInvariant)]
    private static partial Regex JavaScriptName();

    [GeneratedRegex(@"^[\p{L}_][\p{L}\p{Nd}_]*$", RegexOptions.CultureInvariant)]
    private static partial Regex PythonName();

    [GeneratedRegex(@"^\s*import\b(?!\s*[(.])", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex ImportStatement();
}
