using Millrace.Jq;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Forks;

/// <summary>
/// Puts the tasks of another version in the place of the source's, step by step: each task that was begun up to the cut must be there under the
/// same reference and of the same kind. What comes after may differ.
/// </summary>
internal sealed class ForkGraph(Workflow from, Workflow to)
{
    private readonly Dictionary<int, Node> _steps = [];

    public bool IsSame => from.Hash == to.Hash;

    /// <summary>The records with the other version's numbers for their tasks.</summary>
    /// <exception cref="ForkRefusedException">The other version lacks one of the tasks, or has another one in its place.</exception>
    public SourceRecord Translate(SourceRecord record)
    {
        if (IsSame) return record;
        var entries = record.Json.AsArray();
        var changed = new List<Json>(entries.Count);
        for (var i = 0; i < entries.Count; i++) changed.Add(Translate(entries[i], record.Entries[i]));
        var json = (Json)JsonArray.Of(changed);
        var bytes = JsonText.ToUtf8(json);
        return record with { Json = json, Bytes = bytes, Entries = SourceReader.EntriesOf(json) };
    }

    private Json Translate(Json json, Entry entry)
    {
        if (ForkCut.Begun(entry) is not { } begun) return json;
        var node = Counterpart(from.Nodes[begun.Node], begun.Scope);
        if (entry is Entry.StepStarted) _steps[begun.Step] = node;
        return json.AsObject().With("node", node.Index);
    }

    private Node Counterpart(Node old, int scope)
    {
        var among = scope == 0 ? to.Do.Nodes : _steps.TryGetValue(scope, out var parent) ? Inside(parent) : [];
        // A task that no extension applied to was begun without what stands around it.
        var alike = among.Concat(among.Select(n => n.Body).OfType<ExtendedBody>().Select(b => b.Task)).Where(n => n.Reference == old.Reference).ToList();
        var found = alike.Find(n => n.Body.GetType() == old.Body.GetType()) ?? alike.FirstOrDefault();
        if (found is null)
            throw Refused(old, $"Version {to.Id.Version} has no task {old.Reference}, which the run began before the place of the fork.");
        if (found.Body.Keyword != old.Body.Keyword || found.Body.GetType() != old.Body.GetType())
            throw Refused(old, $"In version {to.Id.Version} the task {old.Reference} is of the kind '{found.Body.Keyword}'; the run began it as '{old.Body.Keyword}'.");
        return found;
    }

    private static IEnumerable<Node> Inside(Node node) => node.Body switch
    {
        DoBody body => body.Tasks.Nodes,
        ForBody body => body.Tasks.Nodes,
        TryBody body => body.Catch.Do is { } handler ? body.Tasks.Nodes.Concat(handler.Nodes) : body.Tasks.Nodes,
        ForkBody body => body.Branches,
        InvokeBody body => [body.Target],
        ExtendedBody body => body.Layers.SelectMany(l => (l.Before?.Nodes ?? []).Concat(l.After?.Nodes ?? [])).Append(body.Task),
        _ => [],
    };

    private static ForkRefusedException Refused(Node old, string detail) =>
        new(new ForkRefusal("run.fork_definition_differs", detail, "/definition/version", old.Reference));
}
