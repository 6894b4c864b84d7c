using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Platform.Runs;
using Millrace.Storage;

namespace Millrace.Platform.Streams;

/// <summary>
/// Changes of state of a workspace's runs, each told with the run as it is when it is told. Changes of one run that come
/// close together are told once, at the position of the last.
/// </summary>
internal sealed class WorkspaceLog(Tenant tenant, Database database, long after) : FollowedLog(after)
{
    private const int PageRecords = 500;

    /// <summary>Where a follower begins that wants to go on after a position: there, but not beyond where any log has come to; at the log's end when it wants nothing.</summary>
    public static Task<long> BeginAsync(Database database, Tenant tenant, long? after, CancellationToken cancel) =>
        // The log's last records go when their runs do; whoever has seen them does not see earlier ones again.
        database.ReadAsync(db => after is { } wanted ? Math.Min(wanted, JournalStore.End(db)) : JournalStore.LastPosition(db, tenant), cancel);

    public override string Topic => Topics.Workspace(tenant.Workspace);

    public override async Task<IReadOnlyList<Frame>> ReadAsync(CancellationToken cancel)
    {
        while (true)
        {
            var found = await database.ReadAsync(db => JournalStore.StateChanges(db, tenant, Position, PageRecords)
                .GroupBy(r => r.Run, (run, rows) => (Run: run, rows.Last().Position)).OrderBy(r => r.Position)
                .Select(r => (r.Position, Run: RunStore.Get(db, tenant, r.Run) is { } row ? Run.Of(row, JournalStore.LastSeq(db, tenant, r.Run)) : null)).ToList(), cancel);
            if (found.Count == 0) return [];
            Position = found[^1].Position;
            // Of runs that are being removed, nothing is told.
            var told = found.Where(f => f.Run is not null).Select(f => Frames.Encode(f.Position, "run", f.Run)).ToList();
            if (told.Count > 0) return told;
        }
    }
}
