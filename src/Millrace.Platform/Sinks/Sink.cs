using Millrace.Engine.Events;

namespace Millrace.Platform.Sinks;

public enum SinkMode { Structured, Binary }

/// <summary>What a sink is doing: its events are sent, somebody has paused it, the last one was not taken and is sent again, or it was given up.</summary>
public enum SinkState { Active, Paused, Failing, Dead }

/// <summary>Where a workspace's events are sent, in their order.</summary>
/// <param name="Types">Types of events, each whole or its beginning and a star; none stands for every type.</param>
/// <param name="Secret">Name of the secret with a token, or with username and password.</param>
/// <param name="Pending">Events behind the last one that was dealt with; those of other types are passed over.</param>
/// <param name="NextTryAt">When the event that was not taken is sent again; while that goes on, when another process would take it up.</param>
/// <param name="PatienceSeconds">Failing for so long it is given up.</param>
public sealed record Sink(
    Guid Id, string Name, string Url, IReadOnlyList<string> Types, string? Secret, SinkMode Mode, SinkState State, long Position, long Pending, long Delivered, long Attempts,
    string? Error, DateTimeOffset? FailingSince, DateTimeOffset? NextTryAt, DateTimeOffset? DeadAt, long PatienceSeconds, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>Body of a request that makes a sink, or changes one: then what is absent stays.</summary>
public sealed record SinkBody(string Name, string Url, IReadOnlyList<string>? Types, string? Secret, SinkMode? Mode, long? PatienceSeconds, bool? Paused);

/// <param name="Status">Of the answer; absent when none came.</param>
public sealed record SinkTest(bool Taken, int? Status, string? Error);

/// <summary>Which events a sink wants.</summary>
internal static class SinkTypes
{
    public static bool Take(IReadOnlyList<string> patterns, string type) => patterns.Count == 0 || patterns.Any(p => p.EndsWith('*') ? type.StartsWith(p[..^1], StringComparison.Ordinal) : p == type);

    /// <summary>Those of what journals say among them. Whoever wants everything wants what runs emit, and gets these only when it names them.</summary>
    public static IEnumerable<string> Told(IReadOnlyList<string> patterns) => patterns.Count == 0 ? [] : EventLog.ToldTypes.Where(t => Take(patterns, t));
}
