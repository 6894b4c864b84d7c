using Millrace.Simulation.Programs;
using Millrace.Simulation.World;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>A run that is there no more, as it was when it went.</summary>
/// <param name="ExpiresAt">When it was to go; null: never.</param>
internal sealed record Gone(Guid Id, string Program, RunPhase State, long? EndedAt, long? ExpiresAt)
{
    /// <summary>Where parts of a run lie, by the column that names it.</summary>
    private static readonly string[] Parts = ["journal", "signal", "subscription", "start_key", "limit_place", "approval", "run_expiry", "run_removal"];

    public static void Install(DbUnit db)
    {
        db.Execute("create table if not exists gone_log (run blob primary key, name text not null, state integer not null, ended_at integer, expires_at integer) strict");
        db.Execute("""
            create trigger if not exists run_gone before delete on run begin
                insert into gone_log select old.id, old.name, old.state, old.ended_at, (select at from run_expiry where run = old.id);
            end
            """);
    }

    public static async Task<Dictionary<Guid, Gone>> ReadAsync(Database database) =>
        (await database.ReadAsync(db => db.Query("select run, name, state, ended_at, expires_at from gone_log", r => new Gone(r.Id(0), r.Text(1), (RunPhase)r.Long(2), r.LongOrNull(3), r.LongOrNull(4))))).ToDictionary(g => g.Id);

    /// <summary>Runs go that are to go, when they are to, with all that was theirs.</summary>
    public static async Task JudgeAsync(Cluster cluster, IReadOnlyDictionary<Guid, Found> runs, IReadOnlyDictionary<Guid, Gone> gone)
    {
        foreach (var run in gone.Values)
        {
            if (run.State < RunPhase.Cancelled || cluster.Library[run.Program].KeptMs == 0) Wrong(run.Id, $"it is there no more: of {run.Program}, {run.State}");
            else if (run.ExpiresAt is null || run.ExpiresAt < run.EndedAt + cluster.Library[run.Program].KeptMs * 1000L) Wrong(run.Id, $"it ended at {run.EndedAt} and went at {run.ExpiresAt}");
        }
        // By a clock that was ahead, its time comes later.
        if (!cluster.ClocksDiffered && runs.Values.FirstOrDefault(r => cluster.Library[r.Row.Definition.Name].KeptMs > 0) is { } kept) Wrong(kept.Row.Id, "it was to be there no more");
        foreach (var part in Parts)
        {
            var left = await cluster.Database!.ReadAsync(db => db.First($"select count(*) from {part} where run in (select run from gone_log)", r => r.Long(0), 0L));
            if (left > 0) cluster.Scheduler.Fail($"{left} rows of {part} are left of runs that are there no more");
        }

        void Wrong(Guid run, string what) => cluster.Scheduler.Fail($"run {Names.Of(run)}: {what}");
    }
}
