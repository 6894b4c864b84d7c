using Millrace.Engine.Functions;
using Millrace.Engine.Scheduling;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Platform.Definitions;

/// <summary>Checks a document, and keeps it as a version when it has no errors.</summary>
public sealed class PushDefinition(Database database, CompiledDefinitions compiled, FunctionRegistry functions, ImportedSource sources, ScheduleControl schedules, TimeProvider time)
{
    /// <summary>Changes nothing.</summary>
    public async Task<ValidationResult> ValidateAsync(Tenant tenant, string source, CancellationToken cancel)
    {
        var (workflow, findings, _) = await LoadAsync(tenant, source, cancel);
        if (workflow is null) return new ValidationResult(false, findings, null, []);
        var children = workflow.Nodes.SelectMany(n => n.Body is ChildrenBody many ? many.Children : n.Body is SpawnBody one ? [one] : []).Select(s => new DefinitionName(s.Namespace, s.Name, s.Version)).Distinct();
        return new ValidationResult(true, findings, new DefinitionName(workflow.Id.Namespace, workflow.Id.Name, workflow.Id.Version), [.. children]);
    }

    /// <returns>The version, and whether it is new.</returns>
    /// <exception cref="Problem">422 <c>definition.invalid</c>, or 409 <c>definition.version_exists</c> when the version has another text.</exception>
    public async Task<(DefinitionVersion Definition, bool Created)> PushAsync(Tenant tenant, string source, CancellationToken cancel = default)
    {
        var (workflow, findings, imports) = await LoadAsync(tenant, source, cancel);
        if (workflow is null) throw Invalid(findings);
        var version = NewVersion.Of(workflow, source, findings, imports, time.GetUtcNow());
        var (kept, created) = await database.WriteAsync(unit => version.Write(unit, tenant));
        if (kept.Hash != workflow.Hash)
            throw Problem.Conflict("definition.version_exists", "The version exists with another text.",
                $"{version.Name} exists with another text. A version never changes: raise document.version to push this one.");
        // Two at once may have read different texts: the one that was kept counts.
        if (created || imports.Count == 0) compiled.Add(tenant, workflow);
        if (created && workflow.Schedule is not null) schedules.Changed();
        return (kept, created);
    }

    private async Task<(Workflow? Workflow, IReadOnlyList<Diagnostic> Findings, IReadOnlyCollection<Imported> Imports)> LoadAsync(Tenant tenant, string source, CancellationToken cancel)
    {
        var (result, imports) = await sources.LoadAsync(tenant, source, cancel);
        if (result.Workflow is null) return (null, result.Diagnostics, []);
        var unknown = result.IsExecutable ? MissingFunctions(result.Workflow, source) : [];
        return unknown.Count == 0 && result.IsExecutable ? (result.Workflow, result.Diagnostics, imports) : (null, [.. unknown, .. result.Diagnostics], []);
    }

    /// <summary>No silent fallback: a function that nobody provides, or that lacks what it works with, is refused when the document is pushed, not when a run gets there.</summary>
    private List<Diagnostic> MissingFunctions(Workflow workflow, string source)
    {
        SourceLines? lines = null;
        var findings = new List<Diagnostic>();
        foreach (var node in workflow.Nodes)
        {
            if (node.Body is not CallBody call) continue;
            var found = functions.Find(call.Function);
            if (found is { Lacks: null }) continue;
            lines ??= SourceLines.Of(source);
            var pointer = $"{node.Reference}/{call.Keyword}";
            var (line, column) = lines.Find(pointer);
            findings.Add(found is null
                ? new Diagnostic(Severity.Error, "workflow.unknown_function", $"No function '{call.Function}' is provided here.", line, column, pointer,
                    $"one of {string.Join(", ", functions.All.Select(f => f.Reference))}")
                : new Diagnostic(Severity.Error, "workflow.missing_program", $"'{call.Function}' needs {found.Lacks} of the server, and that is not there.", line, column, pointer, found.Lacks));
        }
        return findings;
    }

    internal static ProblemError ErrorOf(Diagnostic finding) => new()
    {
        Severity = finding.Severity,
        Code = finding.Code,
        Message = finding.Message,
        Line = finding.Line,
        Column = finding.Column,
        Pointer = finding.Pointer,
        Expected = finding.Expected,
    };

    private static Problem Invalid(IReadOnlyList<Diagnostic> findings)
    {
        var errors = findings.Select(ErrorOf).ToList();
        return new Problem(422, "definition.invalid", "The definition has errors.", Problem.Summarise([.. errors.Where(e => e.Severity == Severity.Error)]), errors);
    }
}
