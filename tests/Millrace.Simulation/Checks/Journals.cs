using System.Text;
using Millrace.Simulation.World;
using Millrace.Storage;

namespace Millrace.Simulation.Checks;

/// <summary>What is on disk of the runs that a failure speaks of, for whoever reads its story.</summary>
internal static class Journals
{
    public static async Task NoteAsync(Cluster cluster, string failure)
    {
        var runs = await cluster.Database!.ReadAsync(db => db.Query("select id from run", r => r.Id(0)));
        foreach (var run in runs.Where(r => failure.Contains(Names.Of(r), StringComparison.Ordinal)))
        {
            foreach (var line in await cluster.Database!.ReadAsync(db => Of(db, run))) cluster.Scheduler.Note($"{Names.Of(run)} {line}");
        }
    }

    private static List<string> Of(DbUnit db, Guid run) =>
    [
        .. db.Query(
            "select name, state, lease, wake_at, (select group_concat(s.kind) from signal s where s.run = r.id), (select group_concat(p.name || ' ' || p.held) from limit_place p where p.run = r.id) from run r where id = $1",
            r => $"runs {r.Text(0)}: state {r.Long(1)}, lease {r.LongOrNull(2)?.ToString() ?? "none"}, due {r.LongOrNull(3)?.ToString() ?? "never"}, inbox {r.TextOrNull(4) ?? "empty"}, lines {r.TextOrNull(5) ?? "none"}", run),
        .. db.Query("select seq, at, entries from journal where run = $1 order by seq", r => $"record {r.Long(0)} at {r.Long(1)}: {Encoding.UTF8.GetString(r.Bytes(2)).Trim()}", run),
    ];
}
