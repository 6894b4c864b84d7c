using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Engine.Telemetry;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Forks;

/// <summary>Makes a new run that goes on from a state of another one, which may be live or over and is left as it is.</summary>
internal static class ForkRun
{
    public static async Task<ForkOutcome> ForkAsync(Worker worker, ForkRequest request)
    {
        if (await KnownAsync(worker, request) is { } known) return known;
        if (await worker.Database.ReadAsync(db => RunStore.Get(db, request.Tenant, request.Source)) is not { } source) return new ForkOutcome.NotFound();
        var from = await worker.Definitions.ByHashAsync(request.Tenant, source.Hash)
            ?? throw new InvalidOperationException($"The definition {source.Hash} of run {source.Id} is missing.");
        try
        {
            if (request.Point is ForkPoint.Failure && source.State is not (RunPhase.Faulted or RunPhase.Cancelled))
                throw new ForkRefusedException(new ForkRefusal("run.not_failed", "Only a run that has faulted or was cancelled can be retried."));
            var records = await SourceReader.ReadAsync(worker.Database, request.Tenant, request.Source, request.Point);
            if (records[0].Entries[0] is Entry.RunCreated { Part: { Batch: true } })
                throw new ForkRefusedException(new ForkRefusal("run.fork_batch", "A run that carries out items of a map is not forked by itself: redrive the map's step, or fork the run above it."));
            var cut = ForkCut.Find(records, from, request.Point, source.Fork);
            var to = request.Workflow ?? from;
            var fork = NewFork.Of(RowOf(worker, request, source, to), records, cut, from, to);
            var ended = await EndedAsync(worker, request.Tenant, fork);
            fork.Part(request, cut, [.. ended.Select(e => e.Step)]);
            for (var i = 0; i < fork.Large.Count; i++) await worker.Keeping.Loose.PutAsync(fork.Large[i].Utf8, fork.Large[i].Sha256);
            return await CommitAsync(worker, request, fork, ended);
        }
        catch (ForkRefusedException e)
        {
            return new ForkOutcome.Refused(e.Why);
        }
    }

    private static RunRow RowOf(Worker worker, ForkRequest request, RunRow source, Workflow workflow)
    {
        var now = worker.Now;
        return RunRow.New(request.Tenant, worker.NewId(), workflow.Id, workflow.Hash, now) with
        {
            WakeAt = now,
            // Nobody waits for a fork; that it stands as deep as its source keeps runs from starting each other for ever.
            Depth = source.Depth,
            Fork = new ForkOrigin(source.Id, 0, null),
        };
    }

    /// <summary>Awaited children that had ended at the cut, also those that had gone on as others first. Their ends count; children that went on longer are started anew by the fork.</summary>
    private static async Task<List<EndedChild>> EndedAsync(Worker worker, Tenant tenant, NewFork fork)
    {
        var awaited = fork.Awaited;
        if (awaited.Count == 0) return [];
        return await worker.Database.ReadAsync(db => awaited
            .Select(a => new EndedChild(a.Step, a.Child, ContinuationStore.LastOf(db, tenant, a.Child)))
            .Where(c => RunStore.Get(db, tenant, c.Last) is { IsFinished: true } && JournalStore.Last(db, tenant, c.Last)!.Position < fork.CutPosition).ToList());
    }

    private static async Task<ForkOutcome> CommitAsync(Worker worker, ForkRequest request, NewFork fork, List<EndedChild> ended)
    {
        var known = await worker.Database.WriteAsync(db =>
        {
            if (request.IdempotencyKey is { } key
                && RunStore.KeepKey(db, request.Tenant, key, request.RequestHash ?? "", fork.Row.Id, fork.Row.CreatedAt) is { } earlier) return OutcomeOf(request, earlier);
            fork.Insert(db, ended);
            return null;
        });
        if (known is not null) return known;
        EngineMetrics.RunStarted();
        await worker.Wakes.CallAsync();
        return new ForkOutcome.Started(fork.Row.Id);
    }

    /// <summary>A repeated request is answered with the run it made even if it could not be made again now.</summary>
    private static async Task<ForkOutcome?> KnownAsync(Worker worker, ForkRequest request) =>
        request.IdempotencyKey is { } key && await worker.Database.ReadAsync(db => RunStore.FindKey(db, request.Tenant, key)) is { } known ? OutcomeOf(request, known) : null;

    private static ForkOutcome OutcomeOf(ForkRequest request, (Guid Run, string Request) known) =>
        known.Request == (request.RequestHash ?? "") ? new ForkOutcome.Existing(known.Run) : new ForkOutcome.Conflict(known.Run);
}
