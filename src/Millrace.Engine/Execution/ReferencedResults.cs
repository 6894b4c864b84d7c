using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>Reads the results that a map left with its children, for a map that works on them.</summary>
internal sealed class ReferencedResults(Worker worker)
{
    /// <summary>Maps whose index is held; all are dropped when there is one more.</summary>
    private const int IndexesMax = 8;

    private readonly Lock _gate = new();
    private readonly Dictionary<(Guid Workspace, Guid Run, int Step, int Children), ResultIndex> _indexes = [];

    /// <returns>Null when they are not kept any more, or there have never been any.</returns>
    public async ValueTask<JsonArray?> ReadAsync(RunActor reader, Decision decision, ChunkReference of)
    {
        var key = (reader.Tenant.Workspace, of.Run, of.Step, of.Children);
        ResultIndex? index;
        lock (_gate) index = _indexes.GetValueOrDefault(key);
        if (index is null)
        {
            index = await IndexAsync(reader, decision, of);
            if (index is null) return null;
            lock (_gate)
            {
                if (_indexes.Count >= IndexesMax) _indexes.Clear();
                _indexes[key] = index;
            }
        }
        return of.Chunk < index.Chunks ? await ChunkReader.ReadAsync(worker.Journal, reader.Tenant, index[of.Chunk]) : null;
    }

    private async Task<ResultIndex?> IndexAsync(RunActor reader, Decision decision, ChunkReference of)
    {
        // The map may have ended in this very decision, or in a record that is still on its way to the disk.
        if (of.Run == reader.Id) await worker.Database.WriteAsync(_ => 0);
        if (await worker.Database.ReadAsync(db => RunStore.Get(db, reader.Tenant, of.Run)) is not { } row) return null;
        if (await worker.Definitions.ByHashAsync(reader.Tenant, row.Hash) is not { } workflow) return null;
        var state = new RunState(workflow, of.Run);
        ResultIndex? found = null;
        await foreach (var record in worker.Journal.EachAsync(reader.Tenant, of.Run, -1))
            foreach (var entry in record.Entries) Apply(entry, record.At);
        if (of.Run == reader.Id)
            foreach (var entry in decision.Entries) Apply(entry, decision.Now);
        return found;

        void Apply(Entry entry, long at)
        {
            state.Apply(entry, at);
            if (entry is SpawnEntry.Opened opened && opened.Step == of.Step) found = state.Find(of.Step)!.Window!.Results;
        }
    }
}
