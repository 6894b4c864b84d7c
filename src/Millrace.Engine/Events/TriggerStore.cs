using Millrace.Storage;
using Millrace.Workflows.Graph;

namespace Millrace.Engine.Events;

/// <summary>A definition of which an event may start a run. An empty type or source stands for any.</summary>
internal sealed record TriggerRow(WorkflowId Definition, string Hash);

/// <summary>A definition whose runs events start, as people see it.</summary>
/// <param name="Definition">The latest version, which is the one that is started.</param>
/// <param name="Since">When it began to listen, Unix microseconds; null for one that was pushed before that was kept.</param>
/// <param name="Keys">The types and sources it listens for.</param>
public sealed record ListeningDefinition(WorkflowId Definition, string Hash, bool Paused, long? Since, IReadOnlyList<EventKey> Keys);

/// <summary>Every statement on triggers: which definitions begin by themselves when an event of a type comes in.</summary>
public static class TriggerStore
{
    /// <summary>From now on events start runs of this version, and of no other of the definition; of none when it has no <c>schedule.on</c>.</summary>
    /// <param name="now">Since when it listens, unless an earlier version did.</param>
    public static void Follow(DbUnit db, Tenant tenant, Workflow workflow, long now)
    {
        var id = workflow.Id;
        if (workflow.Trigger is null) db.Execute("delete from event_trigger_state where workspace = $1 and namespace = $2 and name = $3", tenant.Workspace, id.Namespace, id.Name);
        else
        {
            db.Execute(
                "insert into event_trigger_state (organisation, workspace, namespace, name, paused, since) values ($1, $2, $3, $4, 0, $5) on conflict do nothing",
                tenant.Organisation, tenant.Workspace, id.Namespace, id.Name, now);
        }
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
        """
        select namespace, name, version, hash from event_trigger t where workspace = $1 and type in ($2, '') and source in ($3, '')
            and not exists (select 1 from event_trigger_state s where s.workspace = t.workspace and s.namespace = t.namespace and s.name = t.name and s.paused = 1)
        """,
        r => new TriggerRow(new WorkflowId(r.Text(0), r.Text(1), r.Text(2)), r.Text(3)), tenant.Workspace, type, source).Distinct().ToList();

    /// <summary>By name, after the given one.</summary>
    public static List<ListeningDefinition> List(DbUnit db, Tenant tenant, (string Namespace, string Name)? after, int limit) => db.Query(
        """
        select t.namespace, t.name, min(t.version), min(t.hash), max(s.paused), max(s.since) from event_trigger t
        left join event_trigger_state s on s.workspace = t.workspace and s.namespace = t.namespace and s.name = t.name
        where t.workspace = $1 and (t.namespace, t.name) > ($2, $3) group by t.namespace, t.name order by t.namespace, t.name limit $4
        """,
        Map, tenant.Workspace, after?.Namespace ?? "", after?.Name ?? "", (long)limit).ConvertAll(d => WithKeys(db, tenant, d));

    /// <returns>Null when the latest version is not started by events.</returns>
    public static ListeningDefinition? Find(DbUnit db, Tenant tenant, string space, string name) => db.First(
        """
        select t.namespace, t.name, t.version, t.hash, s.paused, s.since from event_trigger t
        left join event_trigger_state s on s.workspace = t.workspace and s.namespace = t.namespace and s.name = t.name
        where t.workspace = $1 and t.namespace = $2 and t.name = $3 limit 1
        """,
        Map, null, tenant.Workspace, space, name) is { } found ? WithKeys(db, tenant, found) : null;

    /// <summary>While it is paused events start no run of the definition, and those that come meanwhile are not made up for.</summary>
    /// <param name="now">Since when it listens, where that was never kept.</param>
    public static void Pause(DbUnit db, Tenant tenant, ListeningDefinition on, bool paused, long now) => db.Execute(
        """
        insert into event_trigger_state (organisation, workspace, namespace, name, paused, since) values ($1, $2, $3, $4, $5, $6)
        on conflict (workspace, namespace, name) do update set paused = excluded.paused
        """,
        tenant.Organisation, tenant.Workspace, on.Definition.Namespace, on.Definition.Name, paused ? 1L : 0L, now);

    private static ListeningDefinition WithKeys(DbUnit db, Tenant tenant, ListeningDefinition one) => one with
    {
        Keys = db.Query("select type, source from event_trigger where workspace = $1 and namespace = $2 and name = $3 order by type, source",
            r => new EventKey(Some(r.Text(0)), Some(r.Text(1))), tenant.Workspace, one.Definition.Namespace, one.Definition.Name),
    };

    private static string? Some(string text) => text.Length == 0 ? null : text;

    private static ListeningDefinition Map(DbRow r) => new(new WorkflowId(r.Text(0), r.Text(1), r.Text(2)), r.Text(3), r.LongOrNull(4) == 1, r.LongOrNull(5), []);

    internal static bool Any(DbUnit db, Tenant tenant) =>
        db.First("select name from event_trigger where workspace = $1 limit 1", r => r.Text(0), null, tenant.Workspace) is not null;
}
