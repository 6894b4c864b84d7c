using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Simulation.Programs;
using Millrace.Simulation.World;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>A run as it is found on disk.</summary>
internal sealed record Found(RunRow Row, RunHistory History, IReadOnlyList<DecodedRecord> Records)
{
    public string Name => Names.Of(Row.Id);
}

/// <summary>Holds what is on disk at the end against what was promised (docs/architecture.md, What always holds).</summary>
internal sealed class Verdict(Cluster cluster, Clients clients, Voters voters)
{
    private readonly Dictionary<Guid, Found> _runs = [];

    public async Task<IReadOnlyCollection<Found>> ReadAsync()
    {
        var database = cluster.Database!;
        var journal = new JournalReader(database, cluster.Blobs);
        _runs.Clear();
        foreach (var row in await database.ReadAsync(All))
        {
            var records = await journal.AfterAsync(row.Tenant, row.Id, -1);
            var history = new RunHistory((await cluster.ByHashAsync(row.Tenant, row.Hash))!, row.Id);
            try
            {
                foreach (var record in records) history.Apply(record);
            }
            catch (Exception e)
            {
                Wrong(row.Id, $"its journal cannot be folded: {e.GetType().Name} {e.Message}");
            }

            _runs.Add(row.Id, new Found(row, history, records));
        }

        return _runs.Values;
    }

    public async Task JudgeAsync()
    {
        await ReadAsync();
        foreach (var run in _runs.Values)
        {
            Order(run);
            Row(run);
            Ending(run);
            Family(run);
        }

        Promises();
        Ticks();
        await EventsAsync();
        Effects();
        await new Questions(cluster, voters).JudgeAsync(_runs);
        await new Slots(cluster).JudgeAsync(_runs);
        await LeftoversAsync();
    }

    private static List<RunRow> All(DbUnit db) => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 100_000));

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
            Assert(run.Row.Parent is not null || clients.Cancelled.ContainsKey(run.Row.Id) || cluster.Library[program].Flow is { Cancels: true }, () => Wrong(run.Row.Id, "it was cancelled though nobody asked for it"));
            return;
        }

        if (run.Row.Hash.Contains('#', StringComparison.Ordinal))
        {
            if (state.Phase == RunPhase.Completed) Reading(run);
            return;
        }

        if (state.Batch is not null)
        {
            BatchEnding(run, program);
            return;
        }

        var ends = cluster.Library.EndsOf(program, (int)state.Input["n"].AsNumber());
        var outcome = state.Phase == RunPhase.Completed ? Outcome.Value((int)state.Output["n"].AsNumber()) : Outcome.Error(state.Error?.Type ?? "");
        Assert(ends.Allows(outcome), () => Wrong(run.Row.Id, $"{program} on {state.Input} ended with {outcome} ({state.Error}); it can only end with: {ends}"));
    }

    /// <summary>A child of a map over results of another one was given those, one for one, and gives them on.</summary>
    private void Reading(Found run)
    {
        var given = ((Entry.RunCreated)run.Records[0].Entries[0]).Input.AsArray();
        var results = run.History.State.Output.AsArray();
        Assert(results.Select(r => r["n"]).SequenceEqual(given.Select(g => g["n"])), () => Wrong(run.Row.Id, $"it was given {(Json)given} and gives {(Json)results}"));
    }

    /// <summary>Each input of a batch ended in one of the ways in which its program can end on it.</summary>
    private void BatchEnding(Found run, string program)
    {
        var state = run.History.State;
        var inputs = ((Entry.RunCreated)run.Records[0].Entries[0]).Input.AsArray();
        if (state.Phase == RunPhase.Faulted)
        {
            var one = inputs.Any(i => cluster.Library.EndsOf(program, (int)i["n"].AsNumber()).Allows(Outcome.Error(state.Error!.Type)));
            Assert(one, () => Wrong(run.Row.Id, $"no input of the batch of {program} can end with {state.Error}"));
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
            Assert(ends.Allows(outcome), () => Wrong(run.Row.Id, $"input {index} of a batch of {program} ended with {outcome}; it can only end with: {ends}"));
        }
    }

    private static bool Ends(Entry entry, int step) => entry is Entry.StepCancelled { Step: var cancelled } ? cancelled == step : entry is Entry.StepFaulted { Step: var faulted } && faulted == step;

    /// <summary>Every child has the parent that started it, and a parent that waited knows how it ended.</summary>
    private void Family(Found run)
    {
        foreach (var started in run.Records.SelectMany(r => r.Entries).OfType<Entry.StepStarted>().Where(s => s.Child is not null))
        {
            if (!_runs.TryGetValue(started.Child!.Value, out var child))
            {
                Wrong(run.Row.Id, $"its step {started.Step} started the child {Names.Of(started.Child.Value)}, which is not there");
                continue;
            }

            Assert(child.Row.Parent == run.Row.Id && child.Row.ParentStep == started.Step, () => Wrong(child.Row.Id, $"it was started by {run.Name}-{started.Step}, and says otherwise"));
            var completed = run.Records.SelectMany(r => r.Entries).OfType<Entry.StepCompleted>().Any(s => s.Step == started.Step);
            Assert(!completed || child.Row.State == RunPhase.Completed, () => Wrong(run.Row.Id, $"its step {started.Step} completed, its child {child.Name} is {child.Row.State}"));
        }

        // One whose step ends in the very record that was to start it never came to be.
        foreach (var started in run.Records.SelectMany(r => r.Entries.OfType<SpawnEntry.ChildStarted>().Where(c => !r.Entries.Any(e => Ends(e, c.Step)))))
            Assert(_runs.TryGetValue(started.Child, out var child) && child.Row.Parent == run.Row.Id && child.Row.ParentStep == started.Step,
                () => Wrong(run.Row.Id, $"its step {started.Step} started the child {Names.Of(started.Child)}, which is not there or says otherwise"));
        foreach (var ended in run.Records.SelectMany(r => r.Entries).OfType<SpawnEntry.ChildEnded>())
            Assert(_runs.TryGetValue(ended.Child, out var child) && child.Row.State == ended.Phase, () => Wrong(run.Row.Id, $"it heard that its child {Names.Of(ended.Child)} was {ended.Phase}"));

        if (run.Row.Parent is { } parent && (!_runs.TryGetValue(parent, out var above)
            || !above.Records.SelectMany(r => r.Entries).Any(e => e is Entry.StepStarted s && s.Child == run.Row.Id || e is SpawnEntry.ChildStarted c && c.Child == run.Row.Id))) Wrong(run.Row.Id, "its parent knows nothing of it");
    }

    /// <summary>What was answered is there: each start once, each cancel obeyed.</summary>
    private void Promises()
    {
        foreach (var wish in clients.Wishes.Where(w => w.Run is not null))
        {
            if (!_runs.TryGetValue(wish.Run!.Value, out var run))
            {
                cluster.Scheduler.Fail($"run {Names.Of(wish.Run.Value)} was acknowledged (start {wish.Number}) and is not there");
                continue;
            }

            Assert(run.Row.Definition.Name == wish.Program && (int)run.History.State.Input["n"].AsNumber() == wish.Input, () => Wrong(run.Row.Id, "it runs something else than was asked for"));
        }

        var roots = _runs.Values.Count(r => r.Row.Parent is null && r.Row.Trigger is null);
        var most = clients.Wishes.Count;
        Assert(clients.Wishes.Where(w => w.Run is not null).Select(w => w.Run).Distinct().Count() == clients.Wishes.Count(w => w.Run is not null), () => cluster.Scheduler.Fail("two starts were answered with one run"));
        Assert(roots <= most, () => cluster.Scheduler.Fail($"{most} starts were asked for, and there are {roots} runs"));
    }

    /// <summary>Whatever reached the outside was asked for by a record that is on disk.</summary>
    private void Effects()
    {
        foreach (var (key, request) in cluster.Outside.Requests)
        {
            if (!_runs.TryGetValue(request.Run, out var run))
            {
                cluster.Scheduler.Fail($"the effect {key} happened for a run that is not there");
                continue;
            }

            var started = run.Records.SelectMany(r => r.Entries).OfType<Entry.StepStarted>().FirstOrDefault(s => s.Step == request.Step);
            var body = started is null ? null : run.History.State.Workflow.Nodes[started.Node].Body as CallBody;
            Assert(body?.Function == $"{request.Function}:1.0.0@default", () => Wrong(run.Row.Id, $"the effect {request.Function} happened for step {request.Step}, of which the journal says {body?.Function ?? "nothing"}"));
        }
    }

    /// <summary>Each tick of a schedule has one run, without a gap.</summary>
    private void Ticks()
    {
        foreach (var program in cluster.Library.All.Where(p => p.EveryMs > 0))
        {
            var ticks = _runs.Values.Where(r => r.Row.Definition.Name == program.Name && r.Row.Trigger is not null).Select(r => r.Row.Trigger!.At).Order().ToList();
            for (var i = 1; i < ticks.Count; i++)
                if (ticks[i] - ticks[i - 1] != program.EveryMs * 1000L) cluster.Scheduler.Fail($"the schedule of {program.Name} has a tick {(ticks[i] - ticks[i - 1]) / 1000} ms after another, not {program.EveryMs}");
        }
    }

    /// <summary>What was answered is kept once, and whoever listened heard it once.</summary>
    private async Task EventsAsync()
    {
        var kept = await cluster.Database!.ReadAsync(db => db.Query("select id, position from event order by position", r => (Id: r.Text(0), Position: r.Long(1))));
        var ids = kept.Select(e => e.Id).ToHashSet(StringComparer.Ordinal);
        var positions = kept.Select(e => e.Position).ToHashSet();
        Assert(ids.Count == kept.Count, () => cluster.Scheduler.Fail("an event is kept twice"));
        foreach (var id in clients.Heard) Assert(ids.Contains(id), () => cluster.Scheduler.Fail($"event {id} was acknowledged and is not there"));
        foreach (var run in _runs.Values)
        {
            var heard = new HashSet<(int, long)>();
            foreach (var consumed in run.Records.SelectMany(r => r.Entries).OfType<Entry.EventConsumed>())
            {
                Assert(positions.Contains(consumed.Event), () => Wrong(run.Row.Id, $"its step {consumed.Step} heard event {consumed.Event}, which is not there"));
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
