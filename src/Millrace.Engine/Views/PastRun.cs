using Millrace.Engine.Execution;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Views;

/// <summary>A run as it stood at a place of its journal.</summary>
/// <param name="Seq">The record it stood behind; the one that is told in part when it stood before a step.</param>
public sealed record PastRun(RunHistory History, long Seq, long At)
{
    private const int PageRecords = 1000;

    /// <summary>As it stood behind a record, or just before a step began.</summary>
    /// <returns>Null when the run has no such record or step.</returns>
    public static async Task<PastRun?> ReadAsync(JournalReader journal, Tenant tenant, Guid run, Workflow workflow, long? seq, int? step, CancellationToken cancel)
    {
        var history = new RunHistory(workflow, run);
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            var page = await journal.AfterAsync(tenant, run, history.State.Position, PageRecords);
            foreach (var record in page)
            {
                var at = step is { } wanted ? PlaceOf(record, wanted) : -1;
                history.Apply(at < 0 ? record : record with { Entries = [.. record.Entries.Take(at)] });
                if (at >= 0 || record.Seq == seq) return new PastRun(history, record.Seq, record.At);
            }
            if (page.Count < PageRecords) return null;
        }
    }

    private static int PlaceOf(DecodedRecord record, int step)
    {
        for (var i = 0; i < record.Entries.Count; i++)
            if (record.Entries[i] is Entry.StepStarted s && s.Step == step || record.Entries[i] is Entry.StepSkipped k && k.Step == step) return i;
        return -1;
    }
}
