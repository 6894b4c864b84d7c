using Millrace.Storage;
using Millrace.Workflows.Graph;

namespace Millrace.Engine.Events;

/// <summary>A definition of which an event may start a run. An empty type or source stands for any.</summary>
internal sealed record TriggerRow(WorkflowId Definition, string Hash);

/// <summary>Every statement on triggers: which definitions begin by themselves when an event of a type comes in.</summary>
public static class TriggerStore
{
    /// <summary>From now on events start runs of this version, and of no other of the definition; of none when it has no <c>schedule.on</c>.</summary>
    public static void Follow(DbUnit db, Tenant tenant, Workflow workflow)
    {
        var id = workflow.Id;
        db.Execute("delete from event_trigger where workspace = $1 and namespace = $2 and name = $3", tenant.Workspace, id.Namespace, id.Name);
        GatheringStore.Follow(db, tenant, workflow);
        foreach (var key in workflow.Trigger?.On.Keys() ?? [])
        {
            db.Execute(
                "insert into event_trigger (organisation, workspace, namespace, name, type, source, version, hash) values ($1, $2, $3, $4, $5, $6, $7, $8)",
                tenant.Organisation, tenant.Workspace, id.Namespace, id.Name, key.Type ?? "", key.Source ?? "", id.Version, workflow.Hash);
        }
    }

    /// <summary>Definitions that may begin with the event, each once.</summary>
    internal static List<TriggerRow> Of(DbUnit db, Tenant tenant, string type, string source) => db.Query(
        "select namespace, name, version, hash from event_trigger where workspace = $1 and type in ($2, '') and source in ($3, '')",
        r => new TriggerRow(new WorkflowId(r.Text(0), r.Text(1), r.Text(2)), r.Text(3)), tenant.Workspace, type, source).Distinct().ToList();

    internal static bool Any(DbUnit db, Tenant tenant) =>
        db.First("select name from event_trigger where workspace = $1 limit 1", r => r.Text(0), null, tenant.Workspace) is not null;
}
