using Millrace.Engine.Events;
using Millrace.Engine.Scheduling;
using Millrace.Simulation.Programs;
using Millrace.Storage;
using Millrace.Testing.Virtual;

namespace Millrace.Simulation.World;

/// <summary>A time before a schedule was there, each tick of which is to have a run.</summary>
/// <param name="Passed">What had passed of it by the clock of whoever filled it in.</param>
internal sealed record Filled(string Program, long From, long To, long Passed);

/// <summary>People who look after what begins by itself: they start a run of a schedule at once, fill in a time that has passed, and pause what events start.</summary>
internal sealed class Timekeepers(Cluster cluster, Clients clients, Dice dice)
{
    private static readonly TimeSpan Past = TimeSpan.FromMinutes(1);

    private readonly Process _process = cluster.Scheduler.Start("timekeepers");
    private int _last;
    private int _open;

    /// <summary>Runs that were started at once.</summary>
    public HashSet<Guid> Started { get; } = [];

    public List<Filled> Filled { get; } = [];

    /// <summary>Programs of which events started no run for a while.</summary>
    public HashSet<string> Paused { get; } = [];

    /// <summary>Nobody waits for an answer.</summary>
    public bool AreAnswered => _open == 0;

    /// <param name="within">The time over which they come.</param>
    public void Come(TimeSpan within)
    {
        foreach (var program in cluster.Library.All.Where(p => p.Timing is not null))
        {
            for (var i = dice.Below(3); i > 0; i--)
            {
                var after = within * dice.Fraction();
                _open++;
                _process.Go(async () =>
                {
                    await _process.DelayAsync(after);
                    await LookAfterAsync(program);
                    _open--;
                });
            }
        }
    }

    private Task LookAfterAsync(RandomProgram program) => program.Timing!.By switch
    {
        Begins.Cron when dice.Chance(0.5) => FillAsync(program.Name),
        Begins.Cron or Begins.Every => StartAsync(program.Name),
        Begins.Event or Begins.Events when dice.Chance(0.4) => PauseAsync(program.Name),
        _ => Task.CompletedTask,
    };

    private async Task StartAsync(string program)
    {
        var key = $"now{_last++}";
        var (run, _) = await AskAsync(async engine => await engine.Schedules.TriggerAsync(Tenant.Default, "sim", program, key) ?? throw new InvalidOperationException("the schedule is not there"));
        Started.Add(run);
        cluster.Scheduler.Note($"{program} is started at once: {Names.Of(run)}");
    }

    private async Task FillAsync(string program)
    {
        var to = await AskAsync(async engine => (await engine.Worker.Database.ReadAsync(db => ScheduleStore.Find(db, Tenant.Default, "sim", program)))!.Anchor);
        var from = to - (long)(Past * dice.Fraction()).TotalMicroseconds;
        var (done, passed) = await AskAsync(async engine =>
        {
            var now = engine.Worker.Now;
            return ((await engine.Schedules.BackfillAsync(Tenant.Default, "sim", program, from, to))!.Value.Done!, Math.Min(now, to));
        });
        Filled.Add(new Filled(program, from, to, passed));
        cluster.Scheduler.Note($"{program} is filled in from {from} to {to}: {done}");
    }

    private async Task PauseAsync(string program)
    {
        Paused.Add(program);
        await ChangeAsync(program, paused: true);
        await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(10)));
        await ChangeAsync(program, paused: false);
    }

    /// <summary>As its route does.</summary>
    private async Task ChangeAsync(string program, bool paused)
    {
        await AskAsync(engine => engine.Worker.Database.WriteAsync(db =>
        {
            if (TriggerStore.Find(db, Tenant.Default, "sim", program) is not { } found) throw new InvalidOperationException($"{program} is started by nothing");
            if (found.Paused != paused) TriggerStore.Pause(db, Tenant.Default, found, paused, engine.Worker.Now);
            return found;
        }));
        cluster.Scheduler.Note($"events {(paused ? "start no run" : "start runs again")} of {program}");
    }

    private async Task<T> AskAsync<T>(Func<Engine.Execution.DurableEngine, Task<T>> ask)
    {
        while (true)
        {
            if (await clients.AskAsync(async engine => (object)(await ask(engine))!) is T answer) return answer;
            await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(1)));
        }
    }
}
