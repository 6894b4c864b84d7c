using System.Text;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows;

namespace Millrace.Engine.DeadLetters;

/// <summary>Every statement on dead letters.</summary>
public static class DeadLetterStore
{
    private const string Columns = "organisation, workspace, kind, subject, definition, reason, error, target, first_at, last_at, times";

    /// <summary>Puts something aside; what is there already has come once more.</summary>
    internal static void Put(DbUnit db, DeadLetter letter, long now) => db.Execute(
        """
        insert into dead_letter (organisation, workspace, id, kind, subject, definition, reason, error, target, first_at, last_at, times)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, 1)
        on conflict (workspace, id) do update set reason = excluded.reason, error = excluded.error, target = excluded.target, last_at = excluded.last_at, times = dead_letter.times + 1
        """,
        letter.Tenant.Organisation, letter.Tenant.Workspace, letter.Id, KindOf(letter.Kind), letter.Subject, letter.Definition, letter.Reason,
        Sound(letter.Error?.ToJson().ToString()), letter.Target?.ToString(), now);

    /// <summary>By id, which is in no order of time: whoever lists sorts by what he wants.</summary>
    public static List<DeadLetter> List(DbUnit db, Tenant tenant, DeadLetterFilter filter) => db.Query(
        $"""
        select {Columns} from dead_letter where workspace = $1 and ($2 is null or kind = $2) and ($3 is null or reason = $3) and ($4 is null or definition = $4)
            and ($5 is null or id > $5) order by id limit $6
        """,
        Map, tenant.Workspace, filter.Kind is { } kind ? KindOf(kind) : null, filter.Reason, filter.Definition, filter.Before, (long)filter.Limit);

    public static DeadLetter? Get(DbUnit db, Tenant tenant, Guid id) =>
        db.First($"select {Columns} from dead_letter where workspace = $1 and id = $2", Map, null, tenant.Workspace, id);

    /// <summary>Whether the run lies here.</summary>
    public static bool Holds(DbUnit db, Tenant tenant, Guid run) =>
        db.First("select 1 from dead_letter where workspace = $1 and id = $2", r => true, false, tenant.Workspace, DeadLetter.IdOf(DeadLetterKind.Run, run.ToString()));

    /// <returns>False when it is there no more.</returns>
    public static bool Discard(DbUnit db, Tenant tenant, Guid id) => db.Execute("delete from dead_letter where workspace = $1 and id = $2", tenant.Workspace, id) == 1;

    private static string KindOf(DeadLetterKind kind) => kind switch { DeadLetterKind.Event => "event", DeadLetterKind.Schedule => "schedule", _ => "run" };

    // PostgreSQL has no text with this character.
    private static string? Sound(string? text) => text?.Replace("\\u0000", "\\ufffd", StringComparison.Ordinal);

    private static Json? Parse(string? text) => text is null ? (Json?)null : JsonText.Parse(Encoding.UTF8.GetBytes(text));

    private static DeadLetter Map(DbRow r) => new(
        new Tenant(r.Id(0), r.Id(1)), r.Text(2) switch { "event" => DeadLetterKind.Event, "schedule" => DeadLetterKind.Schedule, _ => DeadLetterKind.Run },
        r.Text(3), r.Text(5), Parse(r.TextOrNull(6)) is { } error ? WorkflowError.FromJson(error) : null)
    {
        Definition = r.Text(4),
        Target = Parse(r.TextOrNull(7)),
        FirstAt = r.Long(8),
        LastAt = r.Long(9),
        Times = r.Long(10),
    };
}
