using System.Text;
using Millrace.Engine.Events;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Runs;

/// <summary>A run as its row tells it. Times are Unix microseconds, UTC.</summary>
public sealed record RunRow
{
    public required Tenant Tenant { get; init; }
    public required Guid Id { get; init; }
    public required WorkflowId Definition { get; init; }
    public required string Hash { get; init; }
    public RunPhase State { get; init; }
    public long? Lease { get; init; }
    public long? WakeAt { get; init; }
    public Guid? Parent { get; init; }
    public int? ParentStep { get; init; }
    public long CreatedAt { get; init; }
    public long? StartedAt { get; init; }
    public long? EndedAt { get; init; }
    public long UpdatedAt { get; init; }
    public WorkflowError? Error { get; init; }
    public string? Reason { get; init; }
    public StepCounts Counts { get; init; }

    /// <summary>How many runs stand above it: 0 for a run that no run started.</summary>
    public int Depth { get; init; }

    /// <summary>The tick that started it.</summary>
    public RunTrigger? Trigger { get; init; }

    /// <summary>The events that started it.</summary>
    public StartingEvents? StartedBy { get; init; }

    /// <summary>Where it parted from another run; null for one that began by itself.</summary>
    public ForkOrigin? Fork { get; init; }

    /// <summary>JSON: what it needs before it may work; null while nobody has found out, and for a run without limits.</summary>
    public string? Limits { get; init; }

    /// <summary>The same, in the hands of the worker that goes on with it.</summary>
    internal LimitPlan? Plan { get; init; }

    /// <summary>It was let through without a slot, to end or to be suspended.</summary>
    internal bool IsSlotless { get; init; }

    public bool IsFinished => State >= RunPhase.Cancelled;

    /// <summary>The row of a run that begins now. Whoever makes it says who holds it, or when it is due.</summary>
    internal static RunRow New(Tenant tenant, Guid id, WorkflowId definition, string hash, long now) => new()
    {
        Tenant = tenant,
        Id = id,
        Definition = definition,
        Hash = hash,
        State = RunPhase.Running,
        CreatedAt = now,
        UpdatedAt = now,
    };
}

/// <param name="Seq">The record of that run at which it was cut.</param>
/// <param name="Step">The step of that run that began anew.</param>
public sealed record ForkOrigin(Guid Run, long Seq, int? Step);

/// <summary>What waits for a worker. Counted up to <see cref="CountMax"/>, which then means that many or more.</summary>
/// <param name="Due">Runs that a worker should have taken by now.</param>
/// <param name="DueSince">When the first of them became due, Unix microseconds.</param>
/// <param name="Waiting">Runs that a timer will wake.</param>
public readonly record struct QueueState(long Due, long? DueSince, long Waiting)
{
    public const int CountMax = 10_000;
}

/// <summary>What a run is asked that does not end it.</summary>
public enum RunWish : byte
{
    Suspend,
    Resume,
}

/// <summary>Which runs a list shows. Newest first, after <paramref name="Before"/> when given.</summary>
public sealed record RunFilter(IReadOnlyList<RunPhase> States, string? Namespace, string? Name, Guid? Parent, Guid? Before, int Limit)
{
    /// <summary>Only forks of this run.</summary>
    public Guid? ForkOf { get; init; }

    /// <summary>Only runs that no other run has started.</summary>
    public bool TopOnly { get; init; }

    /// <summary>Also unfinished runs that were asked for it and have not come to it yet.</summary>
    public RunWish? AskedTo { get; init; }

    /// <summary>Unix microseconds, inclusive.</summary>
    public long? CreatedFrom { get; init; }

    /// <summary>Unix microseconds, exclusive.</summary>
    public long? CreatedTo { get; init; }
}

/// <summary>Every statement on runs and their start keys.</summary>
public static class RunStore
{
    private const string Columns =
        "organisation, workspace, id, namespace, name, version, hash, state, lease, wake_at, parent, parent_step, created_at, started_at, ended_at, updated_at, error, reason, counts, depth, schedule, scheduled_for, fork_of, fork_seq, fork_step, limits, started_by";

    internal static void Insert(DbUnit db, RunRow run) => db.InsertLater(
        run.Id,
        """
        insert into run (organisation, workspace, id, namespace, name, version, hash, state, lease, wake_at, parent, parent_step, created_at, updated_at, depth, schedule, scheduled_for, fork_of, fork_seq, fork_step, started_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14, $15, $16, $17, $18, $19, $20)
        """,
        run.Tenant.Organisation, run.Tenant.Workspace, run.Id, run.Definition.Namespace, run.Definition.Name, run.Definition.Version,
        run.Hash, (long)run.State, run.Lease, run.WakeAt, run.Parent, (long?)run.ParentStep, run.CreatedAt, (long)run.Depth, run.Trigger?.Schedule, run.Trigger?.At,
        run.Fork?.Run, run.Fork?.Seq, (long?)run.Fork?.Step, run.StartedBy?.ToText());

    /// <summary>Records a change of state by the worker that holds the run.</summary>
    /// <exception cref="LostRunException">It does not hold it any more; thrown now or instead of the commit.</exception>
    internal static void ChangeState(DbUnit db, Tenant tenant, Guid run, long lease, RunChange change) => db.ChangeLater(
        run, static id => new LostRunException(id),
        """
        update run set state = $1, lease = $2, wake_at = $3, started_at = $4, ended_at = $5, updated_at = $6, error = $7, reason = $8, counts = $9 /*pg: , finished = $1 >= 4::bigint */
        where workspace = $10 and id = $11 and lease = $12 and state < 4 /*pg: and not finished */
        """,
        (long)change.State, change.Keep ? lease : default(long?), change.WakeAt, change.StartedAt, change.EndedAt, change.UpdatedAt,
        change.Error is { } error ? JsonText.ToUtf8(error.ToJson()) : null,
        // People write reasons, and PostgreSQL has no text with this character. The journal keeps it as it was.
        change.Reason?.Replace('\0', '\ufffd'), Text(change.Counts),
        tenant.Workspace, run, lease);

    /// <summary>A run that lets go while somebody has written to it is due at once.</summary>
    internal static void WakeIfSignalled(DbUnit db, Tenant tenant, Guid run, long now) => db.ChangeLater(
        run, null, "update run set wake_at = $1 where workspace = $2 and id = $3 and lease is null and state < 4 /*pg: and not finished */ and exists (select 1 from signal where run = $3)",
        now, tenant.Workspace, run);

    /// <summary>Takes runs that are due, oldest first, and nobody holds.</summary>
    /// <param name="format">What this build can read: runs that need more are left to others.</param>
    internal static List<RunRow> Claim(DbUnit db, long lease, long now, int limit, long format) => db.Query(
        $"""
        update run set lease = $1, wake_at = null where (workspace, id) in
            (select workspace, id from run where wake_at <= $2 and lease is null and format <= $4 /*pg: and not finished */ order by wake_at limit $3 /*pg: for update skip locked */)
            /*pg: and not finished */
        returning {Columns}
        """,
        Map, lease, now, (long)limit, format);

    /// <summary>As <see cref="Claim"/>, and none of these four workspaces'.</summary>
    internal static List<RunRow> ClaimOthers(DbUnit db, long lease, long now, int limit, long format, ReadOnlySpan<Guid> crowds) => db.Query(
        $"""
        update run set lease = $1, wake_at = null where (workspace, id) in
            (select workspace, id from run where wake_at <= $2 and lease is null and format <= $4 and workspace not in ($5, $6, $7, $8) /*pg: and not finished */
                order by wake_at limit $3 /*pg: for update skip locked */)
            /*pg: and not finished */
        returning {Columns}
        """,
        Map, lease, now, (long)limit, format, crowds[0], crowds[1], crowds[2], crowds[3]);

    internal static long? NextWake(DbUnit db, long format) =>
        db.First("select min(wake_at) from run where wake_at is not null and lease is null and format <= $1 /*pg: and not finished */", r => r.LongOrNull(0), null, format);

    public static QueueState Queue(DbUnit db, long now) => new(
        db.First("select count(*) from (select 1 from run where wake_at <= $1 and lease is null limit $2) as due", r => r.Long(0), 0L, now, (long)QueueState.CountMax),
        NextWake(db, long.MaxValue) is { } first && first <= now ? first : null,
        db.First("select count(*) from (select 1 from run where wake_at > $1 and lease is null limit $2) as waiting", r => r.Long(0), 0L, now, (long)QueueState.CountMax));

    /// <summary>Makes the runs of workers whose lease has ended due at once.</summary>
    internal static int Release(DbUnit db, long now) => db.Execute(
        "update run set lease = null, wake_at = $1 where lease in (select id from lease where alive = 0) /*pg: and not finished */", now);

    /// <summary>Runs that a lease holds.</summary>
    internal static List<(Tenant Tenant, Guid Run)> HeldBy(DbUnit db, long lease) => db.Query(
        "select organisation, workspace, id from run where lease = $1 /*pg: and not finished */", r => (new Tenant(r.Id(0), r.Id(1)), r.Id(2)), lease);

    /// <summary>Gives back one run that this worker holds but has no longer in memory.</summary>
    internal static void Free(DbUnit db, Tenant tenant, Guid run, long lease, long now) => db.Execute(
        "update run set lease = null, wake_at = $1 where workspace = $2 and id = $3 and lease = $4 and state < 4 /*pg: and not finished */", now, tenant.Workspace, run, lease);

    /// <summary>Only workers of builds that can read so much take a run that is inserted in the same transaction.</summary>
    internal static void NeedLater(DbUnit db, Tenant tenant, Guid run, long format) => db.ChangeLater(
        run, null, "update run set format = $1 where workspace = $2 and id = $3 and state < 4 /*pg: and not finished */", format, tenant.Workspace, run);

    /// <summary>Gives back a run that only a worker of a newer build can go on with.</summary>
    internal static void Leave(DbUnit db, Tenant tenant, Guid run, long lease, long format, string reason, long now) => db.Execute(
        "update run set lease = null, wake_at = $1, format = $2, reason = $3 where workspace = $4 and id = $5 and lease = $6 and state < 4 /*pg: and not finished */",
        now, format, reason, tenant.Workspace, run, lease);

    /// <summary>Makes a run that has not finished due at once when nobody holds it; whoever holds it is told by the caller.</summary>
    internal static void Wake(DbUnit db, Tenant tenant, Guid run, long now) => db.TouchLater(
        run, "update run set wake_at = case when lease is null then $1 else wake_at end where workspace = $2 and id = $3 and state < 4 /*pg: and not finished */",
        now, tenant.Workspace, run);

    /// <summary>Nobody else changes the run's row, or sends it anything, until the transaction ends. One that ended in it is held already.</summary>
    internal static void Touch(DbUnit db, Tenant tenant, Guid run) =>
        db.TouchLater(run, "update run set wake_at = wake_at where workspace = $1 and id = $2 /*pg: and not finished */", tenant.Workspace, run);

    /// <summary>A run that has ended is due again.</summary>
    internal static void Reopen(DbUnit db, Tenant tenant, Guid run, long now) => db.Execute(
        """
        update run set state = 2, lease = null, wake_at = $1, ended_at = null, updated_at = $1, error = null, reason = null /*pg: , finished = false */
        where workspace = $2 and id = $3 and state >= 4 /*pg: and finished */
        """,
        now, tenant.Workspace, run);

    /// <summary>As <see cref="Get"/>, and nobody else changes the row before this transaction ends.</summary>
    internal static RunRow? Lock(DbUnit db, Tenant tenant, Guid id) => db.First(
        $"select {Columns} from run where workspace = $1 and id = $2 /*pg: for update */", Map, null, tenant.Workspace, id);

    /// <summary>Runs that a run has started and that have not ended.</summary>
    internal static List<Guid> LiveChildren(DbUnit db, Tenant tenant, Guid run) => db.Query(
        "select id from run where parent = $1 and workspace = $2 and state < 4", r => r.Id(0), run, tenant.Workspace);

    public static RunRow? Get(DbUnit db, Tenant tenant, Guid id) =>
        db.First($"select {Columns} from run where workspace = $1 and id = $2", Map, null, tenant.Workspace, id);

    public static List<RunRow> List(DbUnit db, Tenant tenant, RunFilter filter)
    {
        return db.Query(
            $"select {Columns} from run where {Fits(filter)} order by id desc limit $6",
            Map, tenant.Workspace, filter.Before, filter.Namespace, filter.Name, filter.Parent, (long)filter.Limit, filter.ForkOf, filter.CreatedFrom, filter.CreatedTo);
    }

    /// <summary>Runs that fit, counted up to the filter's limit.</summary>
    public static long Count(DbUnit db, Tenant tenant, RunFilter filter) => db.First(
        $"select count(*) from (select 1 from run where {Fits(filter)} limit $6) as fitting", r => r.Long(0), 0L,
        tenant.Workspace, filter.Before, filter.Namespace, filter.Name, filter.Parent, (long)filter.Limit, filter.ForkOf, filter.CreatedFrom, filter.CreatedTo);

    private static string Fits(RunFilter filter)
    {
        var states = new StringBuilder();
        foreach (var state in filter.States) states.Append(states.Length == 0 ? "" : ",").Append((int)state);
        var asked = filter.AskedTo is null ? "" : $" or (state < 4 and exists (select 1 from signal s where s.run = run.id and s.workspace = run.workspace and s.kind = '{(filter.AskedTo == RunWish.Suspend ? "suspend" : "resume")}'))";
        // Said so that the index on parents is used.
        var children = filter.Parent is not null ? "parent = $5" : $"($5 is null or parent = $5){(filter.TopOnly ? " and parent is null" : "")}";
        return $"""
            workspace = $1 and ($2 is null or id < $2) and ($3 is null or namespace = $3) and ($4 is null or name = $4) and {children}
            and ($7 is null or fork_of = $7) and ($8 is null or created_at >= $8) and ($9 is null or created_at < $9){(states.Length == 0 ? "" : $" and (state in ({states}){asked})")}
            """;
    }

    /// <summary>How many runs are in each state that one is in, and how many of those another run has started.</summary>
    public static List<(RunPhase State, long Count, long Children)> CountByState(DbUnit db, Tenant tenant) => db.Query(
        "select state, count(*), count(parent) from run where workspace = $1 group by state", r => ((RunPhase)r.Long(0), r.Long(1), r.Long(2)), tenant.Workspace);

    /// <summary>Runs of a definition that events have started, newest first.</summary>
    public static List<RunRow> StartedByEvents(DbUnit db, Tenant tenant, string space, string name, int limit) => db.Query(
        $"select {Columns} from run where workspace = $1 and namespace = $2 and name = $3 and started_by is not null order by id desc limit $4",
        Map, tenant.Workspace, space, name, (long)limit);

    /// <summary>A run goes on as one that is inserted in the same transaction: the same events have started that.</summary>
    internal static void InheritLater(DbUnit db, Tenant tenant, Guid run, Guid successor) => db.ChangeLater(
        successor, null,
        """
        update run set started_by = (select before.started_by from run before where before.workspace = $1 and before.id = $2)
        where workspace = $1 and id = $3 and state < 4 /*pg: and not finished */
        """,
        tenant.Workspace, run, successor);

    /// <summary>The run an idempotency key has started, and the request it stood for; null when the key is new.</summary>
    public static (Guid Run, string Request)? FindKey(DbUnit db, Tenant tenant, string key) => db.First<(Guid, string)?>(
        "select run, request from start_key where workspace = $1 and key = $2", r => (r.Id(0), r.Text(1)), null, tenant.Workspace, key);

    /// <summary>Keeps an idempotency key.</summary>
    /// <returns>Null when the key is new; otherwise the run it started and the request it stood for.</returns>
    public static (Guid Run, string Request)? KeepKey(DbUnit db, Tenant tenant, string key, string request, Guid run, long now)
    {
        var rows = db.Execute(
            "insert into start_key (organisation, workspace, key, request, run, at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            tenant.Organisation, tenant.Workspace, key, request, run, now);
        return rows == 1 ? null : FindKey(db, tenant, key);
    }

    /// <summary>Puts runs that have finished where this database keeps them, after rows came from another.</summary>
    internal static void Place(DbUnit db) => db.Execute("update run set /*pg: finished = true, */ updated_at = updated_at where state >= 4 /*pg: and not finished */");

    /// <summary>Runs of all workspaces: all, and those that have not finished.</summary>
    internal static (long All, long Live) CountAll(DbUnit db) =>
        db.First("select count(*), coalesce(sum(case when state < 4 then 1 else 0 end), 0) from run", r => (r.Long(0), r.Long(1)), default);

    private static string Text(StepCounts c) => $"{c.Started},{c.Completed},{c.Faulted},{c.Skipped},{c.Cancelled}";

    private static StepCounts ParseCounts(string? text)
    {
        if (text is null) return default;
        var parts = System.Array.ConvertAll(text.Split(','), p => int.Parse(p, System.Globalization.CultureInfo.InvariantCulture));
        return new StepCounts(parts[0], parts[1], parts[2], parts[3], parts[4]);
    }

    private static RunRow Map(DbRow r) => new()
    {
        Tenant = new Tenant(r.Id(0), r.Id(1)),
        Id = r.Id(2),
        Definition = new WorkflowId(r.Text(3), r.Text(4), r.Text(5)),
        Hash = r.Text(6),
        State = (RunPhase)r.Long(7),
        Lease = r.LongOrNull(8),
        WakeAt = r.LongOrNull(9),
        Parent = r.IdOrNull(10),
        ParentStep = (int?)r.LongOrNull(11),
        CreatedAt = r.Long(12),
        StartedAt = r.LongOrNull(13),
        EndedAt = r.LongOrNull(14),
        UpdatedAt = r.Long(15),
        Error = r.BytesOrNull(16) is { } error ? WorkflowError.FromJson(JsonText.Parse(error)) : null,
        Reason = r.TextOrNull(17),
        Counts = ParseCounts(r.TextOrNull(18)),
        Depth = r.Int(19),
        Trigger = r.IdOrNull(20) is { } schedule ? new RunTrigger(schedule, r.Long(21)) : null,
        Fork = r.IdOrNull(22) is { } fork ? new ForkOrigin(fork, r.Long(23), (int?)r.LongOrNull(24)) : null,
        Limits = r.TextOrNull(25),
        StartedBy = r.TextOrNull(26) is { } events ? StartingEvents.Parse(events) : null,
    };
}

/// <summary>What a record changes in the run's row.</summary>
/// <param name="Keep">Whether the worker keeps the run; it lets go of one that waits or has ended.</param>
internal sealed record RunChange(RunPhase State, bool Keep, long? WakeAt, long? StartedAt, long? EndedAt, long UpdatedAt, WorkflowError? Error, string? Reason, StepCounts Counts);

/// <summary>Another worker holds the run; what this one decided does not count.</summary>
internal sealed class LostRunException(Guid run) : Exception($"The run {run} is held by another worker.");
