using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Storage.Bus;
using Millrace.Tests.Checks;
using Millrace.Tests.Databases;
using Millrace.Tests.Fakes;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Support;

/// <summary>The real engine on a temporary data folder. It can crash and be opened again.</summary>
internal sealed class TestEngine : IAsyncDisposable, IDefinitionSource, ISecretSource
{
    /// <summary>No test waits longer than this for anything.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-test-").FullName;
    private readonly List<Workflow> _workflows = [];
    private DurableEngine? _engine;
    private Database? _disk;
    private Func<Database> _open = null!;

    public ManualTime Time { get; } = new();
    public TestFunctions Functions { get; } = new();
    public Dictionary<string, Json> Secrets { get; } = [];
    public EngineSettings Settings { get; set; } = new() { DrainTime = TimeSpan.Zero };
    public EventBus Bus { get; } = new();

    /// <summary>So many of the next look-ups of definitions find the store away.</summary>
    public int LookupsRefused;

    /// <summary>So many of the next runs that are taken find their definition unreadable, through a fault of ours.</summary>
    public int LookupsBroken;

    public CrashingDatabase Database { get; private set; } = null!;
    public BlobStore Blobs => new FileBlobStore(BlobsFolder);
    public string BlobsFolder => Path.Combine(Folder, "blobs");
    public string Folder => _folder;
    public DurableEngine Engine => _engine!;

    public static async Task<TestEngine> OpenAsync(TestDatabases databases, EngineSettings? settings = null)
    {
        var test = new TestEngine();
        if (settings is not null) test.Settings = settings with { DrainTime = TimeSpan.Zero };
        test._open = await databases.CreateAsync(test._folder);
        await test.ReopenAsync();
        return test;
    }

    /// <summary>From the next opening on, state is elsewhere.</summary>
    public void Use(Func<Database> open) => _open = open;

    /// <summary>Opens the data folder as a new process would.</summary>
    /// <param name="definitions">Where the process finds definitions; null: all that the test has defined.</param>
    /// <param name="before">Done before the engine starts.</param>
    public async Task ReopenAsync(IDefinitionSource? definitions = null, Func<Database, Task>? before = null)
    {
        _disk = _open();
        await _disk.MigrateAsync();
        if (before is not null) await before(_disk);
        Database = new CrashingDatabase(_disk);
        _engine = await OpenEngineAsync(Database, definitions);
        Functions.Publish = e => Engine.Events.PublishAsync(Tenant.Default, [e]);
    }

    /// <summary>Another worker beside the first, which sees the same database and can die or stand still by itself.</summary>
    /// <param name="time">Its own clock, where it is another than <see cref="Time"/>, which is then the database's.</param>
    /// <param name="disk">Its own connection to the database, as another process has; null: the first's.</param>
    public async Task<(DurableEngine Engine, CrashingDatabase Database)> JoinAsync(TimeProvider? time = null, Database? disk = null)
    {
        var database = new CrashingDatabase(disk ?? _disk!) { Clock = time is null ? null : Time.GetUtcNow };
        var engine = await OpenEngineAsync(database, time: time);
        return (engine, database);
    }

    private Task<DurableEngine> OpenEngineAsync(CrashingDatabase database, IDefinitionSource? definitions = null, TimeProvider? time = null) => DurableEngine.OpenAsync(
        new EngineParts(database, Blobs, Bus, new FunctionRegistry(Functions.All), definitions ?? this, this, time ?? Time, NullLogger.Instance), Settings);

    /// <summary>Takes a run back to a step as it is now.</summary>
    public async Task<ControlOutcome> RedriveAsync(Guid run, int step) =>
        await Engine.RedriveAsync(Tenant.Default, run, step, (await HistoryAsync(run)).State.Position);

    /// <summary>The definition is there no more, as after somebody took it out of the database.</summary>
    public void Forget(Workflow workflow) => _workflows.Remove(workflow);

    /// <summary>An older version that stays beside the one which took its name.</summary>
    public void Remember(Workflow workflow) => _workflows.Add(workflow);

    /// <summary>Lets the clock run, half a second at a time, until the task ends.</summary>
    public async Task PassUntilAsync(Task task)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(Patience);
        while (!task.IsCompleted)
        {
            await pulse.WaitForNextTickAsync(patience.Token);
            Time.Advance(TimeSpan.FromMilliseconds(500));
        }

        await task;
    }

    /// <summary>Lets the clock run for so long, half a second at a time.</summary>
    public async Task PassAsync(TimeSpan span)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        for (var passed = TimeSpan.Zero; passed < span; passed += TimeSpan.FromMilliseconds(500))
        {
            await pulse.WaitForNextTickAsync();
            Time.Advance(TimeSpan.FromMilliseconds(500));
        }
    }

    /// <summary>Lets the clock run until the run's row says so.</summary>
    /// <param name="within">Longer than <see cref="Patience"/> where the volume is what is tested.</param>
    public async Task<RunRow> PassUntilAsync(Guid run, Func<RunRow, bool> says, TimeSpan? within = null)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(within ?? Patience);
        while (true)
        {
            var row = await _disk!.ReadAsync(db => RunStore.Get(db, Tenant.Default, run)!);
            if (says(row)) return row;
            await pulse.WaitForNextTickAsync(patience.Token);
            Time.Advance(TimeSpan.FromMilliseconds(500));
        }
    }

    /// <summary>The database itself, whatever becomes of the workers.</summary>
    public Database Disk => _disk!;

    /// <summary>Opens the database once more, as another process does; SQLite has one process alone.</summary>
    public Database OpenDisk() => _open();

    /// <summary>Everything in memory is gone; what was not on disk never was.</summary>
    public async Task CrashAsync()
    {
        Database.Die();
        var (engine, disk) = (_engine!, _disk!);
        _engine = null;
        await disk.DisposeAsync();
        Functions.Forget();
        _ = engine;
    }

    /// <param name="metadata">Members of <c>document.metadata</c>, as JSON.</param>
    public Workflow Define(string tasks, string name = "test", string extra = "", string metadata = "")
    {
        var loaded = WorkflowLoader.Load($"""
            document: {"{"} dsl: 1.0.3, namespace: test, name: {name}, version: 1.0.0, metadata: {"{"}{metadata}{"}"} {"}"}
            {extra}
            do:
            {tasks}
            """);
        Assert.True(loaded.Workflow is not null, string.Join("\n", loaded.Diagnostics));
        _workflows.RemoveAll(w => w.Id.Name == name);
        _workflows.Add(loaded.Workflow!);
        return loaded.Workflow!;
    }

    public async Task<Guid> StartAsync(Workflow workflow, Json? input = null, string? key = null)
    {
        var outcome = await Engine.StartAsync(new StartRequest(Tenant.Default, workflow, input ?? Json.EmptyObject, key, "request"));
        return ((StartOutcome.Started)outcome).Run;
    }

    public async Task<RunHistory> EndAsync(Guid run)
    {
        await Engine.EndAsync(Tenant.Default, run).WaitAsync(Patience);
        return await HistoryAsync(run);
    }

    public async Task<RunHistory> RunAsync(string tasks, Json? input = null, string extra = "") =>
        await EndAsync(await StartAsync(Define(tasks, extra: extra), input));

    public async Task<RunHistory> HistoryAsync(Guid run)
    {
        var row = await RowAsync(run);
        var history = new RunHistory(_workflows.Single(w => w.Hash == row.Hash), run);
        foreach (var record in await Engine.Journal.AfterAsync(Tenant.Default, run, -1)) history.Apply(record);
        return history;
    }

    public Task<RunRow> RowAsync(Guid run) => Database.ReadAsync(db => RunStore.Get(db, Tenant.Default, run)!);

    /// <summary>Waits until the run's row says so.</summary>
    public async Task<RunRow> UntilAsync(Guid run, Func<RunRow, bool> says)
    {
        await using var subscription = Bus.Subscribe(Topics.Run(run));
        // Not all that a row says is told: that a worker has let go of the run is not.
        await using var reminder = new Timer(_ => subscription.Lose(), null, TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(50));
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var row = await RowAsync(run);
            if (says(row)) return row;
            await subscription.WaitAsync(patience.Token);
            subscription.TakeLost();
            while (subscription.TryRead(out _)) { }
        }
    }

    public ValueTask<Workflow?> ByHashAsync(Tenant tenant, string hash) => Interlocked.Decrement(ref LookupsBroken) < 0
        ? new(_workflows.Select(w => w.ForRun(hash)).FirstOrDefault(w => w is not null))
        : throw new InvalidOperationException("The definition could not be read.");

    public ValueTask<Workflow?> FindAsync(Tenant tenant, string @namespace, string name, string version) =>
        Lookup(w => w.Id.Namespace == @namespace && w.Id.Name == name);

    private ValueTask<Workflow?> Lookup(Func<Workflow, bool> wanted) => Interlocked.Decrement(ref LookupsRefused) < 0
        ? new(_workflows.FirstOrDefault(wanted))
        : throw new StorageUnavailableException(new StorageFault(StorageFault.Io, "The database does not answer.", Recoverable: true));

    public Json? Find(Tenant tenant, string name) => Secrets.TryGetValue(name, out var secret) ? secret : (Json?)null;

    /// <summary>No test ends before each run that has not ended has said what it waits for.</summary>
    public async ValueTask DisposeAsync()
    {
        List<string> faults = [];
        if (_engine is not null)
        {
            faults = await Wakeable.FaultsAsync(Disk, Blobs, row => ByHashAsync(row.Tenant, row.Hash));
            await CrashAsync();
        }
        Directory.Delete(_folder, recursive: true);
        Assert.Empty(faults);
    }
}
