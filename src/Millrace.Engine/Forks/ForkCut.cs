using System.Globalization;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Forks;

/// <summary>One record of the source, as it lies in the journal. Large values stay where they are: only their names are copied.</summary>
internal sealed record SourceRecord(long Position, long Seq, long At, Json Json, byte[] Bytes, IReadOnlyList<Entry> Entries);

/// <summary>The place in a journal at which it is cut: before an entry of a record, or behind all of them.</summary>
/// <param name="Record">Index of the record that is cut; the ones before it are taken whole.</param>
/// <param name="Entry">Index of the first entry of that record that is left out.</param>
/// <param name="Step">The step that begins anew.</param>
/// <param name="Again">Whether it had begun.</param>
/// <param name="Scope">Where that step stands.</param>
internal sealed record ForkCut(int Record, int Entry, int? Step = null, bool Again = false, int Scope = 0)
{
    /// <param name="parted">Where the source parted from another run; null for one that is no fork.</param>
    /// <exception cref="ForkRefusedException">The run has no such place.</exception>
    public static ForkCut Find(IReadOnlyList<SourceRecord> records, Workflow workflow, ForkPoint point, ForkOrigin? parted) => point switch
    {
        ForkPoint.Before before => Before(records, e => Begun(e)?.Step == before.Step)
            ?? throw Refused("run.fork_no_step", $"The run has begun no step {before.Step}.", "/step"),
        ForkPoint.BeforeTask task => BeforeTask(records, workflow, task.Reference),
        ForkPoint.Behind behind => Behind(records, behind.Seq, parted),
        _ => AtFailure(records),
    };

    /// <summary>Whether an entry is what a point is looking for, so that no more need be read.</summary>
    public static bool Holds(SourceRecord record, ForkPoint point) => point switch
    {
        ForkPoint.Before before => record.Entries.Any(e => Begun(e)?.Step == before.Step),
        ForkPoint.Behind behind => record.Seq >= behind.Seq,
        _ => false,
    };

    public static (int Step, int Scope, int Node)? Begun(Entry entry) => entry switch
    {
        Workflows.Kernel.Entry.StepStarted e => (e.Step, e.Parent, e.Node),
        Workflows.Kernel.Entry.StepSkipped e => (e.Step, e.Parent, e.Node),
        CompensationEntry.Started e => (e.Step, 0, e.Node),
        _ => null,
    };

    private static ForkCut BeforeTask(IReadOnlyList<SourceRecord> records, Workflow workflow, string reference)
    {
        if (workflow.Nodes.All(n => n.Reference != reference))
            throw new ForkRefusedException(new ForkRefusal("run.fork_no_task", $"The run's definition has no task {reference}.", "/task", reference));
        return Before(records, e => Begun(e) is { } begun && workflow.Nodes[begun.Node].Reference == reference)
            ?? throw new ForkRefusedException(new ForkRefusal("run.fork_no_step", $"The run has not come to the task {reference}.", "/task", reference));
    }

    private static ForkCut? Before(IReadOnlyList<SourceRecord> records, Func<Entry, bool> isIt)
    {
        for (var record = records.Count - 1; record >= 0; record--)
        {
            var entries = records[record].Entries;
            for (var entry = entries.Count - 1; entry >= 0; entry--)
                if (isIt(entries[entry])) return new ForkCut(record, entry, Begun(entries[entry])!.Value.Step, false, Begun(entries[entry])!.Value.Scope);
        }
        return null;
    }

    private static ForkCut Behind(IReadOnlyList<SourceRecord> records, long seq, ForkOrigin? parted)
    {
        var last = records[^1];
        if (last.Seq != seq)
            throw Refused("run.fork_no_record", string.Create(CultureInfo.InvariantCulture, $"The journal has records 0 to {last.Seq}; there is no record {seq}."), "/seq");
        if (IsEnd(last.Entries[^1]))
            throw Refused("run.fork_finished", $"The run ended with record {seq}: nothing is left to go on with. Choose a record or a step before it.", "/seq");
        // The last record that a fork took over may end in the midst of a step, which begins anew there: nothing else would ever end it.
        return parted is { Step: { } step } && parted.Seq == seq && last.Entries is not [Workflows.Kernel.Entry.RunForked] && BegunIn(records, step) is { } begun
            ? new ForkCut(records.Count - 1, last.Entries.Count, step, true, begun.Scope)
            : new ForkCut(records.Count - 1, last.Entries.Count);
    }

    private static (int Step, int Scope, int Node)? BegunIn(IReadOnlyList<SourceRecord> records, int step) =>
        records.SelectMany(r => r.Entries).Select(Begun).LastOrDefault(b => b?.Step == step);

    private static bool IsEnd(Entry entry) => entry is Workflows.Kernel.Entry.RunCompleted or Workflows.Kernel.Entry.RunFaulted or Workflows.Kernel.Entry.RunCancelled;

    /// <summary>
    /// Before the step at which the error that ended the run arose, which is begun once more while all else goes on as it stood. An error
    /// stands in the journal as the faults of the steps it went through, from the inside out, in one record.
    /// </summary>
    private static ForkCut AtFailure(IReadOnlyList<SourceRecord> records)
    {
        if (records.Any(r => r.Entries.Any(e => e is CompensationEntry.Begun)))
            throw Refused("run.compensated", "What the run did has been undone before it ended, so it cannot go on from there. Start it anew, or fork it before a step.", null);
        var entries = records[^1].Entries;
        var end = entries.Count - 1;
        if (entries[end] is not (Workflows.Kernel.Entry.RunFaulted or Workflows.Kernel.Entry.RunCancelled))
            throw Refused("run.not_failed", "Only a run that has faulted or was cancelled can be retried.", null);
        var cut = BeforeCancelled(entries, end);
        if (entries[end] is Workflows.Kernel.Entry.RunCancelled) return new ForkCut(records.Count - 1, cut);
        // The input was refused: the run begins anew.
        if (cut > 0 && entries[cut - 1] is Workflows.Kernel.Entry.RunStarted) return new ForkCut(records.Count - 1, cut - 1);
        var parents = records.SelectMany(r => r.Entries).Select(Begun).OfType<(int Step, int Scope, int Node)>().ToDictionary(b => b.Step, b => b.Scope);
        var (scope, step) = (0, default(int?));
        for (var at = cut; at > 0 && entries[at - 1] is Workflows.Kernel.Entry.StepFaulted fault && parents[fault.Step] == scope; at = BeforeCancelled(entries, at - 1))
            (cut, step, scope) = (at - 1, fault.Step, fault.Step);
        return step is { } faulted
            ? new ForkCut(records.Count - 1, cut, faulted, true, parents[faulted])
            : new ForkCut(records.Count - 1, cut);
    }

    private static int BeforeCancelled(IReadOnlyList<Entry> entries, int at)
    {
        while (at > 0 && entries[at - 1] is Workflows.Kernel.Entry.StepCancelled) at--;
        return at;
    }

    private static ForkRefusedException Refused(string code, string detail, string? pointer) => new(new ForkRefusal(code, detail, pointer));
}
