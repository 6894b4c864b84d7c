using System.Collections.Concurrent;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Limits;

/// <summary>
/// Sees to it that runs have what they need before they work. A run with limits is claimed as any other; when it lacks something, it is put in
/// line and held by nobody, until a turn gives it what it waits for and makes it due. What it holds goes in the transaction in which it lets go.
/// </summary>
internal sealed class RunLimits : IAsyncDisposable
{
    /// <summary>Lines served at once when nobody says which have changed; where there are more, those behind are next.</summary>
    private const int LinesMax = 2000;

    /// <summary>How long to wait for a turn that another process has.</summary>
    private const long BusyMicros = 20_000;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(1);

    private readonly Worker _worker;
    private readonly DueLoop _loop;
    private readonly ConcurrentDictionary<LimitLine, bool> _changed = new();

    /// <summary>How far turns have come at lines that are too long for one.</summary>
    private readonly Dictionary<LimitLine, LimitPlace> _cameTo = [];

    private Dictionary<Guid, WorkspaceLimits> _workspaces = [];
    private LimitLine? _polledTo;
    private long _polled, _swept, _next = long.MaxValue;

    public RunLimits(Worker worker)
    {
        _worker = worker;
        _loop = new DueLoop(worker, "giving slots to runs that wait for one", RunOnceAsync);
    }

    public void Start() => _loop.Start();

    public ValueTask DisposeAsync() => _loop.DisposeAsync();

    /// <summary>Whether runs of the workflow may have to wait before they begin: then nobody begins one without asking.</summary>
    public bool Governs(Tenant tenant, Workflow workflow) => workflow.Flow is not null || OfWorkspace(tenant.Workspace).Most is not null;

    /// <summary>As of a poll ago.</summary>
    public WorkspaceLimits OfWorkspace(Guid workspace) => _workspaces.TryGetValue(workspace, out var limits) ? limits : WorkspaceLimits.None;

    /// <summary>What workspaces have said is read again.</summary>
    public async Task ReadSettingsAsync() => _workspaces = (await _worker.Database.ReadAsync(LimitStore.OfWorkspaces)).ToDictionary(w => w.Workspace, w => w.Limits);

    /// <summary>Lines at which something came free, or somebody new stands.</summary>
    public void Changed(IEnumerable<LimitLine> lines)
    {
        foreach (var line in lines) _changed[line] = true;
        _loop.Ring();
    }

    /// <summary>A run has let go of what it held.</summary>
    public void Left(Tenant tenant, LimitPlan plan) => Changed(LinesOf(tenant, plan));

    /// <summary>Everything is looked at again, as when a limit was set.</summary>
    public void Look()
    {
        _polled = 0;
        _loop.Ring();
    }

    /// <summary>Lets a run that was claimed go on when it has all that it needs, or else puts it in line.</summary>
    /// <returns>The row with what the run must give back; null when it waits now, or was given up.</returns>
    public async Task<RunRow?> PassAsync(RunRow row, Workflow workflow)
    {
        if (row.Limits is null && !Governs(row.Tenant, workflow)) return row;
        var lease = row.Lease!.Value;
        LimitPlan plan;
        try
        {
            plan = LimitPlan.Parse(row.Limits) ?? await PlanAsync(row, workflow);
        }
        catch (Exception e) when (e is JqException or JqLimitException)
        {
            await _worker.Strays.GiveUpAsync(row.Tenant, row.Id, new WorkflowError(ErrorTypes.Expression, 400, "The run's limits could not be found",
                $"An expression of document.metadata.flow failed on the run's input: {e.Message}", "/document/metadata/flow"));
            return null;
        }
        var (passed, slotless, given, cancelled, next) = await _worker.Database.WriteAsync(db => Admit(db, row, plan, lease));
        foreach (var run in cancelled) _worker.Nudge(row.Tenant, run);
        if (given > 0) await _worker.Wakes.CallAsync();
        if (!passed)
        {
            if (next < long.MaxValue) Later(next);
            return null;
        }
        return row with { Plan = plan, IsSlotless = slotless };
    }

    /// <summary>What a run needs that another goes on as. It is the same endless run and no start, so a rate and a quiet time do not count it.</summary>
    /// <returns>Null when an expression fails on its input, which is told when it is taken.</returns>
    public LimitPlan? PlanOfSuccessor(Tenant tenant, Workflow workflow, Json input)
    {
        try
        {
            return PlanOf(tenant, workflow, input).SlotsOnly();
        }
        catch (Exception e) when (e is JqException or JqLimitException)
        {
            return null;
        }
    }

    /// <summary>Serves the lines that have changed, and now and then all.</summary>
    /// <returns>When to look again, Unix microseconds.</returns>
    public async Task<long> RunOnceAsync()
    {
        var now = _worker.Now;
        var poll = (long)_worker.Settings.PollInterval.TotalMicroseconds;
        if (now - _polled >= poll)
        {
            await ReadSettingsAsync();
            _polled = now;
            if (now - _swept >= SweepInterval.TotalMicroseconds) await SweepAsync(now);
            var all = await _worker.Database.ReadAsync(db => LimitStore.AnyWaiting(db) ? LimitStore.Lines(db, _polledTo, LinesMax) : []);
            _polledTo = all.Count < LinesMax ? null : all[^1];
            foreach (var line in all) _changed[line] = true;
        }
        _next = now + poll;
        var lines = _changed.Keys.ToList();
        foreach (var line in lines) _changed.TryRemove(line, out _);
        foreach (var group in lines.GroupBy(l => l.Tenant))
        {
            try
            {
                await ServeAsync(group.Key, [.. group], now);
            }
            catch
            {
                foreach (var line in group) _changed[line] = true;
                throw;
            }
        }
        return Math.Max(now + 1000, _next);
    }

    private async Task ServeAsync(Tenant tenant, List<LimitLine> lines, long now)
    {
        var (turn, served) = await _worker.Database.WriteAsync(db =>
        {
            var turn = new LimitTurn(db, tenant, now, _cameTo);
            return (turn, turn.Serve(lines));
        });
        if (!served)
        {
            foreach (var line in lines) _changed[line] = true;
            _next = Math.Min(_next, now + BusyMicros);
            return;
        }
        foreach (var line in lines)
        {
            if (turn.CameTo.GetValueOrDefault(line) is { } place) _cameTo[line] = place;
            else _cameTo.Remove(line);
        }
        _next = Math.Min(_next, Math.Max(turn.Next, now + 1000));
        foreach (var run in turn.Cancelled) _worker.Nudge(tenant, run);
        foreach (var line in turn.Again) _changed[line] = true;
        if (turn.Given.Count > 0) await _worker.Wakes.CallAsync();
    }

    private (bool Passed, bool Slotless, int Given, List<Guid> Cancelled, long Next) Admit(DbUnit db, RunRow row, LimitPlan plan, long lease)
    {
        var now = _worker.Now;
        // Whoever gives it a slot or writes to it changes its row: what is read here is so until it stands in line, and they find that it does.
        if (RunStore.Lock(db, row.Tenant, row.Id)?.Lease != lease) return (false, false, 0, [], long.MaxValue);
        var places = LimitStore.Of(db, row.Tenant, row.Id);
        // A rate and a quiet time are for the beginning; who goes on needs a slot again, and nothing else.
        var needs = plan.Needs.Where(n => n.Kind == NeedKind.Slot || row.StartedAt is null).ToList();
        if (row.Limits is null) LimitStore.KeepPlan(db, row.Tenant, row.Id, plan.ToJson().ToString());
        if (needs.TrueForAll(n => places.Exists(p => p.Line.Name == n.Name && p.IsHeld))) return (true, false, 0, [], long.MaxValue);
        if (PassesSlotless(db, row, places))
        {
            // It stands in line no more: a slot that came meanwhile would be held by a run that does nothing.
            if (places.Exists(p => p.Held == Held.Waits)) LimitStore.StepOut(db, row.Tenant, row.Id);
            return (true, true, 0, [], long.MaxValue);
        }
        if (!LimitStore.Park(db, row.Tenant, row.Id, lease)) return (false, false, 0, [], long.MaxValue);
        foreach (var need in needs)
        {
            if (places.Exists(p => p.Line.Name == need.Name)) continue;
            var line = new LimitLine(row.Tenant, need.Name, need.Key);
            var since = row.StartedAt is null ? row.CreatedAt : now;
            LimitStore.Insert(db, new LimitPlace(line, row.Id, need.Kind, Held.Waits, need.Most, row.StartedAt is null ? need.OnLimit : OnLimit.Queue, need.UntilEnd, need.Group ?? "",
                need.Group is { } group ? LimitStore.NextTurn(db, line, group) : 0, plan.Priority, since, since, need.Micros, need.MicrosMax));
        }
        var turn = new LimitTurn(db, row.Tenant, now);
        if (!turn.Come(row.Id, LinesOf(row.Tenant, plan))) Changed(LinesOf(row.Tenant, plan));
        if (turn.Next < long.MaxValue) foreach (var line in LinesOf(row.Tenant, plan)) _changed[line] = true;
        return (false, false, turn.Given.Count, turn.Cancelled, turn.Next);
    }

    /// <summary>Whoever wants it to end, or to do nothing, does not wait for its turn; nor does one that is being undone because another takes its place.</summary>
    private static bool PassesSlotless(DbUnit db, RunRow row, List<LimitPlace> places)
    {
        if (places.Exists(p => p.Held is Held.Refused or Held.Ending)) return true;
        var wish = SignalStore.LastWish(db, row.Tenant, row.Id);
        return wish == "suspend" || (wish is null && row.State == RunPhase.Suspended && !SignalStore.IsReleased(db, row.Tenant, row.Id)) || SignalStore.WantsEnd(db, row.Tenant, row.Id);
    }

    private async Task<LimitPlan> PlanAsync(RunRow row, Workflow workflow)
    {
        if (workflow.Flow is null) return PlanOf(row.Tenant, workflow, Json.EmptyObject);
        var first = await _worker.Journal.AfterAsync(row.Tenant, row.Id, -1, 1);
        return PlanOf(row.Tenant, workflow, first.Count > 0 && first[0].Entries[0] is Entry.RunCreated created ? created.Input : Json.EmptyObject);
    }

    private LimitPlan PlanOf(Tenant tenant, Workflow workflow, Json input)
    {
        var plan = workflow.Flow?.PlanOf(input, _worker.Time.GetUtcNow()) ?? new LimitPlan([], 0);
        return OfWorkspace(tenant.Workspace).Most is { } most
            ? plan with { Needs = [.. plan.Needs, new LimitNeed(NeedKind.Slot, WorkspaceLimits.Line, "", most)] }
            : plan;
    }

    private async Task SweepAsync(long now)
    {
        _swept = now;
        if (await _worker.Database.ReadAsync(db => LimitStore.Any(db)))
        {
            await _worker.Database.WriteAsync(db =>
            {
                LimitStore.ForgetStarts(db, now);
                return LimitStore.TakeBack(db);
            });
        }
    }

    private void Later(long at)
    {
        if (at < Volatile.Read(ref _next)) _loop.Call(at);
    }

    private static IEnumerable<LimitLine> LinesOf(Tenant tenant, LimitPlan plan) => plan.Needs.Select(n => new LimitLine(tenant, n.Name, n.Key));
}

/// <summary>A run that was let through to end or to be suspended is to go on instead: it waits for its turn as others do.</summary>
internal sealed class NoSlotException(Guid run) : Exception($"The run {run} goes on and has no slot.");
