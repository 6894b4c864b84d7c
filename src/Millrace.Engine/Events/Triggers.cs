using Millrace.Engine.DeadLetters;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Events;

/// <summary>Runs that events start: found before an event is written, and created with it or not at all.</summary>
internal sealed class Triggers(Worker worker)
{
    /// <summary>Runs for each of the events, due at once for whichever worker takes them first.</summary>
    public async Task<IReadOnlyList<NewRun>[]> FindAsync(Tenant tenant, IReadOnlyList<Json> events, IReadOnlyList<EventRow> rows)
    {
        var found = new IReadOnlyList<NewRun>[rows.Count];
        Array.Fill(found, []);
        var keys = rows.Select(r => (r.Type, r.Source)).Distinct().ToList();
        var triggers = await worker.Database.ReadAsync(db => !TriggerStore.Any(db, tenant) ? null : keys.ToDictionary(k => k, k => TriggerStore.Of(db, tenant, k.Type, k.Source)));
        for (var i = 0; i < rows.Count && triggers is not null; i++)
        {
            var runs = new List<NewRun>();
            foreach (var trigger in triggers[(rows[i].Type, rows[i].Source)])
                if (await TryAsync(tenant, trigger, events[i], rows[i]) is { } run) runs.Add(run);
            found[i] = runs;
        }
        return found;
    }

    /// <summary>One definition that cannot be read keeps neither the event from being kept nor the others from being told: the start is put aside.</summary>
    private async ValueTask<NewRun?> TryAsync(Tenant tenant, TriggerRow trigger, Json envelope, EventRow row)
    {
        Exception? failure = null;
        try
        {
            if (await worker.Definitions.ByHashAsync(tenant, trigger.Hash) is not null) return await StartAsync(tenant, trigger, envelope, row.ReceivedAt);
        }
        catch (Exception e) when (e is not StorageUnavailableException)
        {
            failure = e;
        }
        var name = $"{trigger.Definition.Namespace}/{trigger.Definition.Name}";
        var target = Json.Array(row.Source, row.Id, trigger.Definition.Namespace, trigger.Definition.Name, trigger.Definition.Version, trigger.Hash);
        var letter = new DeadLetter(tenant, DeadLetterKind.Event, $"{row.Source} {row.Id} {name}", "event.start_failed",
            new WorkflowError(ErrorTypes.Configuration, 404, "The run could not be started", failure?.Message ?? $"The definition {trigger.Definition} is not there any more."))
        { Definition = name, Target = target };
        await worker.Database.WriteAsync(db =>
        {
            DeadLetterStore.Put(db, letter, row.ReceivedAt);
            return 0;
        });
        return null;
    }

    public async ValueTask<NewRun?> StartAsync(Tenant tenant, TriggerRow trigger, Json envelope, long now)
    {
        var workflow = await worker.Definitions.ByHashAsync(tenant, trigger.Hash);
        if (workflow?.Trigger?.Start(envelope, worker.Time.GetUtcNow()) is not { } input) return null;
        var row = RunRow.New(tenant, worker.NewId(), workflow.Id, workflow.Hash, now) with { WakeAt = now };
        return await NewRun.CreateAsync(worker.Blobs, row, workflow, new Entry.RunCreated(input));
    }
}
