using System.Text;
using System.Text.Json;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows.Documents;

namespace Millrace.Platform.Definitions;

/// <summary>Every statement on the versions of definitions.</summary>
internal static class DefinitionStore
{
    private const string Columns = "d.namespace, d.name, d.version, d.title, d.summary, d.hash, d.created_at, d.tags";

    private const string IsLatest = """
        not exists (select 1 from definition_version later where later.workspace = d.workspace
            and later.namespace = d.namespace and later.name = d.name
            and (later.precedence, later.version) > (d.precedence, d.version))
        """;

    /// <returns>False when that version is there already, with whatever text.</returns>
    public static bool Insert(DbUnit unit, Tenant tenant, DefinitionVersion definition, byte[] source, string words)
    {
        var rows = unit.Execute(
            """
            insert into definition_version (organisation, workspace, namespace, name, version, precedence, hash, source,
                title, summary, tags, warnings, input_schema, secrets, created_at, words)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            on conflict (workspace, namespace, name, version) do nothing
            """,
            tenant.Organisation, tenant.Workspace, definition.Namespace, definition.Name, definition.Version,
            SemanticVersion.Precedence(definition.Version), definition.Hash, source,
            definition.Title, definition.Summary, definition.Tags?.ToString(), JsonSerializer.Serialize(definition.Diagnostics, WireJson.Options),
            definition.InputSchema?.ToString(), JsonSerializer.Serialize(definition.Secrets, WireJson.Options), Micros.Of(definition.CreatedAt), words);
        if (rows == 0) return false;
        unit.Execute(
            "insert into definition_words (workspace, namespace, name, version, words) values ($1, $2, $3, $4, $5)",
            tenant.Workspace, definition.Namespace, definition.Name, definition.Version, words);
        return true;
    }

    /// <summary>Lets nobody else push a version of this definition before this transaction ends, so that what is the latest here stays so.</summary>
    public static void Lock(DbUnit unit, Tenant tenant, string space, string name) =>
        unit.First("select 1 /*pg: from pg_advisory_xact_lock(hashtextextended($1, 12)) */ where $1 is not null", row => 1, 0, $"{tenant.Workspace:N}/{space}/{name}");

    /// <summary>A version, or the latest when none is named.</summary>
    public static DefinitionVersion? Find(DbUnit unit, Tenant tenant, DefinitionName name) =>
        name.Version is null or SemanticVersion.Latest
            ? unit.First(
                $"""
                select {Columns}, d.warnings, d.input_schema, d.secrets from definition_version d
                where d.organisation = $1 and d.workspace = $2 and d.namespace = $3 and d.name = $4
                order by d.precedence desc, d.version desc limit 1
                """, Version, null, tenant.Organisation, tenant.Workspace, name.Namespace, name.Name)
            : unit.First(
                $"""
                select {Columns}, d.warnings, d.input_schema, d.secrets from definition_version d
                where d.organisation = $1 and d.workspace = $2 and d.namespace = $3 and d.name = $4 and d.version = $5
                """, Version, null, tenant.Organisation, tenant.Workspace, name.Namespace, name.Name, name.Version);

    public static byte[]? Source(DbUnit unit, Tenant tenant, string hash) =>
        unit.First("select source from definition_version where organisation = $1 and workspace = $2 and hash = $3 limit 1",
            row => row.Bytes(0), null, tenant.Organisation, tenant.Workspace, hash);

    /// <summary>The latest version of each definition, by name, after the given one.</summary>
    /// <param name="text">Only those whose name, title or summary holds it, or whose document has all of its words, whatever the case.</param>
    public static List<DefinitionSummary> Latest(DbUnit unit, Tenant tenant, string? text, (string Namespace, string Name)? after, int rowsMax) =>
        unit.Query(
            $"""
            select {Columns} from definition_version d
            where d.organisation = $1 and d.workspace = $2 and (d.namespace, d.name) > ($3, $4)
              and ($5 is null or lower(d.namespace || '/' || d.name || ' ' || coalesce(d.title, '') || ' ' || coalesce(d.summary, '')) like $5 escape '\'
                or ($6 is not null and (d.namespace, d.name, d.version) in
                    (select w.namespace, w.name, w.version from definition_words w where w.workspace = $2 and match($6, w.definition_words))))
              and {IsLatest}
            order by d.namespace, d.name limit $7
            """,
            Summary, tenant.Organisation, tenant.Workspace, after?.Namespace ?? "", after?.Name ?? "", text is null ? null : $"%{EscapeLike(text)}%", text is null ? null : DefinitionWords.Question(text), (long)rowsMax);

    /// <summary>Versions of one definition, newest first, after the given one.</summary>
    public static List<DefinitionSummary> Versions(DbUnit unit, Tenant tenant, string space, string name, string? after, int rowsMax) =>
        unit.Query(
            $"""
            select {Columns} from definition_version d
            where d.organisation = $1 and d.workspace = $2 and d.namespace = $3 and d.name = $4
              and ($5 is null or (d.precedence, d.version) < ($5, $6))
            order by d.precedence desc, d.version desc limit $7
            """,
            Summary, tenant.Organisation, tenant.Workspace, space, name, after is null ? null : SemanticVersion.Precedence(after), after, (long)rowsMax);

    public static long Count(DbUnit unit, Tenant tenant) =>
        unit.First("select count(*) from definition_version where organisation = $1 and workspace = $2", row => row.Long(0), 0, tenant.Organisation, tenant.Workspace);

    private static string EscapeLike(string text) =>
        text.ToLowerInvariant().Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal);

    private static DefinitionSummary Summary(DbRow row) => new(
        row.Text(0), row.Text(1), row.Text(2), row.TextOrNull(3), row.TextOrNull(4), row.Text(5), Micros.ToTime(row.Long(6)), Value(row, 7));

    private static DefinitionVersion Version(DbRow row) => new(
        row.Text(0), row.Text(1), row.Text(2), row.TextOrNull(3), row.TextOrNull(4), row.Text(5), Micros.ToTime(row.Long(6)), Value(row, 7),
        JsonSerializer.Deserialize<List<Diagnostic>>(row.Text(8), WireJson.Options)!, Value(row, 9),
        JsonSerializer.Deserialize<List<string>>(row.Text(10), WireJson.Options)!);

    private static Json? Value(DbRow row, int column) => row.TextOrNull(column) is { } text ? JsonText.Parse(Encoding.UTF8.GetBytes(text)) : (Json?)null;
}
