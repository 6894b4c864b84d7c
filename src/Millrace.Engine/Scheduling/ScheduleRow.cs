using System.Security.Cryptography;
using System.Text;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Schedules;

namespace Millrace.Engine.Scheduling;

/// <summary>A schedule as its row tells it: what the definition's latest version says, and how far it has come. Times are Unix microseconds, UTC.</summary>
public sealed record ScheduleRow
{
    public required Tenant Tenant { get; init; }
    public required Guid Id { get; init; }

    /// <summary>The version whose runs it starts.</summary>
    public required WorkflowId Definition { get; init; }

    public required string Hash { get; init; }
    public required WorkflowSchedule Schedule { get; init; }
    public bool Paused { get; init; }

    /// <summary>Where counting an interval begins.</summary>
    public long Anchor { get; init; }

    /// <summary>The next moment that the schedule names; null while it is paused, waits for the end of a run, or has come to its last.</summary>
    public long? NextTick { get; init; }

    /// <summary>The latest tick that was dealt with.</summary>
    public long? LastTick { get; init; }

    /// <summary>The run whose end matters to what comes next.</summary>
    public Guid? Running { get; init; }

    /// <summary>The tick that waits for that end.</summary>
    public long? Buffered { get; init; }

    /// <summary>Ticks that started no run: missed ones that are not made up for, and those that met a run under way. Counted up to 1,000 at a time.</summary>
    public long Skipped { get; init; }

    public long Revision { get; init; }

    /// <summary>Why it could not be followed the last time.</summary>
    public string? Error { get; init; }

    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }

    /// <summary>When somebody must look after it.</summary>
    public long? NextAt { get; init; }

    /// <summary>A definition's schedule keeps its id for good, so that a tick stays the same tick when it is taken away and comes back.</summary>
    public static Guid IdOf(Tenant tenant, string @namespace, string name)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{tenant.Workspace:N}/{@namespace}/{name}"));
        // RFC 9562, 5.8: an id of one's own making.
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash.AsSpan(0, 16), bigEndian: true);
    }
}

/// <summary>A run that a schedule has started.</summary>
/// <param name="Tick">The moment that it stands for.</param>
public sealed record ScheduledRun(long Tick, Guid Run);
