namespace Millrace.Workflows.Kernel;

/// <summary>A fact about what is undone before a run ends (<see cref="Compensations"/>).</summary>
public abstract record CompensationEntry : Entry
{
    /// <summary>Nothing else is under way; the run ends when what was done is undone.</summary>
    /// <param name="Error">What it ends with; null when it was cancelled.</param>
    public sealed record Begun(WorkflowError? Error, string? Reason) : CompensationEntry;

    /// <summary>A step begins that undoes another one.</summary>
    /// <param name="For">The step that had completed.</param>
    public sealed record Started(int Step, int Node, int For) : CompensationEntry;
}
