using System.Security.Cryptography;
using System.Text;
using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>Compiles a whole document: the workflow itself, and its reusable components for their errors.</summary>
internal static class WorkflowCompiler
{
    public static Workflow Compile(Compilation of, string source)
    {
        var root = of.Root;
        CheckVersion(of, root["document"]["dsl"]);
        if (root["evaluate"]["language"].Text is { } language && language != "jq")
            of.Unsupported(root["evaluate"]["language"], $"The expression language '{TextShape.Shorten(language)}'");
        var document = root["document"];
        var tasks = TaskCompiler.Scope(of, root["do"], Variables.Standard);
        CheckReusable(of, root["use"]);
        var input = of.Schema(root["input"]);
        return new()
        {
            Id = new(document["namespace"].Text ?? "", document["name"].Text ?? "", document["version"].Text ?? ""),
            Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source))),
            Title = document["title"].Text,
            Summary = document["summary"].Text,
            Tags = document["tags"].Value,
            Metadata = document["metadata"].Value,
            Definition = root.Value,
            Do = tasks,
            Nodes = [.. of.Nodes.Select(n => n!)],
            Trigger = Listening.Trigger(of, root["schedule"]),
            Listens = of.Nodes.Exists(n => n!.Body is ListenBody or ApproveBody),
            InputSchema = input,
            Schedule = ScheduleCompiler.Compile(of, root["schedule"], document["metadata"]["schedule"], input),
            Flow = FlowCompiler.Compile(of, document["metadata"]["flow"], $"{document["namespace"].Text}/{document["name"].Text}"),
            Retention = RetentionCompiler.Compile(of, document["metadata"]["retention"]),
            DeadLetters = RetentionCompiler.DeadLetters(of, document["metadata"]["deadLetter"]),
            InputFrom = of.FilterOrObject(root["input"]["from"], Variables.Standard, Place.WorkflowInput),
            OutputSchema = of.Schema(root["output"]),
            OutputAs = of.FilterOrObject(root["output"]["as"], Variables.Standard, Place.WorkflowOutput),
            Timeout = TaskCompiler.Timeout(of, root["timeout"], Variables.Standard),
            Secrets = [.. of.Secrets],
        };
    }

    private static void CheckVersion(Compilation of, Cursor dsl)
    {
        if (dsl.Text is { } version && !of.Findings.IsWrong(dsl.Pointer) && !version.StartsWith("1.0.", StringComparison.Ordinal))
            of.Findings.AtValue(Findings.Unsupported, dsl.Pointer, $"Version {version} of the language is not known here.", "1.0.x");
    }

    /// <summary>Components are compiled where they are used; here come those that may never be, and what can be said of all.</summary>
    private static void CheckReusable(Compilation of, Cursor use)
    {
        foreach (var (_, policy) in use["authentications"].Members)
        {
            Authentications.Check(of, policy);
            of.Template(policy, Variables.Standard, Place.Definition);
        }
        foreach (var (_, error) in use["errors"].Members) of.Template(error, Variables.Standard, Place.Kept);
        foreach (var (_, catalog) in use["catalogs"].Members)
        {
            CallCompiler.Arguments(of, catalog, Variables.Standard);
            Imports.Endpoint(of, catalog["endpoint"]);
        }
        of.Aside(() =>
        {
            ExtensionCompiler.Layers(of, [.. use["extensions"].Named]);
            foreach (var (name, function) in use["functions"].Members)
            {
                of.Functions.Push(name);
                TaskCompiler.Single(of, name, function, Variables.Standard);
                of.Functions.Pop();
            }
        });
    }
}
