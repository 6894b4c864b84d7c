using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;

namespace Millrace.Engine.Events;

/// <summary>A definition that several events start a run of together.</summary>
internal sealed record GatheringRow(Tenant Tenant, string Namespace, string Name, string Hash, string State);

/// <summary>Every statement on what has been gathered, and on events that have not been looked at yet.</summary>
internal static class GatheringStore
{
    private const string Columns = "organisation, workspace, namespace, name, hash, state";

    /// <summary>A version gathers anew; what an earlier one had gathered is dropped.</summary>
    public static void Follow(DbUnit db, Tenant tenant, Workflow workflow)
    {
        var id = workflow.Id;
        db.Execute("delete from event_gathering where workspace = $1 and namespace = $2 and name = $3", tenant.Workspace, id.Namespace, id.Name);
        db.Execute("delete from event_letter where workspace = $1 and namespace = $2 and name = $3", tenant.Workspace, id.Namespace, id.Name);
        if (workflow.Trigger is not { Gathers: true }) return;
        db.Execute($"insert into event_gathering ({Columns}) values ($1, $2, $3, $4, $5, $6)", tenant.Organisation, tenant.Workspace, id.Namespace, id.Name, workflow.Hash, "{}");
    }

    public static void Post(DbUnit db, Tenant tenant, WorkflowId definition, long position) => db.Execute(
        "insert into event_letter (organisation, workspace, namespace, name, event) values ($1, $2, $3, $4, $5) on conflict do nothing",
        tenant.Organisation, tenant.Workspace, definition.Namespace, definition.Name, position);

    public static bool AnyLetters(DbUnit db) => db.First("select 1 from event_letter limit 1", r => true, false);

    /// <summary>Definitions with events to look at.</summary>
    public static List<GatheringRow> Waiting(DbUnit db, int limit) => db.Query(
        $"select {Columns} from event_gathering where (workspace, namespace, name) in (select workspace, namespace, name from event_letter) limit $1", Map, (long)limit);

    /// <summary>The row for whoever may change it; null when somebody else does, or it is gone.</summary>
    public static GatheringRow? Lock(DbUnit db, GatheringRow row) => db.First(
        $"select {Columns} from event_gathering where workspace = $1 and namespace = $2 and name = $3 and hash = $4 /*pg: for update skip locked */",
        Map, null, row.Tenant.Workspace, row.Namespace, row.Name, row.Hash);

    /// <summary>Events to look at, in the order of the log.</summary>
    public static List<long> Letters(DbUnit db, GatheringRow row, int limit) => db.Query(
        "select event from event_letter where workspace = $1 and namespace = $2 and name = $3 order by event limit $4",
        r => r.Long(0), row.Tenant.Workspace, row.Namespace, row.Name, (long)limit);

    public static void Take(DbUnit db, GatheringRow row, long position) => db.Execute(
        "delete from event_letter where workspace = $1 and namespace = $2 and name = $3 and event = $4", row.Tenant.Workspace, row.Namespace, row.Name, position);

    public static void Update(DbUnit db, GatheringRow row, Json state) => db.Execute(
        "update event_gathering set state = $1 where workspace = $2 and namespace = $3 and name = $4", state.ToString(), row.Tenant.Workspace, row.Namespace, row.Name);

    /// <summary>Events for definitions that gather no more.</summary>
    public static void Forget(DbUnit db) => db.Execute(
        "delete from event_letter where not exists (select 1 from event_gathering g where g.workspace = event_letter.workspace and g.namespace = event_letter.namespace and g.name = event_letter.name)");

    private static GatheringRow Map(DbRow r) => new(new Tenant(r.Id(0), r.Id(1)), r.Text(2), r.Text(3), r.Text(4), r.Text(5));
}
