using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>The specification's lifecycle events: each type, what stands in it, and that none is lost or doubled by a crash.</summary>
public abstract class LifecycleTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Raise = "- fail: { raise: { error: { type: 'https://example.com/e', status: 418, title: Broken } } }";

    private static Task<TestEngine> WantedAsync(TestEngine test) => Told.WantedAsync(test, EventLog.LifecycleTypes);

    private static Task<List<Json>> ToldAsync(TestEngine test, Guid run) => Told.OfAsync(test, run);

    private static string Short(Json told) => told["type"].AsString()["io.serverlessworkflow.".Length..^3];

    private static IEnumerable<string> Words(List<Json> told) => told.Select(e => e["data"]["status"].IsNull ? Short(e) : $"{Short(e)} {e["data"]["status"].AsString()}");

    private static IEnumerable<string> Changes(List<Json> told, string of) => told.Where(e => Short(e) == $"{of}.status-changed").Select(e => e["data"]["status"].AsString());

    /// <summary>Name, moment and what else the specification wants of it; nothing more.</summary>
    private static void CheckShape(Json told, Guid run, string name)
    {
        var (kind, what) = (Short(told).Split('.')[0], Short(told).Split('.')[1]);
        var at = what switch { "correlation-started" => "startedAt", "correlation-completed" => "completedAt", "status-changed" => "updatedAt", "retried" => "retriedAt", _ => $"{what}At" };
        string[] wanted = kind == "workflow" ? ["name", at] : ["workflow", "task", at];
        string[] more = (kind, what) switch
        {
            ("workflow", "started") => ["definition"],
            ("workflow", "correlation-completed") => told["data"]["correlationKeys"].IsNull ? [] : ["correlationKeys"],
            (_, "faulted") => ["error"],
            (_, "completed") => ["outputUri"],
            (_, "status-changed") => ["status"],
            _ => [],
        };
        var data = told["data"];
        Assert.Equal(wanted.Concat(more).Order(StringComparer.Ordinal), data.AsObject().Select(m => m.Key).Order(StringComparer.Ordinal));
        Assert.Equal($"{name}-{run:N}.test", data[kind == "workflow" ? "name" : "workflow"].AsString());
        Assert.True(DateTimeOffset.TryParse(data[at].AsString(), out _));
        Assert.Equal(run.ToString(), told["subject"].AsString());
        if (kind == "task") Assert.StartsWith("/do/", data["task"].AsString(), StringComparison.Ordinal);
        if (more is ["error"]) Assert.True(data["error"]["type"].IsString && data["error"]["status"].IsNumber);
        if (more is ["definition"]) Assert.Equal($$"""{"name":"{{name}}","namespace":"test","version":"1.0.0"}""", data["definition"].ToString());
        if (more is ["outputUri"]) Assert.StartsWith($"/api/v1/runs/{run}/", data["outputUri"].AsString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_comes_second_to_a_page_tells_nothing_of_it()
    {
        await using var test = await WantedAsync(await OpenAsync());
        var run = await test.StartAsync(test.Define("- a: { set: { x: 1 } }"));
        await test.EndAsync(run);
        await ToldAsync(test, run);
        var at = await test.Disk.ReadAsync(db => LifecycleStore.Cursors(db).Single().Position);
        var late = new ToldEvent(JsonText.Parse("""{"specversion": "1.0", "id": "late", "source": "/tests", "type": "late"}"""), false);
        Assert.False(await test.Engine.Events.PublishAsync(Tenant.Default, [late], db => LifecycleStore.Advance(db, Tenant.Default, at - 1, at + 1)));
        Assert.Null(await test.Disk.ReadAsync(db => EventStore.Find(db, Tenant.Default, "/tests", "late")));
        Assert.True(await test.Engine.Events.PublishAsync(Tenant.Default, [late], db => LifecycleStore.Advance(db, Tenant.Default, at, at + 1)));
        Assert.NotNull(await test.Disk.ReadAsync(db => EventStore.Find(db, Tenant.Default, "/tests", "late")));
    }

    [Fact]
    public async Task Every_type_is_told_in_its_shape()
    {
        await using var test = await WantedAsync(await OpenAsync());
        var types = new HashSet<string>();
        test.Functions.FailuresLeft = 1;
        var workflow = test.Define("""
            - again: { try: [ { shaky: { call: 'flaky:1.0.0@default', with: {} } } ], catch: { retry: { delay: PT1S } } }
            - hear: { listen: { to: { one: { with: { type: wanted }, correlate: { order: { from: .data } } } } } }
            """, "whole");
        var whole = await test.StartAsync(workflow);
        await test.PassUntilAsync(whole, r => r is { State: RunPhase.Waiting, Lease: null } && r.WakeAt is null);
        await test.Engine.SuspendAsync(Tenant.Default, whole, "lunch");
        await test.UntilAsync(whole, r => r is { State: RunPhase.Suspended, Lease: null });
        await test.Engine.ResumeAsync(Tenant.Default, whole, null);
        await test.UntilAsync(whole, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.Engine.Events.PublishAsync(Tenant.Default, [new JsonObject.Builder().Set("specversion", "1.0").Set("id", "e").Set("source", "/test").Set("type", "wanted").Set("data", 7).Build()]);
        await test.EndAsync(whole);
        var broken = await test.StartAsync(test.Define(Raise, "broken"));
        await test.EndAsync(broken);
        var cancelled = await test.StartAsync(test.Define("- rest: { wait: PT1H }", "stopped"));
        await test.UntilAsync(cancelled, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.Engine.CancelAsync(Tenant.Default, cancelled, null);
        await test.EndAsync(cancelled);
        foreach (var (run, name) in new[] { (whole, "whole"), (broken, "broken"), (cancelled, "stopped") })
        {
            foreach (var told in await ToldAsync(test, run))
            {
                CheckShape(told, run, name);
                types.Add(told["type"].AsString());
            }
        }
        Assert.Equal(18, types.Count);
        Assert.Equal(EventLog.LifecycleTypes.Order(StringComparer.Ordinal), types.Order(StringComparer.Ordinal));
        var keys = (await ToldAsync(test, whole)).Single(e => Short(e) == "workflow.correlation-completed")["data"]["correlationKeys"];
        Assert.Equal("""{"order":7}""", keys.ToString());
    }

    [Fact]
    public async Task Statuses_change_as_the_run_goes()
    {
        await using var test = await WantedAsync(await OpenAsync());
        var run = await test.StartAsync(test.Define("- rest: { wait: PT1H }\n- after: { call: 'count:1.0.0@default', with: { n: 1 } }"));
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.Engine.SuspendAsync(Tenant.Default, run, null);
        await test.UntilAsync(run, r => r is { State: RunPhase.Suspended, Lease: null });
        await test.Engine.ResumeAsync(Tenant.Default, run, null);
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        test.Time.Advance(TimeSpan.FromHours(1));
        await test.EndAsync(run);
        var told = await ToldAsync(test, run);
        Assert.Equal(["running", "waiting", "suspended", "waiting", "running", "completed"], Changes(told, "workflow"));
        Assert.Equal(["pending", "waiting", "suspended", "waiting", "completed", "pending", "running", "completed"], Changes(told, "task"));
    }

    [Fact]
    public async Task Attempts_that_follow_at_once_are_each_told()
    {
        await using var test = await WantedAsync(await OpenAsync());
        var run = await test.StartAsync(test.Define($"- again:\n    try:\n      {Raise}\n    catch: {{ retry: {{ limit: {{ attempt: {{ count: 3 }} }} }} }}"));
        await test.EndAsync(run);
        var told = await ToldAsync(test, run);
        Assert.Equal(3, told.Count(e => Short(e) == "task.retried"));
        Assert.Equal(4, told.Count(e => Short(e) == "task.faulted" && e["data"]["task"].AsString().EndsWith("/fail", StringComparison.Ordinal)));
        Assert.Equal(told.Count, told.Select(e => e["id"].AsString()).Distinct().Count());
    }

    [Fact]
    public async Task A_definition_that_stands_suspends_and_resumes_its_runs()
    {
        await using var test = await WantedAsync(await OpenAsync());
        var run = await test.StartAsync(test.Define("- slow: { call: 'hold:1.0.0@default', with: {} }\n- after: { set: { x: 1 } }"));
        await test.Functions.Entered;
        await test.Engine.Holds.SuspendAsync(Tenant.Default, "test", "test", null);
        test.Functions.Open();
        await test.UntilAsync(run, r => r is { State: RunPhase.Suspended, Lease: null });
        await test.Engine.Holds.ResumeAsync(Tenant.Default, "test", "test");
        await test.EndAsync(run);
        Assert.Equal(["workflow.started", "workflow.suspended", "workflow.resumed", "workflow.completed"],
            (await ToldAsync(test, run)).Select(Short).Where(t => t.StartsWith("workflow.", StringComparison.Ordinal) && t != "workflow.status-changed"));
    }

    [Fact]
    public async Task An_approval_begins_and_ends_and_what_undoes_a_step_as_well()
    {
        await using var test = await WantedAsync(await OpenAsync());
        var run = await test.StartAsync(test.Define($$"""
            - book: { call: 'count:1.0.0@default', with: { n: 1 }, metadata: { compensate: [ { unbook: { set: { x: 1 } } } ] } }
            - ask: { call: 'approve:1.0.0@default', with: { title: Pay?, expire: { after: PT1H, outcome: approve } } }
            {{Raise}}
            """));
        await test.PassUntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        test.Time.Advance(TimeSpan.FromHours(2));
        await test.PassUntilAsync(run, r => r.IsFinished);
        var told = (await ToldAsync(test, run)).Where(e => Short(e) is "task.started" or "task.completed" or "task.faulted").Select(e => $"{Short(e)} {e["data"]["task"].AsString().Split('/')[^1]}").ToList();
        Assert.Contains("task.started ask", told);
        Assert.True(told.IndexOf("task.started ask") < told.FindIndex(t => t is "task.completed ask" or "task.faulted ask"));
        Assert.True(told.IndexOf("task.started unbook") >= 0 && told.IndexOf("task.started unbook") < told.IndexOf("task.completed unbook"));
    }

    [Fact]
    public async Task A_fork_begins_and_does_not_tell_what_its_source_did()
    {
        await using var test = await WantedAsync(await OpenAsync());
        var source = await test.StartAsync(test.Define($"- done: {{ call: 'count:1.0.0@default', with: {{ n: 1 }} }}\n- shaky: {{ call: 'flaky:1.0.0@default', with: {{}} }}"));
        test.Functions.FailuresLeft = 1;
        await test.EndAsync(source);
        var outcome = await test.Engine.ForkAsync(new ForkRequest(Tenant.Default, source, new ForkPoint.Failure()));
        var fork = ((ForkOutcome.Started)outcome).Run;
        await test.PassUntilAsync(fork, r => r.IsFinished);
        var told = await ToldAsync(test, fork);
        Assert.Equal(["workflow.started", "workflow.completed"], told.Select(Short).Where(t => t is "workflow.started" or "workflow.completed" or "workflow.faulted"));
        Assert.DoesNotContain(told, e => e["data"]["task"].StringOrNull?.EndsWith("/done", StringComparison.Ordinal) == true);
        Assert.Single(told, e => Short(e) == "task.completed" && e["data"]["task"].AsString().EndsWith("/shaky", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_run_does_that_listens_for_such_events_is_told_to_sinks_and_not_to_itself()
    {
        await using var test = await WantedAsync(await OpenAsync());
        const string begun = "listen: { read: envelope, to: { one: { with: { type: io.serverlessworkflow.task.started.v1 } } } }";
        var watching = await test.StartAsync(test.Define($$"""
            - hear: { {{begun}}, export: { as: '${ [.[0].subject] }' } }
            - again: { {{begun}}, export: { as: '${ $context + [.[0].subject] }' } }
            - fail: { raise: { error: { type: 'https://example.com/e', status: 418, title: Broken, detail: '${ $context | join(" ") }' } } }
            """, "watching"));
        await test.UntilAsync(watching, r => r is { State: RunPhase.Waiting, Lease: null });
        Assert.Contains("task.started", (await ToldAsync(test, watching)).Select(Short));
        var other = await test.StartAsync(test.Define("- a: { set: { x: 1 } }\n- b: { set: { x: 2 } }", "other"));
        var end = test.EndAsync(watching);
        await test.PassUntilAsync(end);
        Assert.Equal($"{other} {other}", (await test.RowAsync(watching)).Error!.Detail);
        Assert.Contains("workflow.faulted", (await ToldAsync(test, watching)).Select(Short));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_that_the_engine_gives_up_has_faulted_and_others_are_told_of(bool damaged)
    {
        await using var test = await WantedAsync(await OpenAsync());
        var workflow = test.Define("- rest: { wait: PT1H }", "given");
        var run = await test.StartAsync(workflow);
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        await ToldAsync(test, run);
        await test.CrashAsync();
        if (!damaged) test.Forget(workflow);
        await test.ReopenAsync();
        if (damaged) await test.Disk.WriteAsync(db => db.Execute("update journal set entries = $1 where run = $2 and seq = 1", "poison"u8.ToArray(), run));
        test.Time.Advance(TimeSpan.FromHours(2));
        await test.PassUntilAsync(run, r => r.IsFinished);
        var other = await test.StartAsync(test.Define("- a: { set: { x: 1 } }", "other"));
        await test.EndAsync(other);
        var told = await ToldAsync(test, run);
        Assert.Equal(["workflow.faulted", "workflow.status-changed faulted"], Words(told).TakeLast(2));
        CheckShape(told[^2], run, "given");
        Assert.Contains("workflow.completed", (await ToldAsync(test, other)).Select(Short));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_loses_none_and_doubles_none(bool afterCommit)
    {
        List<string>? first = null;
        var crashes = await Story.DyingAtEveryWriteAsync(async () => await WantedAsync(await OpenAsync()), afterCommit, async test =>
        {
            var run = await Story.StartAsync(test, test.Define($"- a: {{ set: {{ x: 1 }} }}\n- rest: {{ wait: PT1S }}\n{Raise}"));
            await test.PassUntilAsync(run, r => r.IsFinished);
            await test.Engine.Worker.Keeper.RunOnceAsync();
        }, async test =>
        {
            var run = Assert.Single(await test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 10)))).Id;
            await test.Engine.Worker.Keeper.RunOnceAsync();
            var told = await ToldAsync(test, run);
            Assert.Equal(told.Count, told.Select(e => e["id"].AsString()).Distinct().Count());
            var words = Words(told).ToList();
            // Where the run stops for a moment is not the same after a crash; all else is.
            words.RemoveAll(w => w is "workflow.status-changed running" or "workflow.status-changed waiting");
            Assert.Equal(first ??= words, words);
        });
        Assert.True(crashes > 4, $"only {crashes} writes to crash at");
        Assert.Contains("task.faulted", first!);
    }

    [Fact]
    public async Task What_is_told_again_is_the_same_event()
    {
        await using var test = await WantedAsync(await OpenAsync());
        var run = await test.StartAsync(test.Define("- a: { set: { x: 1 } }"));
        await test.EndAsync(run);
        var once = await ToldAsync(test, run);
        Assert.NotEmpty(once);
        await test.Disk.WriteAsync(db => db.Execute("update lifecycle set position = 0"));
        Assert.Equal(once.Select(e => e.ToString()), (await ToldAsync(test, run)).Select(e => e.ToString()));
    }
}

public sealed class LifecycleOnSqliteTests() : LifecycleTests(TestDatabases.Sqlite);

public sealed class LifecycleOnPostgresTests() : LifecycleTests(TestDatabases.Postgres);
