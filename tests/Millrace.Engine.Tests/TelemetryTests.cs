using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Telemetry;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

public abstract class TelemetryTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    private static async Task<string?> TraceOfAsync(TestEngine test, Guid run) =>
        Assert.IsType<Entry.RunCreated>(Assert.Single((await test.Engine.Journal.AfterAsync(Tenant.Default, run, -1, limit: 1)).Single().Entries)).Trace;

    [Fact]
    public async Task A_run_and_its_children_keep_the_trace_they_were_started_in_through_a_crash()
    {
        await using var test = await OpenAsync();
        test.Define("- rest: { wait: PT1H }", name: "child");
        var parent = test.Define("- spawn: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }");
        var started = await test.Engine.StartAsync(new StartRequest(Tenant.Default, parent, Json.EmptyObject, Trace: Trace));
        var run = ((StartOutcome.Started)started).Run;
        var child = (await test.UntilAsync(run, r => r.State == RunPhase.Waiting), await test.HistoryAsync(run)).Item2.Steps[1].Child!.Value;

        await test.CrashAsync();
        await test.ReopenAsync();

        Assert.Equal((Trace, Trace), (await TraceOfAsync(test, run), await TraceOfAsync(test, child)));
        Assert.Null(await TraceOfAsync(test, await test.StartAsync(parent)));
    }

    [Fact]
    public async Task What_waits_for_a_worker_is_counted()
    {
        await using var test = await OpenAsync();
        var waits = test.Define("- rest: { wait: PT1H }");
        var runs = new[] { await test.StartAsync(waits), await test.StartAsync(waits) };
        var wakes = new List<long>();
        foreach (var run in runs) wakes.Add((await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null })).WakeAt!.Value);

        Assert.Equal(new QueueState(0, null, 2), await test.Database.ReadAsync(db => RunStore.Queue(db, wakes.Min() - 1)));
        Assert.Equal(new QueueState(2, wakes.Min(), 0), await test.Database.ReadAsync(db => RunStore.Queue(db, wakes.Max())));
    }

    [Fact]
    public async Task An_effect_that_waits_for_a_slot_is_counted_until_it_has_one()
    {
        var slots = new Slots(1);
        await slots.TakeAsync(default, default);
        using var gone = new CancellationTokenSource();
        var (second, third) = (slots.TakeAsync(default, default).AsTask(), slots.TakeAsync(default, gone.Token).AsTask());
        Assert.Equal((1, 2), (slots.Used, slots.Waiting));

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);
        slots.Give();
        await second.WaitAsync(TestEngine.Patience);

        Assert.Equal((1, 0), (slots.Used, slots.Waiting));
        slots.Give();
        Assert.Equal(0, slots.Used);
    }

    [Theory]
    [InlineData(Trace, Trace)]
    [InlineData("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", null)]
    [InlineData("", null)]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01, 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", null)]
    public void Only_a_traceparent_is_kept_as_one(string given, string? kept) => Assert.Equal(kept, EngineTrace.Normalised(given));
}

public sealed class TelemetryOnSqliteTests() : TelemetryTests(TestDatabases.Sqlite);

public sealed class TelemetryOnPostgresTests() : TelemetryTests(TestDatabases.Postgres);
