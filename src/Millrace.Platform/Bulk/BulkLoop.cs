using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Runs;
using Millrace.Platform.Forks;
using Millrace.Platform.Http;
using Millrace.Storage;

namespace Millrace.Platform.Bulk;

/// <summary>
/// Carries out bulk work, page by page. A wish is sent to the runs of a page in the transaction that moves the work on; a fork has a start key
/// made of the work and the run. So a page that is done twice, by a process that died or two that took it, does nothing twice.
/// </summary>
public sealed class BulkLoop(Database database, DurableEngine engine, RunForks forks, TimeProvider time, ILogger<BulkLoop> log) : BackgroundService
{
    internal const int RefusalsMax = 100;

    /// <summary>Runs of a page. Forks copy journals, so there are fewer.</summary>
    private const int SignalsAtOnce = 200, ForksAtOnce = 20;

    /// <summary>A page that takes longer may be begun by another process as well, which does nothing twice; one whose process died waits no longer.</summary>
    private static readonly TimeSpan PageTime = TimeSpan.FromSeconds(10);

    /// <summary>Does one page of the work that is due for longest.</summary>
    /// <returns>False when none is due.</returns>
    internal async Task<bool> RunOnceAsync(CancellationToken cancel)
    {
        var now = engine.Now;
        if (!await database.ReadAsync(db => BulkStore.IsDue(db, now), cancel)) return false;
        if (await database.WriteAsync(db => BulkStore.Take(db, now, now + (long)PageTime.TotalMicroseconds)) is not { } row) return false;
        var wish = BulkWish.Read(row.Request);
        var atOnce = wish.Point is null ? SignalsAtOnce : ForksAtOnce;
        var runs = await PageAsync(row, wish, atOnce, cancel);
        if (wish.Point is { } point) await ForkAsync(row, wish, point, runs, atOnce, cancel);
        else await SignalAsync(row, wish, runs, atOnce);
        return true;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        PageLoop.RunAsync(RunOnceAsync, time, e => log.LogError("Bulk work goes on later: {Cause}", e is StorageUnavailableException ? e.Message : e.ToString()), stoppingToken);

    private async Task<List<Guid>> PageAsync(BulkRow row, BulkWish wish, int atOnce, CancellationToken cancel)
    {
        if (wish.Ids is { } ids)
        {
            var come = row.ComeTo.ToString();
            return [.. ids.Where(id => string.CompareOrdinal(id.ToString(), come) < 0).Take(atOnce)];
        }
        return await database.ReadAsync(db => RunStore.List(db, row.Tenant, wish.Filter with { Before = row.ComeTo, Limit = atOnce }).ConvertAll(r => r.Id), cancel);
    }

    private async Task SignalAsync(BulkRow row, BulkWish wish, List<Guid> runs, int atOnce)
    {
        var told = new List<Guid>();
        await database.WriteAsync(db =>
        {
            told.Clear();
            if (!BulkStore.Stands(db, row)) return false;
            var refusals = new List<BulkRefusal>();
            foreach (var run in runs)
            {
                if (Refusal(row, wish, db, run) is { } refusal) refusals.Add(refusal);
                else told.Add(run);
            }
            return BulkStore.Advance(db, row, After(row, runs, refusals, atOnce));
        });
        foreach (var run in told) engine.Told(row.Tenant, run);
    }

    private BulkRefusal? Refusal(BulkRow row, BulkWish wish, DbUnit db, Guid run) => engine.Signal(db, row.Tenant, run, wish.Action.ToString().ToLowerInvariant(), wish.Reason) switch
    {
        ControlOutcome.Accepted => null,
        ControlOutcome.NotFound => new BulkRefusal(run, "run.not_found", "There is no such run."),
        ControlOutcome.AlreadyFinished => new BulkRefusal(run, "run.already_finished", "The run has ended."),
        ControlOutcome.AlreadySuspended => new BulkRefusal(run, "run.already_suspended", "The run is suspended already."),
        _ => new BulkRefusal(run, "run.not_suspended", "The run is not suspended."),
    };

    private async Task ForkAsync(BulkRow row, BulkWish wish, ForkPoint point, List<Guid> runs, int atOnce, CancellationToken cancel)
    {
        var refusals = new List<BulkRefusal>();
        foreach (var run in runs)
        {
            try
            {
                await forks.ForkAsync(row.Tenant, run, new ForkWish(point, Version: wish.Version, Reason: wish.Reason), $"bulk {row.Id:N} {run:N}", cancel);
            }
            catch (Problem refusal)
            {
                refusals.Add(new BulkRefusal(run, refusal.Code, refusal.Detail ?? refusal.Title));
            }
            catch (Exception e) when (e is not (StorageUnavailableException or OperationCanceledException))
            {
                // One run that cannot be read does not keep the others from being handled.
                log.LogError(e, "Run {Run} could not be forked", run);
                refusals.Add(new BulkRefusal(run, "server.fault", $"{e.GetType().Name}: {e.Message}"));
            }
        }
        await database.WriteAsync(db => BulkStore.Advance(db, row, After(row, runs, refusals, atOnce)));
    }

    private BulkRow After(BulkRow row, List<Guid> runs, List<BulkRefusal> refusals, int atOnce)
    {
        var (now, over) = (engine.Now, runs.Count < atOnce);
        return row with
        {
            ComeTo = runs.Count == 0 ? row.ComeTo : runs[^1],
            Done = row.Done + runs.Count - refusals.Count,
            Refused = row.Refused + refusals.Count,
            Refusals = [.. row.Refusals.Concat(refusals).Take(RefusalsMax)],
            State = over ? BulkState.Completed : BulkState.Running,
            UpdatedAt = now,
            EndedAt = over ? now : null,
        };
    }
}
