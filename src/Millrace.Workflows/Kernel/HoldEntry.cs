namespace Millrace.Workflows.Kernel;

/// <summary>A run stands because its definition or its workspace does, whatever is wanted of the run itself.</summary>
public abstract record HoldEntry : Entry
{
    /// <summary>Nothing new begins; what is under way ends and is recorded.</summary>
    public sealed record Held(Guid Hold, string? Reason) : HoldEntry;

    public sealed record Released : HoldEntry;
}

/// <summary>Why a run stands though nobody has suspended it.</summary>
public sealed record RunHold(Guid Id, string? Reason);
