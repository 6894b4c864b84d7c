using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Testing.Virtual;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.World;

/// <summary>A start somebody wants: which program, on what, and what was heard of it.</summary>
internal sealed record Wish(int Number, string Program, int Input, string? Key)
{
    /// <summary>What was answered; null while nothing was.</summary>
    public Guid? Run { get; set; }

    /// <summary>The version that was asked for; empty before that.</summary>
    public string Hash { get; set; } = "";

    /// <summary>Nobody will ask again.</summary>
    public bool IsGivenUp { get; set; }
}

/// <summary>
/// People who start runs and then want something of them. They reach some worker, wait a while for its answer, and ask again under the
/// same key when none comes. What was answered is what the engine is held to.
/// </summary>
internal sealed class Clients(Cluster cluster, Dice dice, Tenant tenant)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Process _process = cluster.Scheduler.Start("clients");
    private readonly string _where = tenant == Tenant.Default ? "" : " next door";

    public Tenant Tenant => tenant;

    public List<Wish> Wishes { get; } = [];

    /// <summary>Runs that somebody may have cancelled; with when it was accepted, for those whose answer was heard.</summary>
    public Dictionary<Guid, long?> Cancelled { get; } = [];

    /// <summary>For each cancel that was accepted, the run that its chain had come to by then.</summary>
    public Dictionary<Guid, Guid> Reached { get; } = [];

    /// <summary>Runs that somebody may have cancelled without anything being undone.</summary>
    public HashSet<Guid> Stopped { get; } = [];

    /// <summary>Runs that somebody may have suspended by themselves.</summary>
    public HashSet<Guid> Suspended { get; } = [];

    /// <summary>Events that somebody sent and that were answered, by id.</summary>
    public HashSet<string> Heard { get; } = [];

    public bool AreAnswered => Wishes.TrueForAll(w => w.Run is not null || w.IsGivenUp);

    /// <param name="within">The time over which they come.</param>
    public void Come(int starts, int controls, int events, TimeSpan within)
    {
        for (var i = 0; i < events; i++)
        {
            var (id, after) = ($"event{i}", within * dice.Fraction());
            _process.Go(() => SendAsync(id, dice.Of([.. Programs.Events.Types, .. Programs.Events.Starting, Programs.Events.Stop]), after));
        }

        for (var i = 0; i < starts; i++)
        {
            var program = dice.Of(cluster.LibraryOf(tenant).All.ToList()).Name;
            var wish = new Wish(i, program, dice.Below(Programs.Node.Modulus), dice.Chance(0.85) ? $"key{i}" : null);
            Wishes.Add(wish);
            var after = within * dice.Fraction();
            _process.Go(() => StartAsync(wish, after));
        }

        for (var i = 0; i < controls; i++)
        {
            var after = within * dice.Fraction();
            _process.Go(() => ControlAsync(after));
        }
    }

    /// <summary>Asks some worker, and waits no longer than patience lasts.</summary>
    /// <returns>Null when there was no answer.</returns>
    public async Task<T?> AskAsync<T>(Func<DurableEngine, Task<T>> ask)
        where T : class
    {
        var serving = cluster.Workers.Where(w => w.IsServing).ToList();
        if (serving.Count == 0) return null;
        var worker = dice.Of(serving);
        var answer = new TaskCompletionSource<T?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = ForwardAsync(worker.Process.Do(() => ask(worker.Engine!)), answer);
        _ = HurryAsync(answer);
        return await answer.Task;
    }

    /// <summary>Sends an event, and again under the same id when nothing is heard.</summary>
    public async Task SendAsync(string id, string type, TimeSpan after)
    {
        await _process.DelayAsync(after);
        var number = dice.Below(Programs.Events.Numbers);
        var sent = Programs.Events.Make(id, type, cluster.TellsSecrets ? Json.Object("n", number, "token", Outside.Secret) : Json.Object("n", number));
        for (var times = 0; times < 20; times++)
        {
            if (await AskAsync(engine => engine.Events.PublishAsync(tenant, [sent])) is not null)
            {
                Heard.Add(id);
                cluster.Scheduler.Note($"{type} {id} is answered{_where}");
                return;
            }
            await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(1)));
        }
    }

    /// <summary>Ends all schedules, however often that has to be asked for.</summary>
    public async Task PauseSchedulesAsync(Process judge)
    {
        foreach (var program in cluster.Library.All.Where(p => p.Timing is { HasTicks: true }))
        {
            while (await AskAsync(async engine => await engine.Schedules.PauseAsync(tenant, "sim", program.Name, paused: true) ?? throw new InvalidOperationException("the schedule is not there")) is null) await judge.DelayAsync(TimeSpan.FromSeconds(1));
            cluster.Scheduler.Note($"the schedule of {program.Name} is paused");
        }
    }

    private async Task StartAsync(Wish wish, TimeSpan after)
    {
        await _process.DelayAsync(after);
        var definition = dice.Chance(0.5) ? cluster.Catalog.Latest(tenant, wish.Program) : cluster.Catalog.First(tenant, wish.Program);
        wish.Hash = definition.Hash;
        var request = new StartRequest(tenant, definition, Json.Object("n", wish.Input), wish.Key, wish.Key);
        while (wish.Run is null && !wish.IsGivenUp)
        {
            switch (await AskAsync(engine => engine.StartAsync(request)))
            {
                case StartOutcome.Started started: wish.Run = started.Run; break;
                case StartOutcome.Existing existing: wish.Run = existing.Run; break;
                case StartOutcome.Conflict conflict: cluster.Scheduler.Fail($"key {wish.Key} is said to stand for another request{_where}, of run {conflict.Run}"); return;
            }

            // Without a key, asking again would start another run.
            if (wish.Run is null && wish.Key is null) wish.IsGivenUp = true;
            if (wish.Run is null) await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(1)));
        }

        if (wish.Run is { } run) cluster.Scheduler.Note($"start {wish.Number} of {wish.Program} is answered{_where}: {Names.Of(run)}");
    }

    private async Task ControlAsync(TimeSpan after)
    {
        await _process.DelayAsync(after);
        if (await PickAsync() is not { } run) return;
        switch (dice.Below(5))
        {
            case < 2:
                Cancelled.TryAdd(run, null);
                var stops = dice.Chance(0.2);
                if (stops) Stopped.Add(run);
                var cancel = await AskAsync(engine => Boxed(stops ? engine.StopAsync(tenant, run, "not wanted") : engine.CancelAsync(tenant, run, "not wanted")));
                if (cancel is ControlOutcome.Accepted && Cancelled[run] is null) Cancelled[run] = cluster.Scheduler.Now;
                if (cancel is ControlOutcome.Accepted && await LastOfAsync(run) is { } last) Reached.TryAdd(run, last);
                cluster.Scheduler.Note($"cancel {Names.Of(run)}: {cancel}");
                break;
            default:
                Suspended.Add(run);
                cluster.Scheduler.Note($"suspend {Names.Of(run)}: {await AskAsync(engine => Boxed(engine.SuspendAsync(tenant, run, null)))}");
                await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(4)));
                cluster.Scheduler.Note($"resume {Names.Of(run)}: {await AskAsync(engine => Boxed(engine.ResumeAsync(tenant, run, null)))}");
                break;
        }
    }

    /// <summary>Some run that is not finished: one that was started, or a child.</summary>
    private async Task<Guid?> PickAsync()
    {
        if (cluster.Database is not { } database) return null;
        try
        {
            var open = await database.ReadAsync(db => RunStore.List(db, tenant,
                new RunFilter([RunPhase.Pending, RunPhase.Running, RunPhase.Waiting, RunPhase.Suspended], null, null, null, null, 50)));
            return open.Count == 0 ? null : dice.Of(open).Id;
        }
        catch (StorageUnavailableException)
        {
            return null;
        }
    }

    private async Task<Guid?> LastOfAsync(Guid run)
    {
        if (cluster.Database is not { } database) return null;
        try
        {
            return await database.ReadAsync(db => ContinuationStore.LastOf(db, tenant, run));
        }
        catch (StorageUnavailableException)
        {
            return null;
        }
    }

    private static async Task<object> Boxed(Task<ControlOutcome> outcome) => await outcome;

    private async Task ForwardAsync<T>(Task<T> answer, TaskCompletionSource<T?> to)
        where T : class
    {
        try
        {
            to.TrySetResult(await answer);
        }
        catch (Exception e) when (e is StorageUnavailableException or ObjectDisposedException)
        {
            to.TrySetResult(null);
        }
        catch (Exception e)
        {
            cluster.Scheduler.Fail($"a request met {e}");
        }
    }

    private async Task HurryAsync<T>(TaskCompletionSource<T?> answer)
        where T : class
    {
        await _process.DelayAsync(Patience);
        answer.TrySetResult(null);
    }
}
