using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Millrace.Engine.Execution;

namespace Millrace.Engine.Telemetry;

/// <summary>Every line the engine logs. Lines on a run are written within <see cref="About"/>, which adds its workspace and its trace.</summary>
internal static partial class EngineLog
{
    public static IDisposable? About(this ILogger log, RunActor actor) => log.BeginScope(new KeyValuePair<string, object?>[]
    {
        new("Run", actor.Id),
        new("Workspace", actor.Tenant.Workspace),
        new("Definition", $"{actor.Workflow.Id}"),
        new("TraceId", ActivityContext.TryParse(actor.State.Trace, null, out var trace) ? trace.TraceId.ToHexString() : null),
    });

    [LoggerMessage(1, LogLevel.Warning, "Run {Run}: {Reason} Record {Seq} does not count.")]
    public static partial void RecordLost(this ILogger log, Guid run, string reason, long seq);

    [LoggerMessage(2, LogLevel.Error, "Run {Run} could not go on.")]
    public static partial void TurnFailed(this ILogger log, Exception e, Guid run);

    [LoggerMessage(3, LogLevel.Warning, "{What}: {Reason}")]
    public static partial void StoreUnavailable(this ILogger log, string what, string reason);

    [LoggerMessage(4, LogLevel.Error, "Failed at {What}.")]
    public static partial void LoopFailed(this ILogger log, Exception e, string what);

    [LoggerMessage(5, LogLevel.Warning, "Lease {Lease} is over; starting again under a new one.")]
    public static partial void LeaseOver(this ILogger log, long lease);

    [LoggerMessage(6, LogLevel.Warning, "The lease could not be given back: {Reason}")]
    public static partial void LeaseKept(this ILogger log, string reason);

    [LoggerMessage(7, LogLevel.Information, "Stopping with {Effects} effects under way; their runs go on elsewhere or at the next start.")]
    public static partial void StoppedEarly(this ILogger log, int effects);

    [LoggerMessage(8, LogLevel.Warning, "{Runs} runs of workers that stopped renewing their lease are taken over.")]
    public static partial void RunsFreed(this ILogger log, int runs);

    [LoggerMessage(11, LogLevel.Warning, "Run {Run} is left to a worker of a newer build: {Reason}")]
    public static partial void RunLeft(this ILogger log, Guid run, string reason);

    /// <summary>The error's type and status alone: title and detail may quote what a service answered.</summary>
    [LoggerMessage(9, LogLevel.Information, "Run {Run} faulted at {Task}: {Type} {Status}")]
    public static partial void RunFaulted(this ILogger log, Guid run, string? task, string type, int status);

    [LoggerMessage(10, LogLevel.Warning, "Run {Run}, step {Step} ({Task}): the function {Function} threw {Exception} instead of telling an outcome.")]
    public static partial void EffectCrashed(this ILogger log, Guid run, int step, string task, string function, string exception);
}
