using System.Xml;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Testing.Outside;
using Millrace.Testing.Scenarios;
using Millrace.Testing.Virtual;
using Millrace.Workflows.Graph;

namespace Millrace.Testing.Stage;

/// <summary>What came of a scenario.</summary>
/// <param name="Ended">Where the clock stood, Unix microseconds.</param>
/// <param name="Writes">How many writes there were to die after.</param>
/// <param name="Runs">All runs, in the order in which they began.</param>
/// <param name="Waiting">What the run waits for, as the HTTP API tells it.</param>
internal sealed record Played(RunHistory Run, IReadOnlyList<WaitingFor> Waiting, IReadOnlyList<Json> Runs, OutsideWorld Outside, long Ended, long Writes)
{
    public IReadOnlyList<OutsideCall> Effects => Outside.Effects;
    public IReadOnlyList<Json> Requests => Outside.Requests;
    public IReadOnlyList<Json> Emitted => Outside.Emitted;
    public IEnumerable<string> Unmocked => Outside.Unmocked.Distinct();
}

/// <summary>Plays a scenario once: starts the run, does what the script says at its moments, and lets time pass until the run has ended.</summary>
internal sealed class Play : IDisposable
{
    private const string Key = "scenario";

    /// <summary>Runs of one scenario that are looked at.</summary>
    private const int RunsMax = 1000;

    private readonly Scenario _scenario;
    private readonly IReadOnlyList<Workflow> _workflows;
    private readonly OutsideWorld _outside;
    private readonly World _world;
    private readonly Ballot _ballot;
    private readonly Hands _hands;
    private Guid _run;
    private Task? _end;

    private Play(Scenario scenario, IReadOnlyList<Workflow> workflows, Crash crash)
    {
        (_scenario, _workflows) = (scenario, workflows);
        _outside = new OutsideWorld(scenario.Mocks);
        _world = new World(new Scheduler(null, scenario.Now) { StepsMax = 2_000_000 }, workflows, scenario, _outside, crash);
        _ballot = new Ballot(_world);
        _hands = new Hands(_world, workflows);
    }

    /// <param name="workflows">The workflow that is run, then those it starts.</param>
    /// <exception cref="StageException">It could not be played to its end.</exception>
    public static Played Once(Scenario scenario, IReadOnlyList<Workflow> workflows, Crash crash)
    {
        using var play = new Play(scenario, workflows, crash);
        return play.ToEnd();
    }

    public void Dispose() => _world.Dispose();

    private bool HasEnded => _end is { IsCompletedSuccessfully: true };

    private Scheduler Scheduler => _world.Scheduler;

    private Played ToEnd()
    {
        _world.Open();
        _world.Crash.IsArmed = true;
        Do(_scenario.Scheduled ? engine => _world.PushAsync(engine, _workflows[0]) : StartAsync);
        foreach (var item in _scenario.Script)
        {
            // What takes a run further that has ended comes at its own moment.
            PassUntil(item.At, beyondEnd: item is ScriptItem.Retry or ScriptItem.Redrive);
            if (item is ScriptItem.Outage outage) StandStill(outage);
            else Do(engine => ActAsync(engine, item));
        }
        PassUntil(_scenario.Until);
        _world.Crash.HasHappened = true;
        if (_world.IsDead) Reopen();
        var runs = _world.Read(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, RunsMax))).OrderBy(r => r.CreatedAt).ThenBy(r => r.Id).ToList();
        var all = runs.ConvertAll(r => (r, History(r)));
        // Of runs that a schedule has started, the first is the one that is looked at.
        if (_scenario.Scheduled) _run = runs.FirstOrDefault(r => r.Hash == _workflows[0].Hash)?.Id ?? Guid.Empty;
        var own = all.Find(r => r.r.Id == _run).Item2 ?? new RunHistory(_workflows[0], Guid.Empty);
        return new Played(own, Waiting(runs.Find(r => r.Id == _run), own), [.. all.Select(r => Told(r.r, r.Item2))], _outside, Scheduler.Now, _world.Crash.Writes);
    }

    private IReadOnlyList<WaitingFor> Waiting(RunRow? row, RunHistory run) =>
        row is null ? run.Waiting() : _world.Read(db => RunWaits.Of(db, row, run.State.IsSuspended, run.Waiting()));

    private RunHistory History(RunRow row)
    {
        var history = new RunHistory(_world.Workflow(row.Hash), row.Id);
        foreach (var record in _world.Ask(engine => engine.Journal.AfterAsync(Tenant.Default, row.Id, -1))) history.Apply(record);
        return history;
    }

    private Json Told(RunRow row, RunHistory run)
    {
        var state = run.State;
        var told = new JsonObject.Builder().Set("at", XmlConvert.ToString(TimeSpan.FromMicroseconds(row.CreatedAt - Scheduler.Began)))
            .Set("workflow", row.Definition.Name).Set("state", state.Phase.ToString().ToLowerInvariant()).Set("input", state.Input).Set("output", state.Output);
        if (state.Error is { } error) told.Set("error", error.ToJson());
        return told.Build();
    }

    private async Task<Guid> StartAsync(DurableEngine engine)
    {
        var outcome = await engine.StartAsync(new StartRequest(Tenant.Default, _workflows[0], _scenario.Input, Key, Key));
        return _run = _world.Crash.Run = outcome switch
        {
            StartOutcome.Started s => s.Run,
            StartOutcome.Existing e => e.Run,
            _ => throw new StageException("the run could not be started"),
        };
    }

    private async Task<Guid> ActAsync(DurableEngine engine, ScriptItem item)
    {
        if (item is ScriptItem.Event e) await engine.Events.PublishAsync(Tenant.Default, [e.CloudEvent]);
        else if (item is ScriptItem.Decide decide) await _ballot.VoteAsync(engine, decide);
        else if (item is ScriptItem.Signal signal) await WishAsync(engine, signal);
        else
        {
            var named = item is not ScriptItem.Tell tell ? [] : tell.Workflow is { } name ? await UnfinishedAsync(name) : (List<Guid>)[_run];
            _run = await _hands.DoAsync(engine, _run, named, item);
            if (item is ScriptItem.Retry or ScriptItem.Redrive) _end = null;
        }
        return _run;
    }

    private async Task WishAsync(DurableEngine engine, ScriptItem.Signal signal)
    {
        foreach (var run in signal.Workflow is { } name ? await UnfinishedAsync(name) : [_run])
        {
            if (signal.Wish == "cancel") await engine.CancelAsync(Tenant.Default, run, signal.Reason);
            else if (signal.Wish == "suspend") await engine.SuspendAsync(Tenant.Default, run, signal.Reason);
            else await engine.ResumeAsync(Tenant.Default, run, signal.Reason);
        }
    }

    private async Task<List<Guid>> UnfinishedAsync(string name) =>
        [.. (await _world.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, name, null, null, RunsMax)))).Where(r => !r.IsFinished).Select(r => r.Id).Order()];

    /// <summary>Does something that is asked for again when the process dies before it answers.</summary>
    private void Do(Func<DurableEngine, Task<Guid>> work)
    {
        while (true)
        {
            if (_world.IsDead) Reopen();
            var task = _world.Begin(() => work(_world.Engine!));
            _world.Wait(task);
            if (!task.IsCompleted) continue;
            World.Of(task);
            if (_end is null && _run != Guid.Empty && !_world.IsDead) AwaitEnd();
            Settle();
            return;
        }
    }

    private void StandStill(ScriptItem.Outage outage)
    {
        if (HasEnded) return;
        if (!_world.IsDead) _world.Die();
        Scheduler.Run(() => false, outage.For);
        Reopen();
        Settle();
    }

    /// <summary>Lets time pass up to that moment, counted from the start, or until the run has ended.</summary>
    /// <param name="beyondEnd">Up to that moment in any case.</param>
    private void PassUntil(TimeSpan at, bool beyondEnd = false)
    {
        while (beyondEnd || !HasEnded)
        {
            if (_world.IsDead) Reopen();
            Scheduler.Run(() => _world.IsDead || (HasEnded && !beyondEnd), TimeSpan.FromTicks(Math.Max(0, (at - Scheduler.Elapsed).Ticks)));
            if (Scheduler.Failure is { } failure) throw new StageException(failure);
            if (!_world.IsDead) break;
        }
        Settle();
    }

    /// <summary>What can be done at this moment is done, whoever dies of it.</summary>
    private void Settle()
    {
        while (true)
        {
            if (_world.IsDead) Reopen();
            Scheduler.Settle();
            if (Scheduler.Failure is { } failure) throw new StageException(failure);
            if (!_world.IsDead) return;
        }
    }

    private void Reopen()
    {
        _end = null;
        _world.Open();
        // It was started and nobody knows: the start is asked for again, with the same key.
        if (_run != Guid.Empty) AwaitEnd();
    }

    private void AwaitEnd() => _end = _world.Begin(async () => await _world.Engine!.EndAsync(Tenant.Default, _run));
}
