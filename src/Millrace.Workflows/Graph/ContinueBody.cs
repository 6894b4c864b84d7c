namespace Millrace.Workflows.Graph;

/// <summary>The run completes and another one of its definition begins in its place: <c>continue</c> of the default catalog (docs/decisions/0019-compensation.md).</summary>
/// <param name="Input">What the next run begins with; null: the task's input.</param>
/// <param name="Latest">It runs the latest version; otherwise the same one.</param>
public sealed record ContinueBody(Template? Input, bool Latest) : TaskBody
{
    public const string Function = "continue:1.0.0@default";
}
