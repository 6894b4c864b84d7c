using Millrace.Workflows.Documents.DataFlow;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

public enum Severity { Error, Warning }

/// <summary>One finding in a document. Line and column count from 1.</summary>
/// <param name="Code">Stable, for example <c>workflow.unknown_property</c>; <c>workflow.unsupported</c> marks what is valid but not executable yet.</param>
/// <param name="Pointer">JSON pointer into the document.</param>
/// <param name="Expected">What would have been right, where that can be said.</param>
public sealed record Diagnostic(Severity Severity, string Code, string Message, int Line, int Column, string Pointer, string? Expected = null);

/// <summary>The workflow is there when no finding is an error, or all errors are <c>workflow.unsupported</c>: then it can be shown and not run.</summary>
/// <param name="Diagnostics">In the order of the text, at most 100.</param>
public sealed record LoadResult(Workflow? Workflow, IReadOnlyList<Diagnostic> Diagnostics)
{
    /// <summary>What the document takes from elsewhere and was not given: fetch it, and load again with it.</summary>
    public IReadOnlyList<ImportNeed> Missing { get; init; } = [];

    /// <summary>True when the workflow can run: no finding is an error.</summary>
    public bool IsExecutable => Workflow is not null && Diagnostics.All(d => d.Severity != Severity.Error);
}

/// <summary>Loads Open Workflow documents, DSL 1.0.x, YAML or JSON.</summary>
public static class WorkflowLoader
{
    /// <summary>Bytes of source text that are read at most.</summary>
    public const int SourceBytesMax = 1 << 20;

    /// <summary>
    /// Reads, validates and compiles a document. All findings are given at once, except where the text cannot be read at
    /// all (codes <c>yaml.*</c>): then there is one. Never throws for what stands in the source.
    /// </summary>
    /// <param name="known">What the document takes from elsewhere, by address.</param>
    public static LoadResult Load(string source, IReadOnlyDictionary<string, Imported>? known = null)
    {
        Findings? findings = null;
        var imports = new Imports(known);
        try
        {
            var (value, map) = DocumentReader.Read(source);
            findings = new Findings(map);
            Dsl.Workflow.Check(value, "", findings);
            var workflow = WorkflowCompiler.Compile(new Compilation(value, findings, imports), source);
            if (findings.Any) return new(null, findings.ToList()) { Missing = imports.Missing };
            FlowCheck.Run(workflow, findings);
            return new(workflow, findings.ToList()) { Missing = imports.Missing };
        }
        catch (UnreadableException e)
        {
            findings ??= new Findings(new SourceMap(source, new SourceNode(e.At, 0, default)));
            findings.Add(Severity.Error, e.Code, "", e.Message, e.At, e.Expected);
            return new(null, findings.ToList());
        }
    }
}
