using System.Security.Cryptography;
using System.Text;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows;

namespace Millrace.Engine.DeadLetters;

public enum DeadLetterKind : byte
{
    /// <summary>A run that the engine gave up, or one that faulted where its definition wants to be told.</summary>
    Run,

    /// <summary>An event that could not start the run it should.</summary>
    Event,

    /// <summary>A schedule whose runs cannot be started.</summary>
    Schedule,
}

/// <summary>What could not be carried on or delivered.</summary>
/// <param name="Subject">The run's id, namespace/name of the schedule, or source, id and definition of an event.</param>
/// <param name="Reason">Stable: <c>run.given_up</c>, <c>run.faulted</c>, <c>event.start_failed</c>, <c>schedule.failed</c>.</param>
public sealed record DeadLetter(Tenant Tenant, DeadLetterKind Kind, string Subject, string Reason, WorkflowError? Error)
{
    /// <summary>namespace/name; empty when it is not known.</summary>
    public string Definition { get; init; } = "";

    /// <summary>What is needed to try again.</summary>
    public Json? Target { get; init; }

    public long FirstAt { get; init; }
    public long LastAt { get; init; }
    public long Times { get; init; } = 1;

    /// <summary>The same for the same kind and subject, so that what comes again is counted.</summary>
    public Guid Id => IdOf(Kind, Subject);

    internal static Guid IdOf(DeadLetterKind kind, string subject) => new(SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}\n{subject}")).AsSpan(0, 16), bigEndian: true);
}

/// <summary>Which letters are meant.</summary>
/// <param name="Before">Only those behind this one in the order of the list.</param>
public sealed record DeadLetterFilter(DeadLetterKind? Kind, string? Reason, string? Definition, Guid? Before, int Limit);
