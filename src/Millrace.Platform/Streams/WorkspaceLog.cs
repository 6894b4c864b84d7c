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

    public override string Topic => Topics.Workspace(tenant.Workspace);

    public override async Task<IReadOnlyList<Frame>> ReadAsync(CancellationToken cancel)
    {
        var found = await database.ReadAsync(db => JournalStore.StateChanges(db, tenant, Position, PageRecords)
            .GroupBy(r => r.Run, (run, rows) => (Run: run, rows.Last().Position)).OrderBy(r => r.Position)
            .Select(r => (r.Position, Run: RunStore.Get(db, tenant, r.Run) is { } row ? Run.Of(row, JournalStore.LastSeq(db, tenant, r.Run)) : null)).ToList(), cancel);
        if (found.Count == 0) return [];
        Position = found[^1].Position;
        return [.. found.Where(f => f.Run is not null).Select(f => Frames.Encode(f.Position, "run", f.Run))];
    }
}
