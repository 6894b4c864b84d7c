using Millrace.Storage;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Limits;

/// <summary>A limit for one of its keys: what runs stand in line at.</summary>
public readonly record struct LimitLine(Tenant Tenant, string Name, string Key);

/// <summary>Whether a run has what it stands for.</summary>
public enum Held : byte
{
    Waits = 0,
    Has = 1,

    /// <summary>It is being cancelled and never had it.</summary>
    Refused = 2,

    /// <summary>It has it, and is being cancelled for another.</summary>
    Ending = 3,
}

/// <summary>What a run holds of one limit, or stands in line for.</summary>
/// <param name="FirstAt">When the first of the starts came that it took the place of, itself among them.</param>
public sealed record LimitPlace(
    LimitLine Line, Guid Run, NeedKind Kind, Held Held, int Most, OnLimit OnLimit, bool UntilEnd, string Group, long Turn, int Priority, long Since, long FirstAt,
    long Micros, long MicrosMax)
{
    public bool IsHeld => Held is Held.Has or Held.Ending;

    /// <summary>When a run whose start is to be followed by a quiet time may begin, if no other start comes.</summary>
    public long QuietAt => Math.Min(Since + Micros, FirstAt + MicrosMax);
}

/// <summary>One line as people see it.</summary>
/// <param name="Limit">The most that any of its runs allows, or what the workspace has set.</param>
/// <param name="OldestSince">Since when the first of those that wait has waited, Unix microseconds.</param>
public sealed record LimitView(string Name, string Key, NeedKind Kind, int Limit, bool IsSetting, long Held, long Queued, long? OldestSince);

/// <summary>What a workspace has said of its runs as a whole.</summary>
/// <param name="Weight">Its share, 1 to 100, of what workspaces share.</param>
/// <param name="Most">Runs at work at once; null: as many as there are.</param>
public sealed record WorkspaceLimits(int Weight, int? Most)
{
    public const int WeightMax = 100, MostMax = 1_000_000;

    /// <summary>The name of the line that all runs of a workspace stand in when it has a limit.</summary>
    public const string Line = "workspace";

    public static readonly WorkspaceLimits None = new(1, null);
}
