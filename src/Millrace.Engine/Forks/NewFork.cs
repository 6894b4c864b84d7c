using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Forks;

/// <summary>A child that a step awaited and that had ended at the cut.</summary>
/// <param name="Last">The run that it went on as in the end; itself when it did not.</param>
internal sealed record EndedChild(int Step, Guid Child, Guid Last)
{
    /// <summary>What the fork hears: who ended, and whose end that is.</summary>
    public Json Signal => Child == Last ? Json.Object("run", Child.ToString()) : new JsonObject.Builder().Set("run", Child.ToString()).Set("end", Last.ToString()).Build();
}

/// <summary>
/// A run to be created from a part of another's journal: copies of its records, the place where the two part, and the row, in one transaction.
/// Any worker takes it as it takes every run that is due.
/// </summary>
internal sealed class NewFork
{
    private readonly List<(long At, byte[] Entries)> _records = [];
    private readonly RunState _state;
    private readonly Workflow _workflow;

    private NewFork(RunRow row, Workflow workflow)
    {
        Row = row;
        _workflow = workflow;
        _state = new RunState(workflow, row.Id);
    }

    public RunRow Row { get; private set; }

    /// <summary>Values too large for the journal, to be kept before the row is.</summary>
    public IReadOnlyList<LargeValue> Large { get; private set; } = [];

    /// <summary>Children of active steps, with the step.</summary>
    public IReadOnlyList<(int Step, Guid Child)> Awaited =>
        [.. _state.Active.Values.Where(s => s.Child is not null && s.Node.Body is SpawnBody { Await: true }).Select(s => (s.Id, s.Child!.Value))];

    public long CutAt { get; private set; }

    /// <summary>What stands before it in the log had happened at the cut.</summary>
    public long CutPosition { get; private set; }

    /// <summary>Takes over the source's records up to the cut.</summary>
    /// <exception cref="ForkRefusedException">The version to go on with does not fit what was done.</exception>
    public static NewFork Of(RunRow row, IReadOnlyList<SourceRecord> source, ForkCut cut, Workflow from, Workflow to)
    {
        var fork = new NewFork(row, to);
        var graph = new ForkGraph(from, to);
        for (var i = 0; i <= cut.Record; i++)
        {
            var record = i < cut.Record || cut.Entry == source[i].Entries.Count ? source[i] : Before(source[i], cut.Entry);
            if (record.Entries.Count > 0) fork.Take(graph.Translate(record));
        }
        (fork.CutAt, fork.CutPosition) = (source[cut.Record].At, source[cut.Record].Position);
        fork.Row = row with { Fork = new ForkOrigin(row.Fork!.Run, source[cut.Record].Seq, cut.Step) };
        return fork;
    }

    /// <summary>Ends what is taken over.</summary>
    /// <param name="ended">Children that had ended at the cut, with the step: their ends are written to the fork's inbox.</param>
    public void Part(ForkRequest request, ForkCut cut, IReadOnlyList<int> ended)
    {
        CheckInput(request, cut);
        if (request.Context is not null && !_state.IsStarted)
            throw new ForkRefusedException(new ForkRefusal("run.fork_no_context", "The run has not started at this place; its context is its input.", "/context"));
        var (bytes, large) = EntryWriter.Write([new Entry.RunForked(request.Source, Row.Fork!.Seq, CutAt)
        {
            Step = cut.Step,
            Again = cut.Again,
            Scope = cut.Scope,
            Input = request.Input,
            Context = request.Context,
            Reason = request.Reason,
            Ended = ended,
        }]);
        Large = large;
        // The clock of whoever forks may be behind that of whoever wrote the last record.
        _records.Add((Math.Max(Row.CreatedAt, CutAt), bytes));
    }

    public void Insert(DbUnit db, IReadOnlyList<EndedChild> ended)
    {
        RunStore.Insert(db, Row);
        if (_workflow.Flow is not null) RunStore.NeedLater(db, Row.Tenant, Row.Id, EntryReader.LimitsFormat);
        var last = _records.Count - 1;
        for (var seq = 0; seq <= last; seq++)
            JournalStore.Append(db, Row.Tenant, Row.Id, seq, _records[seq].At, seq == last ? RunPhase.Pending : null, _records[seq].Entries);
        ArtifactStore.Copy(db, Row.Tenant, Row.Fork!.Run, Row.Id, CutAt);
        foreach (var child in ended) SignalStore.Send(db, Row.Tenant, Row.Id, "child", child.Signal, Row.CreatedAt);
    }

    private void Take(SourceRecord record)
    {
        foreach (var entry in record.Entries) _state.Apply(entry, record.At);
        _records.Add((record.At, record.Bytes));
    }

    private static SourceRecord Before(SourceRecord record, int entry)
    {
        var json = (Json)record.Json.AsArray().Slice(0, entry);
        return record with { Json = json, Bytes = JsonText.ToUtf8(json), Entries = [.. record.Entries.Take(entry)] };
    }

    private void CheckInput(ForkRequest request, ForkCut cut)
    {
        if (request.Input is null || cut.Step is not null || !_state.IsStarted) return;
        throw new ForkRefusedException(new ForkRefusal("run.fork_no_step",
            "No single step begins at this place, so nothing takes the input. Name the step that is to begin with it.", "/input"));
    }
}
