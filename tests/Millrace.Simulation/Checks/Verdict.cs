using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Simulation.Programs;
using Millrace.Simulation.World;
using Millrace.Storage;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>Holds what is on disk at the end against what was promised (docs/architecture.md, What always holds).</summary>
internal sealed class Verdict(Cluster cluster, Clients clients, Voters voters, Operators operators, Bulks bulks, Timekeepers timekeepers, Neighbours neighbours, Followers followers)
{
    private readonly Dictionary<Guid, Found> _runs = [];

    /// <summary>Those of the other workspace.</summary>
    private readonly Dictionary<Guid, Found> _beside = [];
    private Chains _chains = new([]);
    private Dictionary<Guid, Gone> _gone = [];

    /// <summary>What came about, when it has judged.</summary>
    public IEnumerable<string> Happened => Checks.Happened.In(new(cluster, voters, operators, bulks, timekeepers, _runs.Values, _chains, _gone.Count, neighbours, _beside.Values, followers));

    public async Task<IReadOnlyCollection<Found>> ReadAsync()
    {
        await ReadAsync(Tenant.Default, _runs);
        await ReadAsync(Neighbours.Tenant, _beside);
        return [.. _runs.Values, .. _beside.Values];
    }

    private async Task ReadAsync(Tenant tenant, Dictionary<Guid, Found> into)
    {
        var database = cluster.Database!;
        var journal = new JournalReader(database, cluster.Blobs);
        into.Clear();
        foreach (var row in await database.ReadAsync(db => RunStore.List(db, tenant, new RunFilter([], null, null, null, null, 100_000))))
        {
            var records = await journal.AfterAsync(row.Tenant, row.Id, -1);
            var history = new RunHistory(cluster.Catalog.ByHash(row.Tenant, row.Hash)!, row.Id);
            try
            {
                foreach (var record in records) history.Apply(record);
            }
            catch (Exception e)
            {
                Wrong(row.Id, $"its journal cannot be folded: {e.GetType().Name} {e.Message}");
            }

            into.Add(row.Id, new Found(row, history, records));
        }
    }

    public async Task JudgeAsync()
    {
        await ReadAsync();
        _gone = await Gone.ReadAsync(cluster.Database!);
        _chains = new Chains(_runs.Values);
        await _chains.JudgeAsync(cluster, clients, _runs);
        foreach (var run in _runs.Values)
        {
            Order(run);
            Row(run);
            Ending(run);
            Family(run);
        }
        foreach (var run in _beside.Values)
        {
            Order(run);
            Row(run);
        }

        Promises();
        new Versions(cluster, clients).Judge(_runs, _chains);
        await new Ticks(cluster, timekeepers).JudgeAsync(_runs, _chains);
        await new Heard(cluster).JudgeAsync(_runs, _chains);
        await EventsAsync();
        Effects();
        new Undone(cluster, clients).Judge(_runs, _chains);
        new Departed(cluster, operators).Judge(_runs);
        await new BulkWorks(cluster, bulks).JudgeAsync(_runs);
        await new Letters(cluster, operators).JudgeAsync(_runs);
        await new Told(cluster).JudgeAsync(_runs, _gone);
        await Gone.JudgeAsync(cluster, _runs, _gone);
        new Surrounded(cluster).Judge(_runs.Values);
        await new Questions(cluster, voters).JudgeAsync(_runs);
        await new Slots(cluster).JudgeAsync(_runs.Concat(_beside).ToDictionary());
        await new Apart(cluster, neighbours).JudgeAsync(_runs, _beside);
        new Secrets(cluster).Judge();
        await new Followed(cluster, followers).JudgeAsync(_runs.Concat(_beside).ToDictionary());
        await LeftoversAsync();
    }

    private static void Assert(bool holds, Action otherwise)
    {
        if (!holds) otherwise();
    }

    private void Order(Found run)
    {
        for (var i = 0; i < run.Records.Count; i++)
        {
            if (run.Records[i].Seq != i) Wrong(run.Row.Id, $"record {i} has number {run.Records[i].Seq}");
            if (i > 0 && run.Records[i].At < run.Records[i - 1].At) Wrong(run.Row.Id, $"record {i} is older than the one before");
        }
    }

    /// <summary>The row says what the journal says.</summary>
    private void Row(Found run)
    {
        var (row, state) = (run.Row, run.History.State);
        Assert(row.IsFinished && state.IsFinished, () => Wrong(row.Id, $"it has not ended: its row says {row.State}, its journal {state.Phase}"));
        Assert(row.State == state.Phase, () => Wrong(row.Id, $"its row says {row.State}, its journal {state.Phase}"));
        Assert(row.Counts == state.Counts || IsGivenUp(run), () => Wrong(row.Id, $"its row counts {row.Counts}, its journal {state.Counts}"));
        Assert(row.Error == state.Error, () => Wrong(row.Id, $"its row holds the error {row.Error}, its journal {state.Error}"));
        Assert(row.EndedAt == state.EndedAt, () => Wrong(row.Id, "its row and its journal have other times of its end"));
        Assert(row.Lease is null && row.WakeAt is null, () => Wrong(row.Id, "it has ended and is still held or due"));
        Assert(run.History.Waiting().Count == 0 == row.IsFinished, () => Wrong(row.Id, "it cannot say what it waits for"));
    }

    /// <summary>It ended in one of the ways in which its program can end.</summary>
    private void Ending(Found run)
    {
        var state = run.History.State;
        var program = run.Row.Definition.Name;
        if (IsGivenUp(run)) Wrong(run.Row.Id, $"the engine gave it up: {state.Error}");
        if (state.Error is { Title: { } title } && title.StartsWith("The function", StringComparison.Ordinal)) Wrong(run.Row.Id, $"an effect broke: {state.Error}");
        if (state.Phase == RunPhase.Cancelled)
        {
            // What was being undone because of a cancel is undone in a fork as well.
            Assert(run.Row.Parent is not null || run.Records.Take(run.Copied).Any(r => r.Entries.Any(e => e is CompensationEntry.Begun { Error: null })) || _chains.From(_chains.FirstOf(run.Row.Id)).Any(clients.Cancelled.ContainsKey) || cluster.Library[program].Flow is { Cancels: true } || (run.Row.Trigger is not null && cluster.Library[program].Timing is { Cancels: true }), () => Wrong(run.Row.Id, "it was cancelled though nobody asked for it"));
            return;
        }

        if (run.Row.Hash.Contains('#', StringComparison.Ordinal))
        {
            if (state.Phase == RunPhase.Completed) Reading(run);
            return;
        }

        if (state.Batch is not null)
        {
            BatchEnding(run);
            return;
        }

        // A member of a swarm may have a time to end in.
        if (state is { Part.DeadlineAt: not null, Error.Type: ErrorTypes.Timeout }) return;
        var ends = EndsOf(run);
        var outcome = state.Phase != RunPhase.Completed ? Outcome.Error(state.Error?.Type ?? "")
            : state.Output["continuedBy"].StringOrNull is { } next ? Outcome.Continue(_runs.TryGetValue(Guid.Parse(next), out var after) ? after.Number : -1)
            : Outcome.Value((int)state.Output["n"].AsNumber());
        Assert(ends.Allows(outcome), () => Wrong(run.Row.Id, $"{program} on {state.Input} ended with {outcome} ({state.Error}); it can only end with: {ends}"));
    }

    /// <summary>Somebody may have changed what a fork goes on with, or had it go on with another version than what it took over.</summary>
    private Outcomes EndsOf(Found run)
    {
        var forks = run.Entries.OfType<Entry.RunForked>().ToList();
        var edited = forks.FindLastIndex(f => f is { Input: not null, Step: not null });
        var place = IsMixed(run) ? forks.Count - 1 : edited;
        if (place < 0) return cluster.Library.OwnEndsOf(ProgramOf(run), run.Number, Left(run));
        // What stands beside a place inside others is known to nobody here.
        return forks[place] is { Scope: 0, Step: { } step } && run.History.Steps.Values.FirstOrDefault(s => s.Parent == 0 && s.Id >= step && s.Compensates is null) is { } first
            ? cluster.Library.OwnEndsOf(ProgramOf(run), (int)(edited == place ? forks[place].Input!.Value : first.Input)["n"].AsNumber(), Left(run), first.Node.Name)
            : Outcomes.Any();
    }

    /// <summary>What it took over from others was of another version in part.</summary>
    private bool IsMixed(Found run) => run.Row.Fork is { } fork && (!_runs.TryGetValue(fork.Run, out var source) || source.Row.Hash != run.Row.Hash || IsMixed(source));

    private static ProgramRef ProgramOf(Found run) => new(run.Row.Definition.Name, run.Row.Definition.Version);

    private static int? Left(Found run) => !run.IsByEvent && run.History.State.Input[$"left_{run.Row.Definition.Name}"] is { IsNumber: true } left ? (int)left.AsNumber() : null;

    /// <summary>A child of a map over results of another one was given those, one for one, and gives them on.</summary>
    private void Reading(Found run)
    {
        var given = ((Entry.RunCreated)run.Records[0].Entries[0]).Input.AsArray();
        var results = run.History.State.Output.AsArray();
        Assert(results.Select(r => r["n"]).SequenceEqual(given.Select(g => g["n"])), () => Wrong(run.Row.Id, $"it was given {(Json)given} and gives {(Json)results}"));
    }

    /// <summary>Each input of a batch ended in one of the ways in which its program can end on it.</summary>
    private void BatchEnding(Found run)
    {
        var (state, program) = (run.History.State, ProgramOf(run));
        var inputs = ((Entry.RunCreated)run.Records[0].Entries[0]).Input.AsArray();
        if (state.Phase == RunPhase.Faulted)
        {
            var one = inputs.Any(i => cluster.Library.EndsOf(program, (int)i["n"].AsNumber()).Allows(Outcome.Error(state.Error!.Type)));
            Assert(one, () => Wrong(run.Row.Id, $"no input of the batch of {program.Name} can end with {state.Error}"));
            return;
        }

        var (results, errors) = (state.Output["results"].ArrayOrNull ?? state.Output.AsArray(), state.Output["errors"].ArrayOrNull ?? Json.EmptyArray.AsArray());
        Assert(results.Count == inputs.Count, () => Wrong(run.Row.Id, $"a batch of {inputs.Count} inputs gave {results.Count} results"));
        for (var i = 0; i < results.Count; i++)
        {
            var (ends, index) = (cluster.Library.EndsOf(program, (int)inputs[i]["n"].AsNumber()), i);
            var outcome = results[i].IsNull
                ? Outcome.Error(errors.First(e => (int)e["index"].AsNumber() == index)["error"]["type"].AsString())
                : Outcome.Value((int)results[i]["n"].AsNumber());
            Assert(ends.Allows(outcome), () => Wrong(run.Row.Id, $"input {index} of a batch of {program.Name} ended with {outcome}; it can only end with: {ends}"));
        }
    }

    private static bool Ends(Entry entry, int step) => entry is Entry.StepCancelled { Step: var cancelled } ? cancelled == step : entry is Entry.StepFaulted { Step: var faulted } && faulted == step;

    private static bool Starts(Entry entry, Guid child) => entry switch
    {
        Entry.StepStarted e => e.Child == child,
        Entry.StepRespawned e => e.Child == child,
        SpawnEntry.ChildStarted e => e.Child == child,
        SpawnEntry.ChildContinued e => e.Successor == child,
        _ => false,
    };

    /// <summary>Every child has the parent that started it, and a parent that waited knows how it ended.</summary>
    private void Family(Found run)
    {
        // What a fork took over was started by its source.
        foreach (var started in run.Own.OfType<Entry.StepStarted>().Where(s => s.Child is not null))
        {
            if (!_runs.TryGetValue(started.Child!.Value, out var child))
            {
                Wrong(run.Row.Id, $"its step {started.Step} started the child {Names.Of(started.Child.Value)}, which is not there");
                continue;
            }

            Assert(child.Row.Parent == run.Row.Id && child.Row.ParentStep == started.Step, () => Wrong(child.Row.Id, $"it was started by {run.Name}-{started.Step}, and says otherwise"));
            var completed = run.Own.OfType<Entry.StepCompleted>().Any(s => s.Step == started.Step);
            var last = _runs.GetValueOrDefault(_chains.LastOf(child.Row.Id), child);
            Assert(!completed || last.Row.State == RunPhase.Completed || last.IsRedriven, () => Wrong(run.Row.Id, $"its step {started.Step} completed, its child {last.Name} is {last.Row.State}"));
        }

        // One whose step ends in the very record that was to start it never came to be.
        foreach (var started in run.OwnRecords.SelectMany(r => r.Entries.OfType<SpawnEntry.ChildStarted>().Where(c => !r.Entries.Any(e => Ends(e, c.Step)))))
            Assert(_runs.TryGetValue(started.Child, out var child) && child.Row.Parent == run.Row.Id && child.Row.ParentStep == started.Step,
                () => Wrong(run.Row.Id, $"its step {started.Step} started the child {Names.Of(started.Child)}, which is not there or says otherwise"));
        foreach (var started in run.OwnRecords.SelectMany(r => r.Entries.OfType<Entry.StepRespawned>().Where(c => !r.Entries.Any(e => Ends(e, c.Step)))))
            Assert(_runs.TryGetValue(started.Child, out var child) && child.Row.Parent == run.Row.Id && child.Row.ParentStep == started.Step,
                () => Wrong(run.Row.Id, $"its step {started.Step} goes on with the child {Names.Of(started.Child)}, which is not there or says otherwise"));
        foreach (var ended in run.Own.OfType<SpawnEntry.ChildEnded>())
            Assert(_runs.TryGetValue(ended.Child, out var child) && (child.Row.State == ended.Phase || child.IsRedriven), () => Wrong(run.Row.Id, $"it heard that its child {Names.Of(ended.Child)} was {ended.Phase}"));

        // A parent may end before it hears that a child has gone on as another.
        if (run.Row.Parent is { } parent && !_chains.Continues(run.Row.Id) && (!_runs.TryGetValue(parent, out var above)
            || !above.Own.Any(e => Starts(e, run.Row.Id)))) Wrong(run.Row.Id, "its parent knows nothing of it");
    }

    /// <summary>What was answered is there: each start once, each cancel obeyed.</summary>
    private void Promises()
    {
        foreach (var wish in clients.Wishes.Where(w => w.Run is not null))
        {
            if (_gone.ContainsKey(wish.Run!.Value)) continue;
            // A key that is known gives the run that the first has gone on as.
            if (!_runs.TryGetValue(_chains.FirstOf(wish.Run!.Value), out var run))
            {
                cluster.Scheduler.Fail($"run {Names.Of(wish.Run.Value)} was acknowledged (start {wish.Number}) and is not there");
                continue;
            }

            Assert(run.Row.Definition.Name == wish.Program && run.Number == wish.Input, () => Wrong(run.Row.Id, "it runs something else than was asked for"));
        }

        var roots = _runs.Values.Count(r => r.Row is { Parent: null, Trigger: null, Fork: null } && !r.IsByEvent && !_chains.Continues(r.Row.Id));
        var most = clients.Wishes.Count;
        Assert(clients.Wishes.Where(w => w.Run is not null).Select(w => _chains.FirstOf(w.Run!.Value)).Distinct().Count() == clients.Wishes.Count(w => w.Run is not null), () => cluster.Scheduler.Fail("two starts were answered with one run"));
        Assert(roots <= most, () => cluster.Scheduler.Fail($"{most} starts were asked for, and there are {roots} runs"));
    }

    /// <summary>Whatever reached the outside was asked for by a record that is on disk. What is done for an item that has a name comes under one key, in whichever run.</summary>
    private void Effects()
    {
        var named = cluster.Outside.Requests.Where(r => r.Value.Function == Outside.Named && _runs.GetValueOrDefault(r.Value.Run)?.History.State.Part?.Keys is not null);
        if (named.GroupBy(r => r.Value.Arguments).FirstOrDefault(g => g.Count() > 1) is { } twice) cluster.Scheduler.Fail($"what is done with {twice.Key} came under {twice.Count()} keys");
        foreach (var (key, request) in cluster.Outside.Requests)
        {
            if (_gone.ContainsKey(request.Run)) continue;
            if (!_runs.TryGetValue(request.Run, out var run) && !_beside.TryGetValue(request.Run, out run))
            {
                cluster.Scheduler.Fail($"the effect {key} happened for a run that is not there");
                continue;
            }

            var started = run.Records.SelectMany(r => r.Entries).OfType<Entry.StepStarted>().FirstOrDefault(s => s.Step == request.Step);
            var body = started is null ? null : run.History.State.Workflow.Nodes[started.Node].Body as CallBody;
            var called = request.Function == Programs.Messages.Function ? request.Function : $"{request.Function}:1.0.0@default";
            Assert(body?.Function == called, () => Wrong(run.Row.Id, $"the effect {request.Function} happened for step {request.Step}, of which the journal says {body?.Function ?? "nothing"}"));
        }
    }

    /// <summary>What was answered is kept once, and whoever listened heard it once.</summary>
    private async Task EventsAsync()
    {
        var kept = await cluster.Database!.ReadAsync(db => db.Query("select id, position, run, source from event where workspace = $1 order by position", r => (Id: r.Text(0), Position: r.Long(1), Run: r.IdOrNull(2), Source: r.Text(3)), Tenant.Default.Workspace));
        var ids = kept.Select(e => e.Id).ToHashSet(StringComparer.Ordinal);
        var positions = kept.ToDictionary(e => e.Position, e => e.Run);
        Assert(kept.Select(e => (e.Source, e.Id)).Distinct().Count() == kept.Count, () => cluster.Scheduler.Fail("an event is kept twice"));
        foreach (var id in clients.Heard) Assert(ids.Contains(id), () => cluster.Scheduler.Fail($"event {id} was acknowledged and is not there"));
        foreach (var sent in operators.Signals)
            Assert(kept.Exists(e => e.Id == sent.Key && e.Run is { } told && _chains.FirstOf(told) == _chains.FirstOf(sent.Told)), () => cluster.Scheduler.Fail($"signal {sent.Key} to {Names.Of(sent.Told)} was acknowledged and is not there"));
        foreach (var run in _runs.Values)
        {
            var heard = new HashSet<(int, long)>();
            foreach (var consumed in run.Own.OfType<Entry.EventConsumed>())
            {
                Assert(!positions.TryGetValue(consumed.Event, out var told) || told is null || told == run.Row.Id, () => Wrong(run.Row.Id, $"its step {consumed.Step} heard event {consumed.Event}, a signal to {Names.Of(told ?? default)}"));
                Assert(positions.ContainsKey(consumed.Event), () => Wrong(run.Row.Id, $"its step {consumed.Step} heard event {consumed.Event}, which is not there"));
                Assert(heard.Add((consumed.Step, consumed.Event)), () => Wrong(run.Row.Id, $"its step {consumed.Step} heard event {consumed.Event} twice"));
            }
        }
    }

    private async Task LeftoversAsync()
    {
        var listening = await cluster.Database!.ReadAsync(db => db.First("select count(*) from subscription", r => r.Long(0), 0L));
        Assert(listening == 0, () => cluster.Scheduler.Fail($"{listening} subscriptions are left of runs that have ended"));
        var unread = await cluster.Database!.ReadAsync(db => db.Query("select run, kind from signal", r => $"{r.Text(1)} to {Names.Of(r.Id(0))}"));
        Assert(unread.Count == 0, () => cluster.Scheduler.Fail($"signals are left of runs that have ended: {string.Join(", ", unread.Take(5))}"));
        var due = await cluster.Database!.ReadAsync(db => RunStore.NextWake(db, long.MaxValue));
        Assert(due is null, () => cluster.Scheduler.Fail("a run is due though all have ended"));
        foreach (var worker in cluster.Workers.Where(w => w.IsServing))
        {
            var engine = worker.Engine!;
            Assert(engine.Held == 0, () => cluster.Scheduler.Fail($"{worker.Process.Name} still holds {engine.Held} runs"));
            Assert(engine.Worker.Lanes.Busy == 0, () => cluster.Scheduler.Fail($"{worker.Process.Name} did not get back {engine.Worker.Lanes.Busy} slots"));
        }
    }

    private static bool IsGivenUp(Found run) => run.History.State.Error?.Title == "The engine could not go on";

    private void Wrong(Guid run, string what) => cluster.Scheduler.Fail($"run {Names.Of(run)}: {what}");
}
