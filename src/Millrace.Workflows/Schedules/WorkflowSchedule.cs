using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Schedules;

/// <summary>What becomes of a tick while the run that the schedule started last is still under way.</summary>
public enum Overlap : byte { Allow, Skip, BufferOne, CancelOther }

/// <summary>Which of the ticks that passed while nobody could start a run are made up for.</summary>
public enum CatchUp : byte { All, Latest, None }

/// <summary>
/// When runs of a definition begin by themselves: the document's <c>schedule</c>, and the policy under <c>document.metadata.schedule</c>.
/// Exactly one of <see cref="Every"/>, <see cref="Cron"/> and <see cref="After"/> is set.
/// </summary>
public sealed record WorkflowSchedule
{
    public static readonly TimeSpan DefaultWindow = TimeSpan.FromDays(1);

    public TimeSpan? Every { get; init; }
    public string? Cron { get; init; }

    /// <summary>How long after the end of the run it started last.</summary>
    public TimeSpan? After { get; init; }

    /// <summary>An IANA time zone; what a cron expression is read in.</summary>
    public string TimeZone { get; init; } = "UTC";

    public Overlap Overlap { get; init; }
    public CatchUp CatchUp { get; init; } = CatchUp.Latest;

    /// <summary>For how long a tick that was missed is made up for.</summary>
    public TimeSpan Window { get; init; } = DefaultWindow;

    /// <summary>A run begins up to so much later than its tick, always as much for the same tick.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>What its runs are started on.</summary>
    public Json Input { get; init; } = Json.EmptyObject;

    /// <summary>Its runs are under limits, which is said beside the two parts where the schedule is kept.</summary>
    public bool IsLimited { get; private init; }

    /// <summary>Both parts as the document has them; <see cref="Of(Json)"/> reads it.</summary>
    public required Json Source { get; init; }

    /// <summary>Whether the end of a run matters to what comes next.</summary>
    public bool TracksRuns => After is not null || Overlap != Overlap.Allow;

    /// <summary>Whether the other has the same ticks, so that none is lost when one takes the place of the other.</summary>
    public bool HasTicksOf(WorkflowSchedule other) =>
        (Every, Cron, After, TimeZone, Jitter) == (other.Every, other.Cron, other.After, other.TimeZone, other.Jitter);

    public static WorkflowSchedule Of(Json source) => Of(source["schedule"], source["policy"]).Under(source["limited"].IsTruthy);

    /// <summary>The same, as of a definition with limits or without.</summary>
    public WorkflowSchedule Under(bool limits) => limits
        ? this with { IsLimited = true, Source = (Json)Source.AsObject().With("limited", true) }
        : this;

    /// <param name="schedule">The document's <c>schedule</c>, which was checked.</param>
    /// <param name="policy">Its <c>document.metadata.schedule</c>, or null.</param>
    public static WorkflowSchedule Of(Json schedule, Json policy) => new()
    {
        Every = Time(schedule["every"]),
        Cron = schedule["cron"].StringOrNull,
        After = Time(schedule["after"]),
        TimeZone = policy["timeZone"].StringOrNull ?? "UTC",
        Overlap = policy["overlap"].StringOrNull switch
        {
            "skip" => Overlap.Skip,
            "bufferOne" => Overlap.BufferOne,
            "cancelOther" => Overlap.CancelOther,
            _ => Overlap.Allow,
        },
        CatchUp = policy["catchUp"]["mode"].StringOrNull switch
        {
            "all" => CatchUp.All,
            "none" => CatchUp.None,
            _ => CatchUp.Latest,
        },
        Window = Time(policy["catchUp"]["window"]) ?? DefaultWindow,
        Jitter = Time(policy["jitter"]) ?? TimeSpan.Zero,
        Input = policy.ObjectOrNull is { } members && members.TryGet("input", out var input) ? input : Json.EmptyObject,
        Source = Json.Object("schedule", schedule, "policy", policy),
    };

    private static TimeSpan? Time(Json value) => !value.IsNull && Duration.TryParse(value, out var duration, out _) ? duration : null;
}
