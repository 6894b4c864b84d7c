namespace Millrace.Workflows.Graph;

/// <summary>
/// A task that extensions stand around (docs/decisions/0025-extensions.md). The node with this body has the task's name, condition and directive;
/// <paramref name="Task"/> has all the rest: its data flow, its timeout and what it does.
/// </summary>
/// <param name="Layers">In the order of the document: the first stands outermost.</param>
public sealed record ExtendedBody(Node Task, IReadOnlyList<ExtensionLayer> Layers) : TaskBody;

/// <summary>One extension, compiled for one of the tasks it extends.</summary>
/// <param name="When">Whether it applies; without it, always.</param>
public sealed record ExtensionLayer(string Name, Expression? When, Scope? Before, Scope? After);
