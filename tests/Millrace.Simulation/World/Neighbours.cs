using Millrace.Engine.Approvals;
using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Simulation.Programs;
using Millrace.Storage;
using Millrace.Testing.Virtual;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.World;

/// <summary>
/// Half of the worlds have a second workspace. Its programs bear the names of the first one's and are others, its starts come under the same keys and its events under the
/// same sources and ids. Now and then somebody of the one asks for a run of the other.
/// </summary>
internal sealed class Neighbours
{
    public static readonly Tenant Tenant = new(Tenant.Default.Organisation, new Guid("00000000-0000-7000-8000-000000000003"));

    private static readonly RunPhase[] Open = [RunPhase.Pending, RunPhase.Running, RunPhase.Waiting, RunPhase.Suspended];

    /// <summary>All that can be wanted of a run.</summary>
    private static readonly (string What, Func<DurableEngine, Tenant, Guid, Task<object>> Ask)[] Deeds =
    [
        ("cancelled", async (engine, tenant, run) => await engine.CancelAsync(tenant, run, "not theirs")),
        ("stopped", async (engine, tenant, run) => await engine.StopAsync(tenant, run, "not theirs")),
        ("suspended", async (engine, tenant, run) => await engine.SuspendAsync(tenant, run, "not theirs")),
        ("resumed", async (engine, tenant, run) => await engine.ResumeAsync(tenant, run, "not theirs")),
        ("redriven", async (engine, tenant, run) => await engine.RedriveAsync(tenant, run, 1, 0)),
        ("changed", async (engine, tenant, run) => await engine.ChangeConcurrencyAsync(tenant, run, 1, 2)),
        ("forked", async (engine, tenant, run) => await engine.ForkAsync(new ForkRequest(tenant, run, new ForkPoint.Behind(0)))),
        ("retried", async (engine, tenant, run) => await engine.ForkAsync(new ForkRequest(tenant, run, new ForkPoint.Failure()))),
        ("told something", async (engine, tenant, run) => await engine.Signals.SendAsync(tenant, run, Events.Types[0], Json.Object("n", 1), null)),
        ("read", async (engine, tenant, run) => await engine.Journal.AfterAsync(tenant, run, -1) is { Count: > 0 } records ? records : ControlOutcome.NotFound),
    ];

    private readonly Cluster _cluster;
    private readonly Clients _clients;
    private readonly Dice _dice;
    private readonly Process _process;
    private int _open;

    public Neighbours(Cluster cluster, Clients clients, Dice dice)
    {
        (_cluster, _clients, _dice) = (cluster, clients, dice);
        _process = cluster.Scheduler.Start("neighbours");
        People = new Clients(cluster, dice.Fork(), Tenant);
        if (dice.Chance(0.5)) foreach (var program in cluster.Library.All) cluster.AddBeside(Make(program.Name));
    }

    /// <summary>Who starts runs and sends events there.</summary>
    public Clients People { get; }

    public bool Exist => _cluster.Beside.All.Count > 0;

    /// <summary>Nobody waits for an answer.</summary>
    public bool AreAnswered => _open == 0 && People.AreAnswered;

    /// <summary>How often somebody asked for a run of the other workspace while it was under way, and was told that there is none.</summary>
    public int Refused { get; private set; }

    public bool ShareKeys => People.Wishes.Exists(w => w is { Key: not null, Run: not null } && _clients.Wishes.Exists(h => h.Key == w.Key && h.Run is not null));

    public bool ShareEvents => People.Heard.Overlaps(_clients.Heard);

    /// <param name="within">The time over which they come.</param>
    public void Come(TimeSpan within)
    {
        if (!Exist) return;
        People.Come(_dice.Between(2, 6), 0, _dice.Below(6), within);
        for (var i = _dice.Below(5); i > 0; i--)
        {
            var after = within * _dice.Fraction();
            _open++;
            _process.Go(async () =>
            {
                await _process.DelayAsync(after);
                await (_dice.Chance(0.5) ? PryAsync(Tenant.Default, Tenant) : PryAsync(Tenant, Tenant.Default));
                _open--;
            });
        }
    }

    /// <summary>Somebody wants everything that can be wanted of a run of the other workspace, and of what it asks people: none of it is there.</summary>
    public async Task PryAsync(Tenant asks, Tenant owns)
    {
        var (runs, questions) = await FindAsync(owns);
        if (runs.Count > 0)
        {
            var run = _dice.Of(runs);
            foreach (var (what, ask) in Deeds)
            {
                var answer = await People.AskAsync(engine => ask(engine, asks, run.Id));
                if (answer is not null && !run.IsFinished) Refused++;
                if (answer is not (null or ControlOutcome.NotFound or ForkOutcome.NotFound or SignalOutcome.Refused { Why: ControlOutcome.NotFound }))
                    _cluster.Scheduler.Fail($"run {Names.Of(run.Id)}: that it be {what} was wanted in another workspace, and was answered with {answer}");
            }
        }
        if (questions.Count == 0) return;
        var question = _dice.Of(questions);
        var vote = await People.AskAsync(async engine => (object)(await engine.Approvals.VoteAsync(asks, question, new ApprovalVote("stranger", true, null, null, Json.Null, engine.Approvals.Now))).Outcome);
        if (vote is not (null or VoteOutcome.NotFound)) _cluster.Scheduler.Fail($"the question {Names.Of(question)} was answered in another workspace, and that is {vote}");
    }

    /// <summary>Runs under way, or others when there are none, and all questions.</summary>
    private async Task<(List<RunRow> Runs, List<Guid> Questions)> FindAsync(Tenant tenant)
    {
        if (_cluster.Database is not { } database) return ([], []);
        try
        {
            return await database.ReadAsync(db => (
                RunStore.List(db, tenant, new RunFilter(Open, null, null, null, null, 50)) is { Count: > 0 } open ? open : RunStore.List(db, tenant, new RunFilter([], null, null, null, null, 50)),
                db.Query("select id from approval where workspace = $1 order by id", r => r.Id(0), tenant.Workspace)));
        }
        catch (StorageUnavailableException)
        {
            return ([], []);
        }
    }

    /// <summary>A program of a name that means another one in the first workspace. The first of them starts no other: it is the child of those that do.</summary>
    private RandomProgram Make(string name)
    {
        var isFirst = _cluster.Beside.All.Count == 0;
        var form = _dice.Below(isFirst ? 5 : 6);
        var set = new SetNode("o1", 3, 11);
        Node[] tasks = form switch
        {
            0 => [set, new CallNode("o2", "count", 501), new WaitNode("o3", 700)],
            1 => [new ListenNode("o2", Hears.One, Events.Types[0], 1, 0), set],
            2 => [set, new AskNode("o2", 1, false, true, Silence.Approves, 2_000)],
            3 => [set, new EmitNode("o2", Events.Types[1]), new ListenNode("o3", Hears.Some, "", 2, 0)],
            4 => [new CallNode("o2", "count", 502), new RaiseNode("o3", "cocoa") { SkippedBy = 2 }],
            _ => [set, new ChildNode("o2", new ProgramRef(_cluster.Beside.All.First().Name, ProgramRef.Latest)), new CallNode("o3", "count", 503)],
        };
        return new RandomProgram(name, new Block(tasks), 0)
        {
            Timing = form == 3 ? new Timing(Begins.Event, 0, "allow", "all", 0) : null,
            IsPutAside = form == 4,
            // Slots of this name are shared in the first workspace too, and there are others.
            Flow = _dice.Chance(0.5) ? new Programs.Flow($$"""
                "flow": { "concurrency": [ { "limit": 2 }, { "name": "{{Programs.Flow.Shared}}", "limit": 1 } ] }
                """, Cancels: false) : null,
        };
    }
}
