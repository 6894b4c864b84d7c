using Millrace.Storage;

namespace Millrace.Engine.Events;

/// <summary>A run that heard an event.</summary>
/// <param name="Started">The event started it; otherwise it listened for it.</param>
public sealed record Hearing(Guid Run, bool Started);

/// <summary>Every statement on which runs heard which events. They go with the events.</summary>
public static class HearingStore
{
    internal static void Add(DbUnit db, Tenant tenant, Guid run, IReadOnlyList<long> events, bool started)
    {
        foreach (var position in events)
        {
            db.InsertLater(
                run, "insert into event_hearing (organisation, workspace, event, run, started) values ($1, $2, $3, $4, $5) on conflict do nothing",
                tenant.Organisation, tenant.Workspace, position, run, started ? 1L : 0L);
        }
    }

    /// <summary>Runs that heard an event, oldest first, after one of them.</summary>
    public static List<Hearing> Of(DbUnit db, Tenant tenant, long position, Guid? after, int limit) => db.Query(
        """
        select h.run, h.started from event_hearing h where h.workspace = $1 and h.event = $2 and ($3 is null or h.run > $3)
            and exists (select 1 from run r where r.workspace = h.workspace and r.id = h.run) order by h.run limit $4
        """,
        r => new Hearing(r.Id(0), r.Long(1) == 1), tenant.Workspace, position, after, (long)limit);

    /// <summary>Forgets who heard events that are kept no more.</summary>
    internal static int Sweep(DbUnit db) => db.Execute("delete from event_hearing where event < coalesce((select min(position) from event), $1)", long.MaxValue);
}
