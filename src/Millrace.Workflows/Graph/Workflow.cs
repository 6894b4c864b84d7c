using System.Collections.Concurrent;
using System.Globalization;
using Millrace.Jq;
using Millrace.Workflows.Limits;
using Millrace.Workflows.Schedules;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Graph;

/// <summary>
/// One compiled version of a definition: immutable, shared by all its runs. Nodes are numbered in document order, so an
/// index names the same task for as long as the source text stays the same.
/// </summary>
public sealed class Workflow
{
    public required WorkflowId Id { get; init; }

    /// <summary>SHA-256 of the source text, in lower-case hexadecimal; what a run is pinned to.</summary>
    public required string Hash { get; init; }

    public string? Title { get; init; }
    public string? Summary { get; init; }
    public Json Tags { get; init; }
    public Json Metadata { get; init; }

    /// <summary>The parsed document: <c>$workflow.definition</c>.</summary>
    public required Json Definition { get; init; }

    public required Scope Do { get; init; }

    /// <summary>Every node of the graph; <c>Nodes[i].Index == i</c>.</summary>
    public required IReadOnlyList<Node> Nodes { get; init; }

    /// <summary>The events that start runs of it; null when none do.</summary>
    public EventTrigger? Trigger { get; init; }

    /// <summary>Some task listens for events, or for a decision of people.</summary>
    public bool Listens { get; init; }

    public JsonSchema? InputSchema { get; init; }
    public Template? InputFrom { get; init; }
    public JsonSchema? OutputSchema { get; init; }
    public Template? OutputAs { get; init; }

    /// <summary>Evaluates to a duration (see <see cref="Duration"/>).</summary>
    public Template? Timeout { get; init; }

    /// <summary>When its runs begin by themselves.</summary>
    public WorkflowSchedule? Schedule { get; init; }

    /// <summary>When its runs may begin, and how many at once.</summary>
    public FlowControl? Flow { get; init; }

    /// <summary>For how long its runs are kept.</summary>
    public RunRetention? Retention { get; init; }

    /// <summary>Runs of it that fault are put aside, for somebody to look at.</summary>
    public bool DeadLetters { get; init; }

    /// <summary>Names listed under <c>use.secrets</c>.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>
    /// What runs with this hash carry out: all of it, or, where the number of a task stands behind a <c>#</c>, the tasks of a map that begin there
    /// (<see cref="MapBody.Tasks"/>). Null when it is the hash of neither.
    /// </summary>
    public Workflow? ForRun(string hash)
    {
        if (hash == Hash) return this;
        if (!hash.StartsWith(Hash + "#", StringComparison.Ordinal) || !int.TryParse(hash.AsSpan(Hash.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var entry)) return null;
        return _entries.GetOrAdd(entry, At);
    }

    /// <summary>The text that a run's hash names: several runs carry out parts of one text.</summary>
    public static string TextOf(string hash) => hash.IndexOf('#', StringComparison.Ordinal) is > 0 and var at ? hash[..at] : hash;

    private readonly ConcurrentDictionary<int, Workflow?> _entries = new();

    private Workflow? At(int entry)
    {
        var tasks = Nodes.Select(n => (n.Body as MapBody)?.Tasks).FirstOrDefault(t => t is not null && t.Nodes[0].Index == entry);
        return tasks is null ? null : new()
        {
            Id = Id,
            Hash = $"{Hash}#{entry.ToString(CultureInfo.InvariantCulture)}",
            Title = Title,
            Definition = Definition,
            Do = tasks,
            Nodes = Nodes,
            Listens = Listens,
            Secrets = Secrets,
        };
    }
}

/// <summary>namespace/name at a semantic version.</summary>
public sealed record WorkflowId(string Namespace, string Name, string Version)
{
    public override string ToString() => $"{Namespace}/{Name}:{Version}";
}

/// <summary>A list of tasks that flow directives may move about in (dsl.md, Task Flow).</summary>
public sealed class Scope
{
    public required IReadOnlyList<Node> Nodes { get; init; }
}

public enum FlowKind : byte { Continue, Exit, End, Goto }

/// <summary>A resolved flow directive; <paramref name="Position"/> is the place in the own scope for <see cref="FlowKind.Goto"/>.</summary>
public readonly record struct Flow(FlowKind Kind, int Position = -1)
{
    public static Flow Continue => default;
}

/// <summary>One task of the definition, with its data flow compiled. Everything that may be null is absent in the document.</summary>
public sealed class Node
{
    public required int Index { get; init; }
    public required string Name { get; init; }

    /// <summary>JSON pointer of the task in the document, for example <c>/do/0/getPet</c>.</summary>
    public required string Reference { get; init; }

    /// <summary>Line of the task's name in the source text, from 1.</summary>
    public int Line { get; init; }

    /// <summary>Place in the own scope; 0 for a fork's branch and for a function's task.</summary>
    public required int Position { get; init; }

    /// <summary>The task as written: <c>$task.definition</c>.</summary>
    public required Json Definition { get; init; }

    public required TaskBody Body { get; init; }

    public Expression? If { get; init; }
    public JsonSchema? InputSchema { get; init; }
    public Template? InputFrom { get; init; }
    public JsonSchema? OutputSchema { get; init; }
    public Template? OutputAs { get; init; }
    public JsonSchema? ExportSchema { get; init; }
    public Template? ExportAs { get; init; }

    /// <summary>Evaluates to a duration (see <see cref="Duration"/>).</summary>
    public Template? Timeout { get; init; }

    public Flow Then { get; init; }

    /// <summary>A list of tasks that undoes what the task did (<c>metadata.compensate</c>).</summary>
    public Node? Compensate { get; init; }
}
