using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Storage.Bus;
using Millrace.Storage.Sqlite;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Bench.Engine;

/// <summary>The embedded engine on a data folder, with durable settings as the server has them.</summary>
internal sealed class EngineHost : IAsyncDisposable, IDefinitionSource, ISecretSource
{
    private readonly Dictionary<string, Workflow> _workflows;
    private BusLink? _link;

    private EngineHost(Database database, IEnumerable<Workflow> workflows)
    {
        Database = database;
        _workflows = workflows.ToDictionary(w => w.Hash);
    }

    public Database Database { get; }
    public EventBus Bus { get; } = new();
    public DurableEngine Engine { get; private set; } = null!;

    /// <param name="around">Puts something between the engine and its database.</param>
    /// <param name="database">Null: SQLite in the folder.</param>
    /// <param name="time">The engine's clock, where it is not the machine's.</param>
    /// <param name="link">Joins the bus with those of other processes.</param>
    public static async Task<EngineHost> OpenAsync(
        string folder, IEnumerable<Workflow> workflows, IEnumerable<IFunction> functions, EngineSettings? settings = null, Database? database = null,
        Func<Database, Database>? around = null, Func<EventBus, BusLink>? link = null, TimeProvider? time = null)
    {
        Directory.CreateDirectory(folder);
        database ??= SqliteDatabase.Open(Path.Combine(folder, "millrace.db"));
        if (around is not null) database = around(database);
        await database.MigrateAsync();
        var host = new EngineHost(database, workflows);
        using var logs = LoggerFactory.Create(_ => { });
        host.Engine = await DurableEngine.OpenAsync(
            new EngineParts(database, new FileBlobStore(Path.Combine(folder, "blobs")), host.Bus, new FunctionRegistry(functions), host, host, time ?? TimeProvider.System, NullLogger.Instance) { Link = host._link = link?.Invoke(host.Bus) },
            settings ?? new EngineSettings());
        return host;
    }

    /// <summary>Starts one run and waits for its end, which has to be a good one.</summary>
    public async Task RunAsync(Workflow workflow)
    {
        var started = (StartOutcome.Started)await Engine.StartAsync(new StartRequest(Tenant.Default, workflow, Json.EmptyObject));
        var phase = await Engine.EndAsync(Tenant.Default, started.Run);
        if (phase != RunPhase.Completed) throw new InvalidOperationException($"The run {started.Run} ended {phase}.");
    }

    /// <summary>Keeps so many runs in flight, lets them come to their pace, and calls <paramref name="measure"/>.</summary>
    /// <param name="measure">Is given the count of finished runs, now and whenever it asks.</param>
    public async Task UnderLoadAsync(Workflow workflow, int inFlight, Func<Func<long>, Task> measure)
    {
        using var stop = new CancellationTokenSource();
        var runs = 0L;
        var callers = Enumerable.Range(0, inFlight).Select(async _ =>
        {
            while (!stop.IsCancellationRequested)
            {
                await RunAsync(workflow);
                Interlocked.Increment(ref runs);
            }
        }).ToArray();
        await Task.Delay(TimeSpan.FromSeconds(3));
        await measure(() => Volatile.Read(ref runs));
        await stop.CancelAsync();
        await Task.WhenAll(callers);
    }

    public ValueTask<Workflow?> ByHashAsync(Tenant tenant, string hash) => new(_workflows.GetValueOrDefault(hash));

    public ValueTask<Workflow?> FindAsync(Tenant tenant, string @namespace, string name, string version) =>
        new(_workflows.Values.FirstOrDefault(w => w.Id.Namespace == @namespace && w.Id.Name == name));

    public Json? Find(Tenant tenant, string name) => null;

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        if (_link is not null) await _link.DisposeAsync();
        await Database.DisposeAsync();
    }

    /// <summary>A new empty folder on the disk that <c>BENCH_DIR</c> names, or the system's temporary one.</summary>
    public static string NewFolder()
    {
        var folder = Path.Combine(Environment.GetEnvironmentVariable("BENCH_DIR") ?? Path.GetTempPath(), $"millrace-bench-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        return folder;
    }
}

/// <summary>An effect that does nothing, at once.</summary>
internal sealed class NoOp : IFunction
{
    private static readonly Json Output = Json.Object("ok", true);

    public FunctionDescriptor Descriptor { get; } = new("noop", "1.0.0", Capability.Write, Idempotency.Keyed, Lane.Io);

    public long Calls;

    public ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        Interlocked.Increment(ref Calls);
        return new(FunctionOutcome.Done(Output));
    }
}

/// <summary>An effect that ends when it is told to.</summary>
internal sealed class Gate : IFunction
{
    private readonly TaskCompletionSource<FunctionOutcome> _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _waiting;

    public FunctionDescriptor Descriptor { get; } = new("gate", "1.0.0", Capability.Write, Idempotency.Keyed, Lane.Io);

    public int Waiting => Volatile.Read(ref _waiting);

    public void Open() => _open.TrySetResult(FunctionOutcome.Done(Json.True));

    public ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        Interlocked.Increment(ref _waiting);
        return new(_open.Task.WaitAsync(cancel));
    }
}
