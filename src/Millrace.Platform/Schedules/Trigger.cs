using Millrace.Engine.Events;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Platform.Definitions;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Platform.Schedules;

/// <summary>A run that events have started.</summary>
/// <param name="Count">How many events started it.</param>
/// <param name="Events">The last of them, at most ten.</param>
public sealed record TriggeredRun(Guid Run, RunPhase State, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt, int Count, IReadOnlyList<StartingEvent> Events)
{
    internal static TriggeredRun Of(RunRow row) => new(
        row.Id, row.State, Micros.ToTime(row.CreatedAt), row.EndedAt is { } ended ? Micros.ToTime(ended) : null, row.StartedBy!.Count, row.StartedBy.Events);
}

/// <summary>A definition whose runs events start.</summary>
/// <param name="Version">The latest version, whose runs they are.</param>
/// <param name="On">The document's <c>schedule.on</c>; absent when the document cannot be read here.</param>
/// <param name="Events">The types and sources it listens for; one that is absent may be any.</param>
/// <param name="Since">When it began to listen; absent for one that was pushed before that was kept.</param>
/// <param name="LastRun">The run that events started last, as long as it is kept.</param>
/// <param name="Error">Why events start no run of it here.</param>
public sealed record Trigger(
    string Namespace, string Name, string Version, Json? On, IReadOnlyList<EventKey> Events, bool Paused, DateTimeOffset? Since, TriggeredRun? LastRun, string? Error)
{
    internal static Trigger Of(DbUnit db, Tenant tenant, CompiledDefinitions definitions, ListeningDefinition one)
    {
        var id = one.Definition;
        Json? on = null;
        string? error = null;
        try
        {
            if (definitions.Find(db, tenant, one.Hash) is { } workflow) on = workflow.Definition["schedule"]["on"];
            else error = "The definition is not there any more.";
        }
        catch (Exception e) when (e is not StorageUnavailableException)
        {
            // A newer build may have pushed what this one cannot read; the others of the list are shown all the same.
            error = e.Message;
        }
        var last = RunStore.StartedByEvents(db, tenant, id.Namespace, id.Name, 1);
        return new(id.Namespace, id.Name, id.Version, on, one.Keys, one.Paused, one.Since is { } since ? Micros.ToTime(since) : null, last.Count == 0 ? null : TriggeredRun.Of(last[0]), error);
    }
}

/// <summary>A definition that events start, with the runs they started last.</summary>
/// <param name="Runs">The latest first.</param>
public sealed record TriggerDetail(Trigger Trigger, IReadOnlyList<TriggeredRun> Runs);

/// <summary>Body of a request to change whether events start runs of a definition.</summary>
public sealed record TriggerChange(bool Paused);
