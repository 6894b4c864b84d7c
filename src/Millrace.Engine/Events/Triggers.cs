using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
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
            var (runs, letters) = (new List<NewRun>(), new List<WorkflowId>());
            foreach (var trigger in triggers[(rows[i].Type, rows[i].Source)])
            {
                if (await worker.Definitions.ByHashAsync(tenant, trigger.Hash) is not { Trigger: { } on } workflow) continue;
                if (on.Gathers && on.Concerns(events[i], worker.Time.GetUtcNow())) letters.Add(workflow.Id);
                else if (!on.Gathers && await StartAsync(tenant, workflow, events[i], rows[i].ReceivedAt) is { } run) runs.Add(run);
            }
            found[i] = new(runs, letters);
        }
        return found;
    }

    private async ValueTask<NewRun?> StartAsync(Tenant tenant, Workflow workflow, Json envelope, long now)
    {
        if (workflow.Trigger?.Start(envelope, worker.Time.GetUtcNow()) is not { } input) return null;
        var row = RunRow.New(tenant, worker.NewId(), workflow.Id, workflow.Hash, now) with { WakeAt = now };
        return await NewRun.CreateAsync(worker.Blobs, row, workflow, new Entry.RunCreated(input));
    }
}

/// <summary>What an event starts: runs of its own, and letters to definitions that it may start a run of together with others.</summary>
internal sealed record EventStarts(IReadOnlyList<NewRun> Runs, IReadOnlyList<WorkflowId> Letters)
{
    public static readonly EventStarts None = new([], []);
}
