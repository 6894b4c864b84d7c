using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Millrace.Simulation.Checks;
using Millrace.Testing.Virtual;
using Millrace.Simulation.Programs;
using Millrace.Simulation.World;
using Millrace.Engine.Runs;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation;

/// <param name="Trace">A fingerprint of everything that happened: the same seed gives the same.</param>
/// <param name="Happened">Kinds of things that came about, one a line; <see cref="Kinds"/> has all of them.</param>
/// <param name="Failure">What must never happen and did; null when all was well.</param>
/// <param name="Story">For a failing seed: what it had to live with, and the last things that happened.</param>
public sealed record SeedResult(ulong Seed, Faults Faults, ulong Trace, long Steps, int Runs, TimeSpan Simulated, string Happened, string? Failure, string Story)
{
    public static IEnumerable<string> Kinds => Checks.Happened.All;

    public override string ToString() => Failure is null
        ? string.Create(CultureInfo.InvariantCulture, $"seed {Seed}: {Runs} runs, {Steps} steps, {Simulated.TotalSeconds:0} s, trace {Trace:x16}")
        : $"seed {Seed} FAILED: {Failure}\n{Story}\nRepeat it: ./bench simulate --from {Seed} --seeds 1";
}

/// <summary>One seed: a world, its troubles, and the verdict.</summary>
public sealed class Seed
{
    private readonly ulong _seed;
    private readonly Faults _faults;
    private readonly Scheduler _scheduler;
    private readonly Cluster _cluster;
    private readonly Clients _clients;
    private readonly Voters _voters;
    private readonly Holders _holders;
    private readonly Operators _operators;
    private readonly Bulks _bulks;
    private readonly Publishers _publishers;
    private readonly Timekeepers _timekeepers;
    private readonly Chaos _chaos;
    private readonly Neighbours _neighbours;
    private readonly Followers _followers;
    private readonly Dice _watch;
    private readonly int _workers;
    private readonly int _starts;
    private readonly int _controls;
    private readonly int _events;
    private readonly int _votes;
    private readonly int _holds;
    private readonly int _deeds;
    private readonly int _works;
    private int _again;
    private readonly TimeSpan _trouble;
    private string? _stage;
    private string _happened = "";

    /// <summary>When a run counts as stuck. A timer set by a clock that was an hour ahead is an hour late.</summary>
    private TimeSpan Patience => TimeSpan.FromMinutes(_faults.HasFlag(Faults.Clocks) ? 150 : 20);

    private IEnumerable<Clients> People => _neighbours.Exist ? [_clients, _neighbours.People] : [_clients];

    private bool AreAnswered => _clients.AreAnswered && _operators.AreAnswered && _bulks.AreAnswered && _publishers.AreAnswered && _timekeepers.AreAnswered && _neighbours.AreAnswered;

    private Seed(ulong seed, Faults? faults, Sabotage sabotage)
    {
        _seed = seed;
        var dice = new Dice(seed);
        _scheduler = new Scheduler(dice.Fork());
        _faults = faults ?? Roll(dice);
        _workers = dice.Between(1, 4);
        _starts = dice.Between(2, 16);
        _controls = dice.Chance(0.6) ? dice.Below(10) : 0;
        _events = dice.Below(12);
        _votes = dice.Below(16);
        _holds = dice.Chance(0.4) ? dice.Between(1, 4) : 0;
        _deeds = dice.Chance(0.6) ? dice.Below(8) : 0;
        _works = dice.Chance(0.2) ? dice.Between(1, 3) : 0;
        _again = dice.Chance(0.3) ? dice.Between(1, 4) : 0;
        _trouble = TimeSpan.FromSeconds(dice.Between(5, 60));
        _cluster = new Cluster(_scheduler, dice.Fork(), new Generator(dice.Fork(), new Dice(~seed)).Make(dice.Between(1, 5)), sabotage);
        _clients = new Clients(_cluster, dice.Fork(), Tenant.Default);
        var votes = dice.Fork();
        _holders = new Holders(_cluster, _clients, dice.Fork());
        _operators = new Operators(_cluster, _clients, dice.Fork());
        _bulks = new Bulks(_cluster, _clients, dice.Fork());
        _chaos = new Chaos(_cluster, dice.Fork(), _faults);
        _watch = dice.Fork();
        _neighbours = new Neighbours(_cluster, _clients, dice.Fork());
        _followers = new Followers(_cluster, _clients, dice.Fork());
        _publishers = new Publishers(_cluster, _clients, dice.Fork());
        _timekeepers = new Timekeepers(_cluster, _clients, dice.Fork());
        _voters = new Voters(_cluster, _clients, votes, dice.Fork());
    }

    /// <param name="faults">Which faults it has to live with; null to let the seed say.</param>
    public static SeedResult Run(ulong seed, Faults? faults = null, Sabotage sabotage = Sabotage.None)
    {
        Seed? one = null;
        try
        {
            one = new Seed(seed, faults, sabotage);
            return one.Run();
        }
        finally
        {
            one?._cluster.Dispose();
        }
    }

    private SeedResult Run()
    {
        _chaos.Begin(_workers, _trouble);
        _clients.Come(_starts, _controls, _events, _trouble);
        _voters.Come(_votes, _trouble);
        _holders.Come(_holds, _trouble);
        _operators.Come(_deeds, _trouble);
        _bulks.Come(_works, _trouble);
        _neighbours.Come(_trouble);
        _followers.Come(_trouble);
        _publishers.Come(_trouble);
        _timekeepers.Come(_trouble);
        var judge = _scheduler.Start("judge");
        new Watch(_cluster, _watch).Begin(() => _stage == "judging");
        _scheduler.Run(() => _chaos.IsCalm && AreAnswered, TimeSpan.FromMinutes(10));
        if (_scheduler.Failure is null && !(_chaos.IsCalm && AreAnswered)) _scheduler.Fail("starts are not answered though trouble is over");
        judge.Go(() => EndAsync(judge));
        if (!_scheduler.Run(() => _stage == "done", TimeSpan.FromDays(1)) && _scheduler.Failure is null) _scheduler.Fail($"the end was not reached, only: {_stage}");
        var runs = _scheduler.Failure is null ? Count(judge) : 0;
        judge.Go(() => _cluster.CrashAsync(powerToo: false));
        _scheduler.Run(() => _cluster.Database is null, TimeSpan.FromMinutes(1));
        return new SeedResult(_seed, _faults, _scheduler.Trace, _scheduler.Steps, runs, _scheduler.Elapsed, _happened, _scheduler.Failure, _scheduler.Failure is null ? "" : Story());
    }

    /// <summary>Waits until every run has ended, judges, and judges again after the power was gone.</summary>
    private async Task EndAsync(Process judge)
    {
        _stage = "schedules end";
        await _clients.PauseSchedulesAsync(judge);
        _stage = "runs under way";
        var verdict = new Verdict(_cluster, _clients, _voters, _operators, _bulks, _timekeepers, _neighbours, _followers);
        var sent = 0;
        var (last, since) = (-1L, _scheduler.Now);
        while (true)
        {
            var holds = await _holders.EndAllAsync();
            var open = await OpenRunsAsync();
            if (open is { Count: 0 } && holds == 0 && !await _bulks.AreUnderwayAsync() && await _cluster.IsSettledAsync())
            {
                if (_again == 0 && _operators.AreAnswered) break;
                await _operators.DoAgainAsync(_again);
                _again = 0;
            }
            // Some programs rest for hours. One that writes nothing for so long is stuck.
            if (await PositionAsync() is { } position && position != last) (last, since) = (position, _scheduler.Now);
            if (_scheduler.Now > since + (long)Patience.TotalMicroseconds)
            {
                await TellStuckAsync(verdict, open ?? []);
                return;
            }

            // Those that stand with others go on when that is over, without being asked.
            var chained = await SuccessorsAsync();
            foreach (var run in (open ?? []).Where(r => r.State == RunPhase.Suspended && (_clients.Suspended.Contains(r.Id) || chained.Contains(r.Id)))) await _clients.AskAsync(async engine => (object)await engine.ResumeAsync(run.Tenant, run.Id, null));
            await _voters.DecideAllAsync();
            // Who listens waits for events that somebody sends, sooner or later.
            foreach (var type in open is { Count: 0 } ? [] : (string[])[.. Programs.Events.Types, Programs.Events.Stop])
            {
                foreach (var people in People.Where(p => open is null || open.Exists(r => r.Tenant == p.Tenant))) await people.SendAsync($"last{sent}", type, TimeSpan.Zero);
                sent++;
            }
            // A clock that was an hour ahead keeps runs waiting for as long; events that come meanwhile are not to fill their inboxes.
            await judge.DelayAsync(TimeSpan.FromSeconds(sent < 600 ? 1 : 20));
        }

        _stage = "followers see the rest";
        await judge.DelayAsync(TimeSpan.FromSeconds(30));
        await _followers.CatchUpAsync(judge);
        _stage = "judging";
        await verdict.JudgeAsync();
        if (_scheduler.Failure is { } failure) await Journals.NoteAsync(_cluster, failure);
        await MixAsync();
        _stage = "losing the power";
        if (!await LosePowerAsync(judge)) return;
        await judge.DelayAsync(TimeSpan.FromSeconds(30));
        await verdict.JudgeAsync();
        _happened = string.Join("\n", verdict.Happened);
        _stage = "done";
    }

    /// <returns>Whether somebody serves again.</returns>
    private async Task<bool> LosePowerAsync(Process judge)
    {
        await _cluster.CrashAsync(powerToo: true);
        for (var waited = TimeSpan.Zero; _cluster.Database is null || _cluster.Workers.TrueForAll(w => !w.IsServing); waited += TimeSpan.FromSeconds(1))
        {
            // What was told to be synced and was not may leave a file that never opens again.
            if (waited > TimeSpan.FromMinutes(10))
            {
                _scheduler.Fail("nobody serves ten minutes after the power was gone");
                return false;
            }
            await judge.DelayAsync(TimeSpan.FromSeconds(1));
        }
        return true;
    }

    private async Task<long?> PositionAsync() => _cluster.Database is not { } database ? null : await database.ReadAsync(db => db.First("select max(position) from journal", r => r.LongOrNull(0), null));

    private async Task<List<RunRow>?> OpenRunsAsync() => _cluster.Database is not { } database
        ? null
        : await database.ReadAsync(db => People.SelectMany(p => RunStore.List(db, p.Tenant, new RunFilter([RunPhase.Pending, RunPhase.Running, RunPhase.Waiting, RunPhase.Suspended], null, null, null, null, 10_000))).ToList());

    /// <summary>Runs that others have gone on as: who wanted those to stand wants these to.</summary>
    private async Task<HashSet<Guid>> SuccessorsAsync() => _cluster.Database is not { } database ? [] : await database.ReadAsync(db => db.Query("select successor from continuation", r => r.Id(0)).ToHashSet());

    private async Task TellStuckAsync(Verdict verdict, List<RunRow> open)
    {
        var found = (await verdict.ReadAsync()).ToDictionary(f => f.Row.Id);
        foreach (var row in open.Take(5))
        {
            var waits = string.Join("; ", found[row.Id].History.Waiting().Select(w => $"{w.On}: {w.Detail}"));
            _scheduler.Note($"stuck: {Names.Of(row.Id)} is {row.State}, held by lease {row.Lease?.ToString(CultureInfo.InvariantCulture) ?? "none"}, due {row.WakeAt?.ToString(CultureInfo.InvariantCulture) ?? "never"}, parent {(row.Parent is { } p ? Names.Of(p) : "none")}; {waits}");
        }

        var stuck = $"{open.Count} runs are stuck: {string.Join(", ", open.Take(10).Select(r => Names.Of(r.Id)))}";
        await Journals.NoteAsync(_cluster, stuck);
        _scheduler.Fail(stuck);
    }

    private async Task MixAsync()
    {
        var rows = await _cluster.Database!.ReadAsync(db => db.Query("select entries from journal order by position", r => r.Bytes(0)));
        foreach (var entries in rows) _scheduler.Mix(entries.AsSpan());
    }

    private int Count(Process judge)
    {
        var runs = -1;
        judge.Go(async () => runs = (int)await _cluster.Database!.ReadAsync(db => db.First("select count(*) from run", r => r.Long(0), 0L)));
        _scheduler.Run(() => runs >= 0, TimeSpan.FromMinutes(1));
        return runs;
    }

    /// <summary>Each seed lives with a few kinds of trouble; some with none, and some with all.</summary>
    private static Faults Roll(Dice dice)
    {
        if (dice.Chance(0.05)) return Faults.None;
        if (dice.Chance(0.1)) return Faults.All;
        var kinds = Enum.GetValues<Faults>().Where(f => f is not (Faults.None or Faults.All)).ToList();
        var faults = Faults.None;
        for (var count = dice.Between(1, 5); count > 0; count--) faults |= dice.Of(kinds);
        return faults;
    }

    private string Story()
    {
        var story = new StringBuilder();
        story.AppendLine(CultureInfo.InvariantCulture, $"  {_workers} workers, {_starts} starts, {_controls} wishes, {_votes} votes, {_holds} holds, {_deeds} deeds, {_works} works, trouble for {_trouble.TotalSeconds:0} s: {_faults}");
        foreach (var program in _cluster.Library.All.SelectMany(p => p.Newer is { } newer ? [p, newer] : (RandomProgram[])[p])) story.AppendLine(CultureInfo.InvariantCulture, $"  {program.Name}: {Regex.Replace(program.Text, @"\s+", " ")}");
        foreach (var program in _cluster.Beside.All) story.AppendLine(CultureInfo.InvariantCulture, $"  next door {program.Name}: {Regex.Replace(program.Text, @"\s+", " ")}");
        foreach (var what in _scheduler.LastEvents) story.AppendLine(CultureInfo.InvariantCulture, $"  {what}");
        return story.ToString();
    }
}
