using Millrace.Engine.DeadLetters;
using Millrace.Engine.Execution;
using Millrace.Engine.Events;
using Millrace.Engine.Forks;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Simulation.Programs;
using Millrace.Storage;
using Millrace.Testing.Virtual;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.World;

/// <summary>A fork that somebody wants, and the run that was answered; null while none was.</summary>
/// <param name="Version">The version that it is to go on with; null: the source's own.</param>
internal sealed record ForkWanted(Guid Source, ForkPoint Point, int? Input, string? Key, Workflow? Version)
{
    public Guid? Run { get; set; }
}

/// <summary>A signal that was acknowledged: who was asked to be told, and who was.</summary>
internal sealed record SignalSent(Guid Asked, Guid Told, string Key);

/// <summary>A redrive that was acknowledged.</summary>
internal sealed record RedriveTaken(Guid Run, int Step);

/// <summary>People who look after runs: they fork them, retry and redrive those that failed, tell them things, and change how much they do at once.</summary>
internal sealed class Operators(Cluster cluster, Clients clients, Dice dice)
{
    private const int TimesMax = 20;

    private readonly Process _process = cluster.Scheduler.Start("operators");
    private int _last;
    private int _open;

    public List<ForkWanted> Forks { get; } = [];
    public List<SignalSent> Signals { get; } = [];
    public List<RedriveTaken> Redrives { get; } = [];

    /// <summary>What was tried again that had been put aside, with the run that goes on.</summary>
    public List<(Guid Of, Guid Run)> Requeued { get; } = [];

    /// <summary>Runs whose letters somebody may have thrown away.</summary>
    public HashSet<Guid> Discarded { get; } = [];

    /// <summary>Limits that somebody set otherwise than the programs.</summary>
    public HashSet<string> Limits { get; } = [];

    /// <summary>Nobody waits for an answer.</summary>
    public bool AreAnswered => _open == 0;

    /// <param name="within">The time over which they come.</param>
    public void Come(int deeds, TimeSpan within)
    {
        for (var i = 0; i < deeds; i++)
        {
            var after = within * dice.Fraction();
            Go(async () =>
            {
                await _process.DelayAsync(after);
                await DoAsync(dice.Below(13));
            });
        }
    }

    /// <summary>When everything has ended, some of it is done again.</summary>
    public async Task DoAgainAsync(int deeds)
    {
        for (var i = 0; i < deeds; i++) await DoAsync(dice.Below(7));
        if (deeds > 0) await RedriveAsync();
    }

    private void Go(Func<Task> work)
    {
        _open++;
        _process.Go(async () =>
        {
            await work();
            _open--;
        });
    }

    private Task DoAsync(int deed) => deed switch
    {
        < 2 => ForkAsync(),
        < 4 => RetryAsync(),
        < 6 => RedriveAsync(),
        6 => RequeueAsync(),
        < 9 => TellAsync(),
        < 11 => ChangeConcurrencyAsync(),
        _ => SetLimitAsync(),
    };

    private async Task ForkAsync()
    {
        if (await PickAsync(all => all) is not { } run) return;
        var steps = run.Counts.Started + run.Counts.Skipped;
        ForkPoint point = steps == 0 || dice.Chance(0.3) ? new ForkPoint.Behind(dice.Below(4))
            : dice.Chance(0.2) ? new ForkPoint.BeforeTask(dice.Of(cluster.Catalog.DocumentOf(run.Tenant, run.Hash)!.Nodes).Reference)
            : new ForkPoint.Before(dice.Between(1, steps));
        // A run that carries out a map's items has no number of its own.
        int? input = point is not ForkPoint.Behind { Seq: > 0 } && !run.Hash.Contains('#', StringComparison.Ordinal) && dice.Chance(0.4) ? dice.Below(Programs.Node.Modulus) : null;
        await ForkAsync(new ForkWanted(run.Id, point, input, dice.Chance(0.8) ? $"fork{_last++}" : null, Version(run)));
    }

    /// <summary>Of what was changed meanwhile, half go on with the other version: mostly with the newer one.</summary>
    private Workflow? Version(RunRow run) => !cluster.Catalog.Renewed.Contains(run.Definition.Name) || dice.Chance(0.4) ? null
        : dice.Chance(0.8) ? cluster.Catalog.Latest(run.Tenant, run.Definition.Name) : cluster.Catalog.First(run.Tenant, run.Definition.Name);

    private async Task RetryAsync()
    {
        if (await PickAsync(all => all.FindAll(r => r.State is RunPhase.Faulted or RunPhase.Cancelled)) is { } run)
            await ForkAsync(new ForkWanted(run.Id, new ForkPoint.Failure(), null, dice.Chance(0.8) ? $"retry{_last++}" : null, Version(run)));
    }

    private async Task ForkAsync(ForkWanted wish)
    {
        Forks.Add(wish);
        var request = new ForkRequest(Tenant.Default, wish.Source, wish.Point) { Workflow = wish.Version, Input = wish.Input is { } n ? Json.Object("n", n) : default(Json?), IdempotencyKey = wish.Key, RequestHash = wish.Key };
        for (var times = 0; times < TimesMax; times++)
        {
            var answer = await clients.AskAsync(engine => engine.ForkAsync(request));
            if (answer is not null) cluster.Scheduler.Note($"fork {Names.Of(wish.Source)} {wish.Point} {wish.Input} {wish.Version?.Id.Version}: {Tell(answer)}");
            switch (answer)
            {
                case ForkOutcome.Started started: wish.Run = started.Run; return;
                case ForkOutcome.Existing existing: wish.Run = existing.Run; return;
                case ForkOutcome.Refused: return;
                case ForkOutcome.Conflict or ForkOutcome.NotFound: cluster.Scheduler.Fail($"a fork of {Names.Of(wish.Source)} under {wish.Key} is answered with {answer}"); return;
            }
            // Without a key, asking again would start another run.
            if (wish.Key is null) return;
            await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(1)));
        }
    }

    /// <summary>
    /// Looks for a step that can be gone back to, as whoever asks for it has to. Two may have seen the same. A schedule that waits for the ends of its runs
    /// knows nothing of those that are taken back, so these are left alone.
    /// </summary>
    private async Task RedriveAsync()
    {
        var candidates = new List<(Guid Run, int Step, long Seen)>();
        foreach (var run in (await RunsAsync()).Where(r => r is { IsFinished: true, Trigger: null } && cluster.Library.Spawns(r.Definition.Name)))
            if (await HistoryAsync(run) is { } history) candidates.AddRange(history.Steps.Keys.Where(history.State.IsRedrivable).Select(step => (run.Id, step, history.State.Position)));
        if (candidates.Count == 0) return;
        var (of, back, seen) = dice.Of(candidates);
        for (var times = dice.Chance(0.2) ? 2 : 1; times > 0; times--)
        {
            var answer = await clients.AskAsync(async engine => (object)await engine.RedriveAsync(Tenant.Default, of, back, seen));
            cluster.Scheduler.Note($"redrive {Names.Of(of)}-{back}: {answer}");
            if (answer is ControlOutcome.Accepted) Redrives.Add(new RedriveTaken(of, back));
        }
    }

    private async Task RequeueAsync()
    {
        if (cluster.Database is not { } database) return;
        List<DeadLetter> letters;
        try
        {
            letters = await database.ReadAsync(db => DeadLetterStore.List(db, Tenant.Default, new DeadLetterFilter(DeadLetterKind.Run, null, null, null, 50)));
        }
        catch (StorageUnavailableException)
        {
            return;
        }
        if (letters.Count == 0) return;
        var letter = dice.Of(letters);
        if (dice.Chance(0.25))
        {
            Discarded.Add(Guid.Parse(letter.Subject));
            cluster.Scheduler.Note($"letter {letter.Subject[^6..]} is thrown away: {await clients.AskAsync(async engine => (object)await engine.Worker.Database.WriteAsync(db => DeadLetterStore.Discard(db, Tenant.Default, letter.Id)))}");
            return;
        }
        for (var times = dice.Chance(0.3) ? 2 : 1; times > 0; times--)
        {
            var answer = await clients.AskAsync(engine => engine.DeadLetters.RequeueAsync(letter));
            cluster.Scheduler.Note($"letter {letter.Subject[^6..]} is tried again: {(answer is null ? "no answer" : answer.Refusal ?? Names.Of(answer.Run!.Value))}");
            if (answer?.Run is { } run) Requeued.Add((Guid.Parse(letter.Subject), run));
        }
    }

    /// <summary>Somebody sets a limit that runs stand at, or takes that back.</summary>
    private async Task SetLimitAsync()
    {
        if (cluster.Database is not { } database) return;
        List<string> lines;
        try
        {
            lines = await database.ReadAsync(db => db.Query("select distinct name from limit_place where workspace = $1 and kind = 0 order by name", r => r.Text(0), Tenant.Default.Workspace));
        }
        catch (StorageUnavailableException)
        {
            return;
        }
        if (lines.Count == 0) return;
        var (name, most) = (dice.Of(lines), dice.Chance(0.3) ? default(int?) : dice.Between(1, 4));
        Limits.Add(name);
        var set = await clients.AskAsync(async engine =>
        {
            await engine.Limits.SetAsync(Tenant.Default, name, most);
            return name;
        });
        cluster.Scheduler.Note($"limit {name} is to be {most?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "as it was"}: {set ?? "no answer"}");
    }

    private async Task TellAsync()
    {
        if (await PickAsync(Open) is not { } run) return;
        var (key, type, data) = ($"signal{_last++}", dice.Of([.. Events.Types, Events.Stop]), Json.Object("n", dice.Below(Events.Numbers)));
        if (dice.Chance(0.2)) Go(() => TellAsync(run.Id, key, type, data));
        await TellAsync(run.Id, key, type, data);
    }

    private async Task TellAsync(Guid run, string key, string type, Json data)
    {
        for (var times = 0; times < TimesMax; times++)
        {
            var answer = await clients.AskAsync(engine => engine.Signals.SendAsync(Tenant.Default, run, type, data, key));
            switch (answer)
            {
                case SignalOutcome.Sent sent:
                    cluster.Scheduler.Note($"{type} {key} to {Names.Of(run)} is answered");
                    Signals.Add(new SignalSent(run, sent.Run, key));
                    return;
                case SignalOutcome.Refused: return;
                case SignalOutcome.Conflict: cluster.Scheduler.Fail($"signal {key} is said to be another one"); return;
            }
            await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(1)));
        }
    }

    private async Task ChangeConcurrencyAsync()
    {
        if (await PickAsync(all => Open(all).FindAll(r => cluster.Library.Spawns(r.Definition.Name))) is not { } run || await HistoryAsync(run) is not { } history) return;
        var steps = history.State.Active.Values.Where(s => s.Window is not null).Select(s => s.Id).Order().ToList();
        if (steps.Count == 0) return;
        var (step, concurrency) = (dice.Of(steps), dice.Between(1, 5));
        cluster.Scheduler.Note($"concurrency of {Names.Of(run.Id)}-{step} is to be {concurrency}: {await clients.AskAsync(async engine => (object)await engine.ChangeConcurrencyAsync(Tenant.Default, run.Id, step, concurrency))}");
    }

    private static List<RunRow> Open(List<RunRow> all) => all.FindAll(r => !r.IsFinished);

    private static string Tell(ForkOutcome answer) => answer switch
    {
        ForkOutcome.Started s => Names.Of(s.Run),
        ForkOutcome.Existing e => $"known {Names.Of(e.Run)}",
        ForkOutcome.Refused r => r.Why.Code,
        _ => answer.GetType().Name,
    };

    private async Task<RunRow?> PickAsync(Func<List<RunRow>, List<RunRow>> among) => among(await RunsAsync()) is { Count: > 0 } runs ? dice.Of(runs) : null;

    private async Task<List<RunRow>> RunsAsync()
    {
        if (cluster.Database is not { } database) return [];
        try
        {
            return (await database.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 50)))).FindAll(r => r.Definition.Name != Generator.Brief);
        }
        catch (StorageUnavailableException)
        {
            return [];
        }
    }

    private async Task<RunHistory?> HistoryAsync(RunRow run)
    {
        if (cluster.Database is not { } database) return null;
        try
        {
            var history = new RunHistory(cluster.Catalog.ByHash(run.Tenant, run.Hash)!, run.Id);
            foreach (var record in await new JournalReader(database, cluster.Blobs).AfterAsync(run.Tenant, run.Id, -1)) history.Apply(record);
            return history;
        }
        catch (StorageUnavailableException)
        {
            return null;
        }
    }
}
