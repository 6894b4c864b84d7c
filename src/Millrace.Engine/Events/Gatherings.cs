using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Engine.Telemetry;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Events;

/// <summary>
/// Starts the runs that several events start together. An event is written together with a letter to each definition that may want it; here the letters
/// are dealt with, a definition's by one process at a time. What was gathered, the runs that begin and the letters taken are one transaction.
/// </summary>
internal sealed class Gatherings(Worker worker)
{
    private const int RowsMax = 100, LettersMax = 500;

    public async Task RunOnceAsync()
    {
        if (!await worker.Database.ReadAsync(GatheringStore.AnyLetters)) return;
        var rows = await worker.Database.ReadAsync(db => GatheringStore.Waiting(db, RowsMax));
        if (rows.Count == 0) await worker.Database.WriteAsync(db => { GatheringStore.Forget(db); return 0; });
        foreach (var row in rows)
        {
            try
            {
                while (await DealAsync(row) == LettersMax) { }
            }
            catch (NewerBuildException e)
            {
                // A build that can read the definition deals with its letters; others need not wait.
                worker.LoopFailed($"gathering events for {row.Hash}", e);
            }
        }
    }

    /// <returns>How many letters were dealt with.</returns>
    private async Task<int> DealAsync(GatheringRow row)
    {
        var letters = await worker.Database.ReadAsync(db => GatheringStore.Letters(db, row, LettersMax));
        if (letters.Count == 0 || await worker.Definitions.ByHashAsync(row.Tenant, row.Hash) is not { Trigger: { } trigger } workflow) return 0;
        var bodies = new Dictionary<long, Json?>();
        foreach (var position in letters) bodies[position] = await BodyAsync(row, position);
        var now = worker.Now;
        // Decided before the transaction, since large inputs are kept first; it holds when nobody came between.
        var (state, planned) = await GatherAsync(row, trigger, letters, bodies);
        var runs = new List<(NewRun Run, StartingEvents By)>(planned.Count);
        foreach (var (input, by) in planned)
            runs.Add((await NewRun.CreateAsync(worker.Keeping.Loose, RunRow.New(row.Tenant, worker.NewId(), workflow.Id, workflow.Hash, now) with { WakeAt = now }, workflow, new Entry.RunCreated(input)), by));
        var started = await worker.Database.WriteAsync(db =>
        {
            if (GatheringStore.Lock(db, row) is not { } locked || locked.State != row.State) return -1;
            if (letters.Except(GatheringStore.Letters(db, row, LettersMax)).Any()) return -1;
            foreach (var position in letters) GatheringStore.Take(db, row, position);
            GatheringStore.Update(db, row, state);
            foreach (var (run, by) in runs) run.Insert(db, by);
            return runs.Count;
        });
        for (var i = 0; i < started; i++) EngineMetrics.RunStarted();
        if (started > 0) await worker.Wakes.CallAsync();
        // Somebody else dealt with them; the next round sees what is left.
        return started < 0 ? 0 : letters.Count;
    }

    /// <summary>Events that were gathered before are read when somebody asks for them, and then it is decided once more.</summary>
    private async Task<(Json State, List<(Json Input, StartingEvents By)> Runs)> GatherAsync(GatheringRow row, EventTrigger trigger, List<long> letters, Dictionary<long, Json?> bodies)
    {
        var now = worker.Time.GetUtcNow();
        while (true)
        {
            var gathering = new EventGathering(trigger, JsonText.Parse(row.State));
            var (gathered, asked) = (new List<GatheredEvents>(), new HashSet<long>());
            foreach (var position in letters)
                if (bodies[position] is { } body && gathering.Take(position, body, Read, now) is { } all) gathered.Add(all);
            if (asked.Count == 0) return (gathering.State, gathered.ConvertAll(g => (g.Input, By(g))));
            foreach (var position in asked) bodies[position] = await BodyAsync(row, position);

            // One that is not kept any more is no part of the input either.
            StartingEvents By(GatheredEvents all) => StartingEvents.Of([.. from position in all.Events where bodies[position] is not null select StartingEvent.Of(position, bodies[position]!.Value)]);

            Json? Read(long position)
            {
                if (bodies.TryGetValue(position, out var known)) return known;
                asked.Add(position);
                return null;
            }
        }
    }

    private Task<Json?> BodyAsync(GatheringRow row, long position) => worker.Events.ReadAsync(row.Tenant, position);
}
