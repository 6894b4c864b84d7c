using Millrace.Jq;
using Millrace.Workflows.Documents;

namespace Millrace.Platform.Definitions;

/// <summary>What lists show of a version.</summary>
/// <param name="Hash">SHA-256 of the text, lower-case hexadecimal; what runs are pinned to.</param>
public sealed record DefinitionSummary(string Namespace, string Name, string Version, string? Title, string? Summary, string Hash, DateTimeOffset CreatedAt, Json? Tags);

/// <summary>One version of a definition.</summary>
/// <param name="Diagnostics">Warnings found when it was pushed.</param>
/// <param name="InputSchema">JSON Schema of the input, when the document has one.</param>
/// <param name="Secrets">Names the document lists under <c>use.secrets</c>.</param>
public sealed record DefinitionVersion(
    string Namespace, string Name, string Version, string? Title, string? Summary, string Hash, DateTimeOffset CreatedAt, Json? Tags,
    IReadOnlyList<Diagnostic> Diagnostics, Json? InputSchema, IReadOnlyList<string> Secrets);

/// <summary>A definition by name; the version may be <c>latest</c>.</summary>
public sealed record DefinitionName(string Namespace, string Name, string? Version)
{
    public override string ToString() => Version is null ? $"{Namespace}/{Name}" : $"{Namespace}/{Name}:{Version}";
}

/// <param name="Valid">True when the document could be pushed.</param>
/// <param name="Definition">What the document calls itself, when it is valid.</param>
/// <param name="Children">Definitions it starts as children (<c>run.workflow</c>), each once.</param>
public sealed record ValidationResult(bool Valid, IReadOnlyList<Diagnostic> Diagnostics, DefinitionName? Definition, IReadOnlyList<DefinitionName> Children);
