using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

public enum Severity { Error, Warning }

/// <summary>One finding in a document. Line and column count from 1.</summary>
/// <param name="Code">Stable, for example <c>workflow.unknown_property</c>; <c>workflow.unsupported</c> marks what is valid but not executable yet.</param>
/// <param name="Pointer">JSON pointer into the document.</param>
/// <param name="Expected">What would have been right, where that can be said.</param>
public sealed record Diagnostic(Severity Severity, string Code, string Message, int Line, int Column, string Pointer, string? Expected = null);

/// <summary>The workflow is there when no finding is an error.</summary>
public sealed record LoadResult(Workflow? Workflow, IReadOnlyList<Diagnostic> Diagnostics);

/// <summary>Loads Open Workflow documents, DSL 1.0.x, YAML or JSON.</summary>
public static class WorkflowLoader
{
    /// <summary>Bytes of source text that are read at most.</summary>
    public const int SourceBytesMax = 1 << 20;

    public static LoadResult Load(string source) => throw new NotSupportedException(source);
}
