using Microsoft.Extensions.Logging;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Platform.Bulk;
using Millrace.Platform.Definitions;
using Millrace.Platform.Forks;
using Millrace.Storage;
using Millrace.Testing.Virtual;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.World;

/// <summary>A wish about many runs that was acknowledged.</summary>
/// <param name="Fit">Runs that it must deal with, since they had ended and fitted when it was asked for.</param>
internal sealed record BulkAsked(Guid Id, BulkAction Action, string Reason, IReadOnlyList<Guid>? Ids, IReadOnlyList<Guid> Fit);

/// <summary>People who want something of many runs at once.</summary>
internal sealed class Bulks(Cluster cluster, Clients clients, Dice dice)
{
    private static readonly BulkAction[] Actions = [BulkAction.Retry, BulkAction.Retry, BulkAction.Fork, BulkAction.Cancel];

    private readonly Process _process = cluster.Scheduler.Start("bulks");
    private int _last;
    private int _open;

    /// <summary>Nobody waits for an answer.</summary>
    public bool AreAnswered => _open == 0;

    public List<BulkAsked> All { get; } = [];

    /// <param name="within">The time over which they come.</param>
    public void Come(int works, TimeSpan within)
    {
        for (var i = 0; i < works; i++)
        {
            var after = within * dice.Fraction();
            _open++;
            _process.Go(async () =>
            {
                await _process.DelayAsync(after);
                await AskAsync();
                _open--;
            });
        }
    }

    /// <summary>Does what is asked for, page by page, as every process of the product does.</summary>
    public static async Task WorkAsync(WorkerNode worker, ILogger<BulkLoop> log)
    {
        var loop = new BulkLoop(worker.Database, worker.Engine!, new RunForks(worker.Database, worker.Definitions, worker.Engine!), worker.Process.Time, log);
        while (true)
        {
            try
            {
                while (worker.IsServing && await loop.RunOnceAsync(default)) { }
            }
            catch (Exception e) when (e is StorageUnavailableException or ObjectDisposedException)
            {
                // It goes on later, here or elsewhere.
            }
            await worker.Process.DelayAsync(TimeSpan.FromSeconds(1));
        }
    }

    public async Task<bool> AreUnderwayAsync() => cluster.Database is not { } database || await database.ReadAsync(db => db.First("select 1 from bulk where state = 0", _ => true, false));

    private async Task AskAsync()
    {
        if (await RunsAsync() is not { Count: > 0 } runs) return;
        var (action, reason) = (dice.Of(Actions), $"bulk{_last++}");
        var program = dice.Of(runs).Definition.Name;
        List<Guid>? ids = action == BulkAction.Retry && dice.Chance(0.5) ? null : [.. runs.Where(_ => dice.Chance(0.3)).Select(r => r.Id)];
        if (action == BulkAction.Cancel) foreach (var id in ids!) clients.Cancelled.TryAdd(id, null);
        var filter = ids is null ? Json.Object("namespace", "sim", "name", program) : Json.Object("ids", JsonArray.Of(ids.ConvertAll(id => (Json)id.ToString())));
        Json body = new JsonObject.Builder().Set("action", action.ToString().ToLowerInvariant()).Set("reason", reason).Set("filter", filter).Build();
        if (action == BulkAction.Fork) body = body.AsObject().With("seq", dice.Below(4));
        if (action is BulkAction.Fork or BulkAction.Retry && dice.Chance(0.3)) body = body.AsObject().With("definition", Json.Object("version", "latest"));
        for (var times = 0; times < 20; times++)
        {
            if (await clients.AskAsync(async engine => (object)await InsertAsync(engine, body, reason, ids)) is Guid work)
            {
                cluster.Scheduler.Note($"{reason}, to {action} {(ids is null ? $"those of {program}" : $"{ids.Count} runs")}, is answered");
                var fit = ids is null ? runs.Where(r => r.Definition.Name == program && (r.State is RunPhase.Faulted or RunPhase.Cancelled) && string.CompareOrdinal(r.Id.ToString(), work.ToString()) < 0).Select(r => r.Id).ToList() : [];
                All.Add(new BulkAsked(work, action, reason, ids, fit));
                return;
            }
            await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(1)));
        }
    }

    /// <summary>As its route does.</summary>
    private static async Task<Guid> InsertAsync(DurableEngine engine, Json body, string key, List<Guid>? ids)
    {
        var (id, now) = (engine.NewId(), engine.Worker.Now);
        BulkWish.Read(body);
        var row = new BulkRow(Tenant.Default, id, body, BulkState.Running, ids is null ? id : Guid.AllBitsSet, ids?.Count ?? 0, 0, 0, [], now, now, null);
        return await engine.Worker.Database.WriteAsync(db =>
        {
            if (RunStore.KeepKey(db, Tenant.Default, key, key, id, now) is { } earlier) return earlier.Run;
            BulkStore.Insert(db, row);
            return id;
        });
    }

    private async Task<List<RunRow>> RunsAsync()
    {
        if (cluster.Database is not { } database) return [];
        try
        {
            return (await database.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 50)))).FindAll(r => r.Definition.Name != Programs.Generator.Brief);
        }
        catch (StorageUnavailableException)
        {
            return [];
        }
    }
}
