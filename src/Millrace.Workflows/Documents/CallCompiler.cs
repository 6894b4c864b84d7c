using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>Compiles calls of functions, and emit, which is one.</summary>
internal static class CallCompiler
{
    public static TaskBody Call(Compilation of, Cursor task, IReadOnlyList<string> names)
    {
        var function = task["call"].Text ?? "";
        var with = task["with"];
        return function switch
        {
            "http" or "openapi" => Protocol(of, function, with, names),
            "asyncapi" => AsyncApi(of, task, names),
            ChildrenBody.Map when !IsOverridden(of) => SpawnCompiler.Map(of, task, names),
            ChildrenBody.Swarm when !IsOverridden(of) => SpawnCompiler.Swarm(of, task, names),
            ContinueBody.Function when !IsOverridden(of) => ContinueCompiler.Compile(of, task, names),
            ApproveBody.Function when !IsOverridden(of) => ApproveCompiler.Compile(of, task, names),
            "grpc" or "a2a" or "mcp" => Unsupported(of, task["call"], $"A call of {function}", function, Arguments(of, with, names)),
            _ when function.Contains("://", StringComparison.Ordinal) => Located(of, task, function, names),
            _ when function.Contains('@') || function.Contains(':') => Catalogued(of, task, function, names),
            _ => Custom(of, task, function, names),
        };
    }

    public static CallBody Emit(Compilation of, Cursor emit, IReadOnlyList<string> names) =>
        new("emit", of.Template(emit["event"]["with"], names, Place.Kept)) { Keyword = "emit" };

    /// <summary>Compiles arguments that may hold authentications and URI templates.</summary>
    public static Template Arguments(Compilation of, Cursor arguments, IReadOnlyList<string> names)
    {
        var (resolved, moved) = Authentications.Resolve(of, arguments);
        if (UriTemplates.Any(resolved)) resolved = resolved with { Value = resolved.Value.AsObject().With("input", "${ . }") };
        return of.Template(resolved, names, Place.Definition, moved);
    }

    private static CallBody Protocol(Compilation of, string function, Cursor with, IReadOnlyList<string> names) =>
        new(function, Arguments(of, with, names)) { Keyword = "call", Authorization = Authentications.PolicyOf(of, with, names) };

    private static CallBody Unsupported(Compilation of, Cursor at, string what, string function, Template arguments)
    {
        of.Findings.AtValue(Findings.Unsupported, at.Pointer, $"{what} is part of the language and not executable in this version.");
        return new CallBody(function, arguments) { Keyword = "call" };
    }

    private static Template Plain(Compilation of, Cursor with, IReadOnlyList<string> names) =>
        with.IsAbsent ? Template.Of(Json.EmptyObject) : of.Template(with, names, Place.Definition);

    /// <summary>The subscription holds expressions and tasks that stand for what is consumed, so it is no part of the arguments.</summary>
    private static CallBody AsyncApi(Compilation of, Cursor task, IReadOnlyList<string> names)
    {
        var with = task["with"];
        Listening.Subscription(of, with["subscription"], names);
        var rest = with.Value.ObjectOrNull is { } members ? with with { Value = members.Without("subscription") } : with;
        return Unsupported(of, task["call"], "A call of asyncapi", "asyncapi", Arguments(of, rest, names));
    }

    /// <summary>The document's own catalog of that name takes the place of the runtime's.</summary>
    private static bool IsOverridden(Compilation of) => of.Root["use"]["catalogs"]["default"].Is(JsonKind.Object);

    private static TaskBody Located(Compilation of, Cursor task, string url, IReadOnlyList<string> names)
    {
        if (Imports.Endpoint(of, task["call"]) is null) return new CallBody(url, Plain(of, task["with"], names)) { Keyword = "call" };
        return Imported(of, task, url[(url.TrimEnd('/').LastIndexOf('/') + 1)..], CatalogAddress.Of(url), Json.Null, names);
    }

    private static TaskBody Imported(Compilation of, Cursor task, string name, string address, Json authentication, IReadOnlyList<string> names)
    {
        var arguments = task["with"].IsAbsent ? null : of.Template(task["with"], names, Place.Kept);
        var target = ImportCompiler.Function(of, task["call"], name, address, authentication);
        return target is null ? new CallBody(name, arguments ?? Template.Of(Json.EmptyObject)) { Keyword = "call" } : new InvokeBody(arguments, target) { Keyword = "call", IsImported = true };
    }

    private static TaskBody Catalogued(Compilation of, Cursor task, string function, IReadOnlyList<string> names)
    {
        var call = task["call"];
        var arguments = Plain(of, task["with"], names);
        var at = function.IndexOf('@', StringComparison.Ordinal);
        var colon = function.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || at < colon || at == function.Length - 1 || !Dsl.SemanticVersion().IsMatch(function[(colon + 1)..at]))
        {
            of.Findings.AtValue("workflow.bad_value", call.Pointer, $"'{TextShape.Shorten(function)}' is no name of a function.", "name:version@catalog, such as log:1.0.0@default");
            return new CallBody(function, arguments) { Keyword = "call" };
        }
        var catalog = function[(at + 1)..];
        var catalogs = of.Root["use"]["catalogs"];
        if (catalogs[catalog].Is(JsonKind.Object))
        {
            return Imports.Endpoint(of, catalogs[catalog]["endpoint"]) is var (root, authentication)
                ? Imported(of, task, function[..colon], CatalogAddress.Of(root, function[..colon], function[(colon + 1)..at]), authentication, names)
                : new CallBody(function, arguments) { Keyword = "call" };
        }
        if (catalog != "default")
            of.Findings.AtValue("workflow.unknown_reference", call.Pointer, $"No catalog '{TextShape.Shorten(catalog)}' is defined under use.catalogs{of.Findings.Hint(catalog, [.. catalogs.Members.Select(c => c.Key), "default"])}", "default, or a catalog under use.catalogs");
        return new CallBody(function, arguments) { Keyword = "call" };
    }

    private static TaskBody Custom(Compilation of, Cursor task, string function, IReadOnlyList<string> names)
    {
        var call = task["call"];
        var functions = of.Root["use"]["functions"];
        // They become the input of the function's task, which is kept.
        var arguments = task["with"].IsAbsent ? null : of.Template(task["with"], names, Place.Kept);
        if (functions.Value.ObjectOrNull is not { } all || !all.Has(function))
        {
            var known = functions.Members.Select(f => f.Key).Concat(DslTasks.Functions);
            if (function.Length > 0)
                of.Findings.AtValue("workflow.unknown_reference", call.Pointer, $"No function '{TextShape.Shorten(function)}' is defined under use.functions{of.Findings.Hint(function, known)}",
                    $"one of {string.Join(", ", known.Take(20))}, or name:version@catalog");
        }
        else if (of.Functions.Contains(function))
        {
            of.Findings.AtValue("workflow.recursion", call.Pointer, $"The function '{function}' calls itself: {string.Join(" > ", of.Functions.Reverse())} > {function}.");
        }
        else
        {
            of.Functions.Push(function);
            var target = TaskCompiler.Single(of, function, functions[function], Variables.Standard);
            of.Functions.Pop();
            return new InvokeBody(arguments, target) { Keyword = "call" };
        }
        return new CallBody(function, arguments ?? Template.Of(Json.EmptyObject)) { Keyword = "call" };
    }
}

/// <summary>Finds the places of a call's arguments where <c>{name}</c> stands for a member of the input (dsl-reference.md, URI Template).</summary>
internal static class UriTemplates
{
    public static bool Any(Cursor arguments)
    {
        if (!arguments.Is(JsonKind.Object)) return false;
        return InEndpoint(arguments["endpoint"].Value) || InEndpoint(arguments["document"]["endpoint"].Value) || InEndpoint(arguments["source"]["endpoint"].Value)
            || InPolicy(arguments["authentication"].Value);
    }

    private static bool InEndpoint(Json endpoint) => InText(endpoint) || InText(endpoint["uri"]) || InPolicy(endpoint["authentication"]);

    private static bool InPolicy(Json policy) => InAuthority(policy["oauth2"]) || InAuthority(policy["oidc"]);

    private static bool InAuthority(Json parameters) =>
        InText(parameters["authority"]) || (parameters["endpoints"].ObjectOrNull?.Any(e => InText(e.Value)) ?? false);

    /// <summary>True for a brace that is not of an expression; what an expression gives is not read as a template.</summary>
    private static bool InText(Json value)
    {
        if (value.StringOrNull is not { } text) return false;
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '{') return true;
            if (text[at] != '$' || at + 1 >= text.Length || text[at + 1] != '{') continue;
            var end = Template.ClosingBrace(text, at + 2);
            if (end < 0) return false;
            at = end;
        }
        return false;
    }
}
