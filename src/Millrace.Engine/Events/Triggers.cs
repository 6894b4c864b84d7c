using Millrace.Engine.DeadLetters;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Events;

/// <summary>Runs that events start: found before an event is written, and created with it or not at all.</summary>
internal sealed class Triggers(Worker worker)
{
    /// <summary>Runs for each of the events, due at once for whichever worker takes them first.</summary>
    public async Task<EventStarts[]> FindAsync(Tenant tenant, IReadOnlyList<Json> events, IReadOnlyList<EventRow> rows)
    {
        var found = new EventStarts[rows.Count];
        Array.Fill(found, EventStarts.None);
        var keys = rows.Select(r => (r.Type, r.Source)).Distinct().ToList();
        var triggers = await worker.Database.ReadAsync(db => !TriggerStore.Any(db, tenant) ? null : keys.ToDictionary(k => k, k => TriggerStore.Of(db, tenant, k.Type, k.Source)));
        for (var i = 0; i < rows.Count && triggers is not null; i++)
        {
            if (rows[i].IsForSinks) continue;
            var (runs, letters, failed) = (new List<NewRun>(), new List<WorkflowId>(), new List<DeadLetter>());
            foreach (var trigger in triggers[(rows[i].Type, rows[i].Source)])
            {
                if (await ReadAsync(tenant, trigger, rows[i], failed) is not { Trigger: { } on } workflow) continue;
                if (on.Gathers && on.Concerns(events[i], worker.Time.GetUtcNow())) letters.Add(workflow.Id);
                else if (!on.Gathers && await StartAsync(tenant, workflow, events[i], rows[i].ReceivedAt) is { } run) runs.Add(run);
            }
            found[i] = new(runs, letters, failed);
        }
        return found;
    }

    /// <summary>One definition that cannot be read keeps neither the event from being kept nor the others from being told: the start is put aside.</summary>
    private async ValueTask<Workflow?> ReadAsync(Tenant tenant, TriggerRow trigger, EventRow row, List<DeadLetter> failed)
    {
        Exception? failure = null;
        try
        {
            if (await worker.Definitions.ByHashAsync(tenant, trigger.Hash) is { } workflow) return workflow;
        }
        catch (Exception e) when (e is not StorageUnavailableException)
        {
            failure = e;
        }
        var name = $"{trigger.Definition.Namespace}/{trigger.Definition.Name}";
        var target = Json.Array(row.Source, row.Id, trigger.Definition.Namespace, trigger.Definition.Name, trigger.Definition.Version, trigger.Hash);
        failed.Add(new DeadLetter(tenant, DeadLetterKind.Event, $"{row.Source} {row.Id} {name}", "event.start_failed",
            new WorkflowError(ErrorTypes.Configuration, 404, "The run could not be started", failure?.Message ?? $"The definition {trigger.Definition} is not there any more."))
        { Definition = name, Target = target });
        return null;
    }

    /// <returns>Null when the event does not fit what starts the definition's runs.</returns>
    public async ValueTask<NewRun?> StartAsync(Tenant tenant, Workflow workflow, Json envelope, long now)
    {
        if (workflow.Trigger?.Start(envelope, worker.Time.GetUtcNow()) is not { } input) return null;
        var row = RunRow.New(tenant, worker.NewId(), workflow.Id, workflow.Hash, now) with { WakeAt = now };
        return await NewRun.CreateAsync(worker.Keeping.Loose, row, workflow, new Entry.RunCreated(input));
    }
}

/// <summary>What an event starts: runs of its own, and letters to definitions that it may start a run of together with others.</summary>
/// <param name="Failed">What is put aside with the event: one that is known has started its runs, or was put aside.</param>
internal sealed record EventStarts(IReadOnlyList<NewRun> Runs, IReadOnlyList<WorkflowId> Letters, IReadOnlyList<DeadLetter> Failed)
{
    public static readonly EventStarts None = new([], [], []);
}
