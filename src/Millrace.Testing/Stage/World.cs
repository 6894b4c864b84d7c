using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Connectors;
using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Engine.Runs;
using Millrace.Engine.Scheduling;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Bus;
using Millrace.Storage.Sqlite;
using Millrace.Testing.Disk;
using Millrace.Testing.Outside;
using Millrace.Testing.Scenarios;
using Millrace.Testing.Virtual;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Testing.Stage;

/// <summary>The real engine with a clock that is only moved when there is nothing to do, a disk in memory, and mocks instead of the outside. It can crash and open again.</summary>
internal sealed class World : IDefinitionSource, ISecretSource, IDisposable
{
    private const string File = "millrace.db";

    /// <summary>No engine opens, and no request is answered, after so much time of its clock.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>How often its loops look whether something was overlooked: nothing ever is, since there is nobody else.</summary>
    private static readonly TimeSpan Seldom = TimeSpan.FromDays(20);

    /// <summary>How soon it is told what journals say, where somebody wants that.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    private static readonly Lazy<byte[]> Migrated = new(Migrate);

    private readonly SimulatedDisk _disk = new(new Dice(1));
    private readonly MemoryBlobs _blobs = new();
    private readonly IReadOnlyList<Workflow> _workflows;
    private readonly Json _secrets;
    private readonly bool _scheduled;
    private readonly OutsideWorld _outside;
    private readonly Dice _chance = new(7);
    private SqliteDatabase? _database;
    private ConnectorFunctions? _functions;

    public World(Scheduler scheduler, IReadOnlyList<Workflow> workflows, Scenario scenario, OutsideWorld outside, Crash crash)
    {
        (Scheduler, _workflows, _secrets, _scheduled, _outside, Crash) = (scheduler, workflows, scenario.Secrets, scenario.Scheduled, outside, crash);
        SqliteFileLayer.Register();
        _disk.Place(File, Migrated.Value);
    }

    public Scheduler Scheduler { get; }
    public Crash Crash { get; }
    public Process? Process { get; private set; }
    public DurableEngine? Engine { get; private set; }
    public bool IsDead => Process is not { IsDead: false };

    private bool WantsTold => _workflows.Any(w => w.Listens && EventLog.ToldTypes.Any(w.Definition.ToString().Contains));

    /// <summary>Opens the disk as a new process does.</summary>
    public void Open()
    {
        // One that dies while it opens is opened again; it dies once.
        do
        {
            if (Process is not null) Bury();
            var process = Process = Scheduler.Start("millrace");
            _database = SqliteDatabase.Open(_disk.PathOf(File), new SqliteOptions
            {
                FileLayer = SqliteFileLayer.Name,
                Pool = process.Pool,
                Time = process.Time,
                CheckpointPages = 1000,
                CacheKiB = 1_024,
                ReadersMax = 1,
            });
            var ready = new TaskCompletionSource<DurableEngine>();
            var (handler, outlet) = _outside.Open(process, ready.Task, run => CallingAsync(ready.Task, run));
            _functions = ConnectorFunctions.Create(new ConnectorSettings(), outlet, handler: handler);
            var parts = new EngineParts(new CountedDatabase(_database, process, Crash), _blobs, new EventBus(), new FunctionRegistry(_outside.Wrap(_functions.All)), this, this, process.Time, NullLogger.Instance)
            {
                Pool = process.Pool,
                NewId = NewId,
                Random = _chance.Fraction,
            };
            var settings = new EngineSettings { WorkerName = "scenario", LeaseTime = Seldom * 4, PollInterval = WantsTold ? Soon : Seldom, SleepMax = Seldom, DrainTime = TimeSpan.Zero, Schedules = _scheduled };
            var opening = Begin(() => DurableEngine.OpenAsync(parts, settings));
            Wait(opening);
            if (IsDead) continue;
            Engine = Of(opening);
            ready.SetResult(Engine);
        }
        while (IsDead);
    }

    /// <summary>What the database of the process that is alive holds.</summary>
    public T Read<T>(Func<DbUnit, T> read) => Ask(_ => ReadAsync(read));

    public Task<T> ReadAsync<T>(Func<DbUnit, T> read) => _database!.ReadAsync(read);

    /// <summary>The version that a run with this hash carries out.</summary>
    public Workflow Workflow(string hash) => Find(hash) ?? throw new StageException("a run has no definition");

    private async Task<CallingRun> CallingAsync(Task<DurableEngine> engine, Guid run)
    {
        var first = await (await engine).Journal.AfterAsync(Tenant.Default, run, after: -1, limit: 1);
        var row = await ReadAsync(db => RunStore.Get(db, Tenant.Default, run));
        return new CallingRun(row!.Definition.Name, first[0].Entries.OfType<Entry.RunCreated>().Single().Input);
    }

    /// <summary>The workflow becomes the latest of its name, and its schedule begins.</summary>
    public async Task<Guid> PushAsync(DurableEngine engine, Workflow workflow)
    {
        var now = Scheduler.Now;
        await _database!.WriteAsync(db =>
        {
            ScheduleControl.Follow(db, Tenant.Default, workflow, now);
            TriggerStore.Follow(db, Tenant.Default, workflow, now);
            return 0;
        });
        engine.Schedules.Changed();
        return Guid.Empty;
    }

    /// <summary>Everything in memory is gone.</summary>
    public void Die() => Process!.Die();

    public Task<T> Begin<T>(Func<Task<T>> work) => Process!.Do(work);

    /// <summary>Goes on until the task has ended or the process is dead.</summary>
    public void Wait(Task task)
    {
        Scheduler.Run(() => task.IsCompleted || IsDead, Patience);
        if (Scheduler.Failure is { } failure) throw new StageException(failure);
        if (!task.IsCompleted && !IsDead) throw new StageException($"the engine did not answer within {Patience}");
    }

    /// <summary>Asks the engine; nobody dies meanwhile.</summary>
    public T Ask<T>(Func<DurableEngine, Task<T>> question)
    {
        var task = Begin(() => question(Engine!));
        Wait(task);
        return Of(task);
    }

    /// <summary>What a task gave that has ended.</summary>
    public static T Of<T>(Task<T> ended)
    {
        if (ended.Exception?.InnerException is { } e) ExceptionDispatchInfo.Throw(e);
        return ended.Result;
    }

    public ValueTask<Workflow?> ByHashAsync(Tenant tenant, string hash) => new(Find(hash));

    public ValueTask<Workflow?> FindAsync(Tenant tenant, string @namespace, string name, string version)
    {
        var range = VersionRange.Parse(version);
        return new(_workflows.LastOrDefault(w => w.Id.Namespace == @namespace && w.Id.Name == name
            && (version == VersionRange.Latest || w.Id.Version == version || range?.Accepts(w.Id.Version) == true)));
    }

    private Workflow? Find(string hash) => _workflows.Select(w => w.ForRun(hash)).FirstOrDefault(w => w is not null);

    public Json? Find(Tenant tenant, string name) => _secrets.ObjectOrNull is { } all && all.TryGet(name, out var secret) ? secret : (Json?)null;

    public void Dispose()
    {
        if (Process is not null) Bury();
        _disk.Dispose();
    }

    /// <summary>Frees what a dead process held. The disk does not hear of it.</summary>
    private void Bury()
    {
        Engine = null;
        Process!.Die();
        _disk.LoseProcess();
        _functions?.Dispose();
        // Without threads it closes on this one. That its files are out of reach is no news.
        _ = _database!.DisposeAsync().AsTask().Exception;
    }

    /// <summary>A database with all migrations, made once for all scenarios of this process.</summary>
    private static byte[] Migrate()
    {
        SqliteFileLayer.Register();
        var scheduler = new Scheduler(null);
        using var disk = new SimulatedDisk(new Dice(1));
        var process = scheduler.Start("migrations");
        var database = SqliteDatabase.Open(disk.PathOf(File), new SqliteOptions { FileLayer = SqliteFileLayer.Name, Pool = process.Pool, Time = process.Time, CacheKiB = 1_024, ReadersMax = 1 });
        var migrated = process.Do(() => database.MigrateAsync());
        scheduler.Run(() => migrated.IsCompleted, Patience);
        Of(migrated);
        process.Go(async () => await database.DisposeAsync());
        scheduler.Settle();
        return disk.Content(File);
    }

    /// <summary>A UUIDv7 (RFC 9562) that is the same each time the scenario is played.</summary>
    private Guid NewId(DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, _chance.Next());
        BitConverter.TryWriteBytes(bytes[8..], _chance.Next());
        var milliseconds = now.ToUnixTimeMilliseconds();
        for (var i = 0; i < 6; i++) bytes[i] = (byte)(milliseconds >> (8 * (5 - i)));
        bytes[6] = (byte)(0x70 | (bytes[6] & 0x0f));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3f));
        return new Guid(bytes, bigEndian: true);
    }
}

/// <summary>A scenario could not be played to its end.</summary>
internal sealed class StageException(string message) : Exception(message);
