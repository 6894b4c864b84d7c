using System.Text;
using Millrace.Engine.Journal;
using Millrace.Storage;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Platform.Definitions;

/// <summary>
/// Compiled workflows by hash, the most recently used ones kept. Texts never change under a hash, so nothing is ever
/// stale; workspaces are kept apart because a hash must not tell one workspace what another one has.
/// </summary>
public sealed class CompiledDefinitions
{
    public const int CountMax = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<(Guid, string), LinkedListNode<(Guid Workspace, Workflow Workflow)>> _found = [];
    private readonly LinkedList<(Guid Workspace, Workflow Workflow)> _recent = [];

    /// <returns>Null when the workspace has no such text.</returns>
    public async Task<Workflow?> FindAsync(Database database, Tenant tenant, string hash, CancellationToken cancel)
    {
        var text = Workflow.TextOf(hash);
        if (Cached(tenant, text) is { } cached) return cached.ForRun(hash);
        var (source, imports) = await database.ReadAsync(unit => (DefinitionStore.Source(unit, tenant, text), ImportStore.Of(unit, tenant, text)), cancel);
        return source is null ? null : Compile(tenant, text, source, imports).ForRun(hash);
    }

    /// <summary>The same inside a transaction at hand.</summary>
    public Workflow? Find(DbUnit unit, Tenant tenant, string hash)
    {
        var text = Workflow.TextOf(hash);
        if (Cached(tenant, text) is { } cached) return cached.ForRun(hash);
        return DefinitionStore.Source(unit, tenant, text) is { } source ? Compile(tenant, text, source, ImportStore.Of(unit, tenant, text)).ForRun(hash) : null;
    }

    public void Add(Tenant tenant, Workflow workflow)
    {
        lock (_gate)
        {
            if (_found.ContainsKey((tenant.Workspace, workflow.Hash))) return;
            _found[(tenant.Workspace, workflow.Hash)] = _recent.AddFirst((tenant.Workspace, workflow));
            if (_recent.Count <= CountMax) return;
            var oldest = _recent.Last!;
            _recent.RemoveLast();
            _found.Remove((oldest.Value.Workspace, oldest.Value.Workflow.Hash));
        }
    }

    private Workflow? Cached(Tenant tenant, string hash)
    {
        lock (_gate)
        {
            if (!_found.TryGetValue((tenant.Workspace, hash), out var entry)) return null;
            _recent.Remove(entry);
            _recent.AddFirst(entry);
            return entry.Value.Workflow;
        }
    }

    /// <exception cref="NewerBuildException">The stored text was valid for the build it was pushed to, and is not for this one.</exception>
    private Workflow Compile(Tenant tenant, string hash, byte[] source, IReadOnlyDictionary<string, Imported> imports)
    {
        var result = WorkflowLoader.Load(Encoding.UTF8.GetString(source), imports);
        var workflow = result.Workflow ?? throw new NewerBuildException(
            $"The definition {hash} was accepted by another build and is refused by this one: {result.Diagnostics.First(d => d.Severity == Severity.Error).Message}");
        Add(tenant, workflow);
        return workflow;
    }
}
