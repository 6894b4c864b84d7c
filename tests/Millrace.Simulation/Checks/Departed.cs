using Millrace.Engine.Forks;
using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Simulation.World;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>
/// A fork begins with what its source had done up to a place, and does nothing of it again; each was made once. What is redriven begins only what had failed, and
/// never are more children of a step under way than it may have.
/// </summary>
internal sealed class Departed(Cluster cluster, Operators operators)
{
    public void Judge(IReadOnlyDictionary<Guid, Found> runs)
    {
        foreach (var fork in runs.Values.Where(r => r.Row.Fork is not null))
        {
            if (fork.Parted is null) Wrong(fork, "it is a fork, and its journal does not say so");
            else if (!runs.TryGetValue(fork.Row.Fork!.Run, out var source)) Wrong(fork, "its source is not there");
            else Judge(fork, source);
        }
        foreach (var wish in operators.Forks.Where(w => w.Run is not null))
            if (!runs.TryGetValue(wish.Run!.Value, out var run) || run.Row.Fork?.Run != wish.Source) cluster.Scheduler.Fail($"the fork {Names.Of(wish.Run.Value)} of {Names.Of(wish.Source)} was acknowledged and is not there");
        if (operators.Forks.Where(w => w.Run is not null).GroupBy(w => w.Run).FirstOrDefault(g => g.Count() > 1) is { } twice) cluster.Scheduler.Fail($"two forks were answered with {Names.Of(twice.Key!.Value)}");
        var made = runs.Values.Count(r => r.Row.Fork is not null && r.Parted?.Reason is null);
        if (made > operators.Forks.Count) cluster.Scheduler.Fail($"{operators.Forks.Count} forks were asked for, and there are {made}");
        foreach (var taken in operators.Redrives)
            if (runs.TryGetValue(taken.Run, out var run) && !run.IsRedriven) Wrong(run, $"that it goes back to step {taken.Step} was acknowledged, and it did not");
        foreach (var run in runs.Values) Windows(run);
    }

    private void Judge(Found fork, Found source)
    {
        for (var i = 0; i < fork.Copied; i++)
        {
            var (copy, original) = (fork.Records[i], i < source.Records.Count ? source.Records[i] : null);
            var isWhole = i < fork.Copied - 1;
            if (original is null || copy.At != original.At || (isWhole && copy.Entries.Count != original.Entries.Count) || !AreAlike(fork, copy, source, original))
                Wrong(fork, $"its record {i} is not that of its source {source.Name}");
        }
        if (fork.Parted is { Step: { } step, Again: false } && Next(fork, source) is var next && next != step) Wrong(fork, $"it was to part before step {step} of {source.Name}, and parted before {next}");
        var ended = Ended(fork.Records.Take(fork.Copied).SelectMany(r => r.Entries));
        if (fork.Parted is { Again: true, Step: { } redone }) ended.Add(redone);
        foreach (var request in cluster.Outside.Requests.Values.Where(r => r.Run == fork.Row.Id && ended.Contains(r.Step)))
            Wrong(fork, $"the effect {request.Function} of step {request.Step}, which its source had done, happened again");
        foreach (var kept in fork.Records.Take(fork.Copied).SelectMany(r => r.Entries).OfType<Entry.SubStepCompleted>())
            if (cluster.Outside.Worked.Contains((fork.Row.Id, kept.Step, kept.Name))) Wrong(fork, $"sub-step {kept.Name} of step {kept.Step}, which its source had done, was done again");
    }

    /// <summary>The step that begins in the source right behind what the fork took over.</summary>
    private static int? Next(Found fork, Found source)
    {
        var seq = (int)fork.Parted!.Seq;
        var skip = seq < fork.Copied ? fork.Records[seq].Entries.Count : 0;
        return ForkCut.Begun(source.Records[seq].Entries[skip])?.Step;
    }

    private static HashSet<int> Ended(IEnumerable<Entry> entries)
    {
        var ended = new HashSet<int>();
        foreach (var entry in entries)
        {
            if (entry is Entry.StepCompleted { Step: var done }) ended.Add(done);
            else if (entry is Entry.StepFaulted { Step: var failed }) ended.Add(failed);
            else if (entry is Entry.StepCancelled { Step: var left }) ended.Add(left);
        }
        return ended;
    }

    /// <summary>Children of each step: how many are under way at once, and which are begun when a run is taken back.</summary>
    private void Windows(Found run)
    {
        var most = new Dictionary<int, int>();
        var underway = new Dictionary<Guid, (int Step, int Unit)>();
        var completed = new HashSet<(int Step, int Unit)>();
        var (counts, failed) = (new Dictionary<(int Step, int Unit), int>(), new Dictionary<(int Step, int Unit), int>());
        var sizes = new Dictionary<(int Step, int Unit), int>();
        var bears = new Dictionary<int, SpawnEntry.Opened>();
        foreach (var entry in run.Entries)
        {
            switch (entry)
            {
                case SpawnEntry.Opened e:
                    most[e.Step] = e.Concurrency;
                    bears[e.Step] = e;
                    break;
                case SpawnEntry.ConcurrencyChanged e: most[e.Step] = e.Concurrency; break;
                case SpawnEntry.ChildStarted e:
                    underway[e.Child] = (e.Step, e.Unit);
                    // Of a chunk that has completed, what is begun again are the items that had failed.
                    counts.TryAdd((e.Step, e.Unit), e.Count);
                    if (!failed.Remove((e.Step, e.Unit), out var items) || items == 0) sizes.TryAdd((e.Step, e.Unit), e.Count);
                    else sizes[(e.Step, e.Unit)] = items;
                    if (completed.Contains((e.Step, e.Unit))) Wrong(run, $"the part {e.Unit} of step {e.Step} had completed and was begun again");
                    if (underway.Values.Count(u => u.Step == e.Step) is var now && now > most[e.Step]) Wrong(run, $"{now} children of step {e.Step} are under way, of which there may be {most[e.Step]}");
                    break;
                case SpawnEntry.ChildEnded e when underway.Remove(e.Child, out var part):
                    // What came of a batch may tell of inputs that failed.
                    if (e.Phase == RunPhase.Completed && e.Output?["errors"].ArrayOrNull is not { Count: > 0 }) completed.Add(part);
                    failed[part] = e.Phase != RunPhase.Completed ? sizes[part] : e.Output?["errors"].ArrayOrNull?.Count ?? 0;
                    break;
                case SpawnEntry.ChildRetried e: underway.Remove(e.Child); break;
                case SpawnEntry.ChildContinued e when underway.Remove(e.Child, out var part): underway[e.Successor] = part; break;
                // Those of the source are the source's.
                case Entry.RunForked or RunRedriven: underway.Clear(); break;
                case Entry.StepCompleted e when bears.TryGetValue(e.Step, out var opened) && (opened.FailuresMax is not null || opened.PercentMax is not null):
                    var (bad, all) = (failed.Where(f => f.Key.Step == e.Step).Sum(f => f.Value), counts.Where(c => c.Key.Step == e.Step).Sum(c => c.Value));
                    if (opened.PercentMax is { } percent ? bad * 100 > percent * all : bad > opened.FailuresMax) Wrong(run, $"its step {e.Step} completed though {bad} of {all} items failed");
                    Leave(entry);
                    break;
                case Entry.StepCompleted or Entry.StepFaulted or Entry.StepCancelled: Leave(entry); break;
            }
        }

        void Leave(Entry entry)
        {
            foreach (var child in underway.Where(u => Ended([entry]).Contains(u.Value.Step)).Select(u => u.Key).ToList()) underway.Remove(child);
        }
    }

    /// <summary>With another version, a task's number is another and its place is not.</summary>
    private static bool AreAlike(Found fork, DecodedRecord copy, Found source, DecodedRecord original)
    {
        var before = original.Entries.Take(copy.Entries.Count).ToList();
        return fork.Row.Hash == source.Row.Hash
            ? Written(copy.Entries).SequenceEqual(Written(before))
            : copy.Entries.Select(e => (e.GetType(), PlaceOf(fork, e))).SequenceEqual(before.Select(e => (e.GetType(), PlaceOf(source, e))));
    }

    private static string? PlaceOf(Found run, Entry entry) => ForkCut.Begun(entry) is { } begun ? run.History.State.Workflow.Nodes[begun.Node].Reference : null;

    private static byte[] Written(IEnumerable<Entry> entries) => EntryWriter.Write([.. entries]).Bytes;

    private void Wrong(Found run, string what) => cluster.Scheduler.Fail($"run {run.Name}: {what}");
}
