using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Approvals;

/// <summary>A question that a step asks people, as its row tells it. Times are Unix microseconds.</summary>
/// <param name="Form">The schema of what a person fills in; null: nothing.</param>
public sealed record ApprovalRow(Tenant Tenant, Guid Id, Guid Run, int Step, ApprovalState State, Ask Ask, Json? Form, string Hash, int Reminders, bool Escalated, long CreatedAt, long? EndedAt);

/// <summary>What one person has said about a question.</summary>
/// <param name="Approves">Null: they handed their vote to <paramref name="Delegate"/>.</param>
public sealed record ApprovalVote(string Person, bool? Approves, string? Delegate, string? Comment, Json Form, long At)
{
    /// <summary>Whether it says the same, whenever it was said.</summary>
    public bool Repeats(ApprovalVote other) => this with { At = other.At } == other;
}

/// <summary>Which questions a list shows. Newest first, after <paramref name="Before"/> when given.</summary>
public sealed record ApprovalFilter(IReadOnlyList<ApprovalState> States, Guid? Run, Guid? Before, int Limit);

/// <summary>Every statement on questions, votes and links.</summary>
public static class ApprovalStore
{
    /// <summary>A run that was given up without a decision of its own leaves its rows open.</summary>
    private const string State = "case when a.state = 0 and exists (select 1 from run r where r.workspace = a.workspace and r.id = a.run and r.state >= 4) then 4 else a.state end";

    private const string Columns = $"a.organisation, a.workspace, a.id, a.run, a.step, {State}, a.ask, a.form, a.hash, a.reminders, a.escalated, a.created_at, a.ended_at";

    internal static void Ask(DbUnit db, Tenant tenant, Guid run, Command.Ask ask, long now) => db.InsertLater(
        run,
        """
        insert into approval (organisation, workspace, id, run, step, state, ask, form, hash, reminders, escalated, created_at)
        values ($1, $2, $3, $4, $5, 0, $6, $7, $8, 0, 0, $9)
        """,
        tenant.Organisation, tenant.Workspace, ask.Approval.Id, run, (long)ask.Step, JsonText.ToUtf8(ask.Approval.Ask.ToJson()), Bytes(ask.Form), ask.Approval.Hash, now);

    internal static void Remind(DbUnit db, Tenant tenant, Guid run, Command.Remind remind) => db.ChangeLater(
        run, null, "update approval set reminders = $1, escalated = $2 where workspace = $3 and id = $4", (long)remind.Reminders, remind.Escalated, tenant.Workspace, remind.Approval);

    /// <summary>The run says how it ended.</summary>
    /// <param name="seen">Signals up to this position have been heard.</param>
    /// <exception cref="OvertakenException">A vote that the run has not heard says otherwise, or was in time where the run says that time is up.</exception>
    internal static void Settle(DbUnit db, Tenant tenant, Guid run, Command.Settle settle, long seen, long now)
    {
        // What was decided before the run was cancelled stays decided.
        if (settle.State == ApprovalState.Cancelled)
        {
            db.ChangeLater(run, null, "update approval set state = 4, ended_at = $1 where workspace = $2 and id = $3 and state = 0", now, tenant.Workspace, settle.Approval);
        }
        else if (settle.Expired)
        {
            // A vote has the run's row until it is on disk, so that those before this one can be seen.
            RunStore.Touch(db, tenant, run);
            db.ChangeLater(
                run, static id => new OvertakenException(id),
                """
                update approval set state = $1, ended_at = coalesce(ended_at, $2) where workspace = $3 and id = $4 and state = 0
                and not exists (select 1 from signal s where s.run = $5 and s.workspace = $3 and s.position > $6 and s.kind = 'approval')
                """,
                (long)settle.State, now, tenant.Workspace, settle.Approval, run, seen);
        }
        else
        {
            db.ChangeLater(
                run, static id => new OvertakenException(id),
                "update approval set state = $1, ended_at = coalesce(ended_at, $2) where workspace = $3 and id = $4 and state in (0, $1)",
                (long)settle.State, now, tenant.Workspace, settle.Approval);
        }
    }

    /// <summary>Nobody needs an answer to what the run asks any more.</summary>
    internal static void Withdraw(DbUnit db, Tenant tenant, Guid run, long now) =>
        db.ChangeLater(run, null, "update approval set state = 4, ended_at = $1 where workspace = $2 and run = $3 and state = 0", now, tenant.Workspace, run);

    /// <summary>A vote settles it.</summary>
    /// <returns>False when the run has settled it meanwhile, as when its time was up.</returns>
    internal static bool Settle(DbUnit db, ApprovalRow row, ApprovalState state, long now) => db.Execute(
        "update approval set state = $1, ended_at = $2 where workspace = $3 and id = $4 and state = 0", (long)state, now, row.Tenant.Workspace, row.Id) == 1;

    public static ApprovalRow? Get(DbUnit db, Tenant tenant, Guid id) =>
        db.First($"select {Columns} from approval a where a.workspace = $1 and a.id = $2", Map, null, tenant.Workspace, id);

    public static List<ApprovalRow> List(DbUnit db, Tenant tenant, ApprovalFilter filter)
    {
        var states = string.Join(',', filter.States.Select(s => (int)s));
        return db.Query(
            $"""
            select {Columns} from approval a
            where a.workspace = $1 and ($2 is null or a.id < $2) and {(filter.Run is null ? "($3 is null or a.run = $3)" : "a.run = $3")}
            {(states.Length == 0 ? "" : $"and ({State}) in ({states})")} {(states == "0" ? "and a.state = 0" : "")}
            order by a.id desc limit $4
            """,
            Map, tenant.Workspace, filter.Before, filter.Run, (long)filter.Limit);
    }

    public static List<ApprovalVote> Votes(DbUnit db, Tenant tenant, Guid approval) =>
        [.. db.Query("select person, vote, delegate, comment, form, at from approval_vote where workspace = $1 and approval = $2", MapVote, tenant.Workspace, approval)
            .OrderBy(v => v.At).ThenBy(v => v.Person, StringComparer.Ordinal)];

    internal static void Vote(DbUnit db, ApprovalRow row, ApprovalVote vote) => db.Execute(
        "insert into approval_vote (organisation, workspace, approval, person, vote, delegate, comment, form, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        row.Tenant.Organisation, row.Tenant.Workspace, row.Id, vote.Person, vote.Approves switch { false => 0L, true => 1L, null => 2L }, vote.Delegate,
        vote.Comment is { } comment ? System.Text.Encoding.UTF8.GetBytes(comment) : null, JsonText.ToUtf8(vote.Form), vote.At);

    /// <param name="token">SHA-256 of the token, in hexadecimal.</param>
    internal static void Link(DbUnit db, ApprovalRow row, string token, string person, long now) => db.Execute(
        "insert into approval_link (organisation, workspace, token, approval, person, created_at) values ($1, $2, $3, $4, $5, $6)",
        row.Tenant.Organisation, row.Tenant.Workspace, token, row.Id, person, now);

    internal static long CountLinks(DbUnit db, ApprovalRow row) =>
        db.First("select count(*) from approval_link where workspace = $1 and approval = $2", r => r.Long(0), 0L, row.Tenant.Workspace, row.Id);

    public static (Guid Approval, string Person)? FindLink(DbUnit db, Tenant tenant, string token) => db.First<(Guid, string)?>(
        "select approval, person from approval_link where workspace = $1 and token = $2", r => (r.Id(0), r.Text(1)), null, tenant.Workspace, token);

    private static byte[]? Bytes(Json? json) => json is { } value ? JsonText.ToUtf8(value) : null;

    private static ApprovalRow Map(DbRow r) => new(
        new Tenant(r.Id(0), r.Id(1)), r.Id(2), r.Id(3), r.Int(4), (ApprovalState)r.Long(5), Workflows.Kernel.Ask.FromJson(JsonText.Parse(r.Bytes(6))),
        r.BytesOrNull(7) is { } form ? JsonText.Parse(form) : (Json?)null, r.Text(8), r.Int(9), r.Long(10) == 1, r.Long(11), r.LongOrNull(12));

    private static ApprovalVote MapVote(DbRow r) => new(
        r.Text(0), r.Long(1) switch { 0 => false, 1 => true, _ => null }, r.TextOrNull(2), r.BytesOrNull(3) is { } comment ? System.Text.Encoding.UTF8.GetString(comment) : null,
        r.BytesOrNull(4) is { } form ? JsonText.Parse(form) : Json.Null, r.Long(5));
}

/// <summary>Somebody has decided what the run was about to decide otherwise; it reads its inbox first.</summary>
internal sealed class OvertakenException(Guid run) : Exception($"A decision for the run {run} was taken meanwhile.");
