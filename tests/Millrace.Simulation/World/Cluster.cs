using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Engine.Scheduling;
using Millrace.Jq;
using Millrace.Platform.Bulk;
using Millrace.Platform.Definitions;
using Millrace.Platform.Http;
using Millrace.Platform.Sinks;
using Millrace.Platform.Streams;
using Millrace.Testing.Virtual;
using Millrace.Testing.Disk;
using Millrace.Simulation.Programs;
using Millrace.Storage;
using Millrace.Storage.Bus;
using Millrace.Storage.Sqlite;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Simulation.World;

/// <summary>A worker of the simulated world, with the real engine inside.</summary>
internal sealed record WorkerNode(Process Process, FaultyDatabase Database, EventBus Bus, CompiledDefinitions Definitions)
{
    /// <summary>Null until it has taken its lease.</summary>
    public DurableEngine? Engine { get; set; }

    /// <summary>Where people follow its runs.</summary>
    public Broadcasts? Streams { get; set; }

    /// <summary>Where its runs' own events go, once there is an engine.</summary>
    public TaskCompletionSource<EventLog> Events { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>It is leaving in order and takes no more requests.</summary>
    public bool IsLeaving { get; set; }

    public bool IsServing => Engine is not null && !IsLeaving && !Process.IsDead;
}

/// <summary>The machines: one database on one disk, and the workers that share it.</summary>
internal sealed class Cluster : ISecretSource, IDisposable
{
    private readonly Dice _dice;
    private readonly EngineSettings _settings;
    private readonly ILogger _log;
    private Process? _databaseProcess;
    private readonly Sabotage _sabotage;
    private readonly long _ringBytesMax;
    private bool _isFollowed;
    private int _started;

    public Cluster(Scheduler scheduler, Dice dice, Library library, Sabotage sabotage)
    {
        (Scheduler, _dice, Library, _sabotage) = (scheduler, dice, library, sabotage);
        SqliteFileLayer.Register();
        Disk = new SimulatedDisk(dice.Fork()) { ForgetsSyncs = sabotage == Sabotage.ForgetsSyncs };
        Blobs = new SimulatedBlobs(dice.Fork());
        Outside = new Outside(scheduler, dice.Fork()) { Repeated = sabotage == Sabotage.RepeatsEffects ? 0.2 : 0, NotUndone = sabotage == Sabotage.KeepsWhatWasDone ? 0.5 : 0 };
        Network = new Network(dice.Fork());
        if (dice.Chance(0.3)) Endpoint = new Endpoint(scheduler, dice.Fork()) { Refused = dice.Chance(0.6) ? dice.Fraction() * 0.6 : 0, Forgotten = sabotage == Sabotage.LosesEvents ? 0.1 : 0 };
        _log = new NotingLogger(scheduler);
        foreach (var program in library.All) Catalog.Add(Tenant.Default, program);
        _settings = new EngineSettings
        {
            Alone = false,
            LeaseTime = TimeSpan.FromSeconds(6),
            HeldMax = dice.Chance(0.2) ? dice.Between(1, 3) : 10_000,
            IoMax = dice.Chance(0.3) ? dice.Between(1, 4) : 4096,
            CpuMax = dice.Between(1, 4),
            IdleRunsMax = dice.Chance(0.3) ? dice.Below(3) : 5_000,
            ClaimMax = dice.Chance(0.3) ? dice.Between(1, 3) : 200,
            DrainTime = dice.Span(TimeSpan.FromSeconds(1)),
        };
        // Half keep next to nothing for followers that are slow.
        _ringBytesMax = _settings.CpuMax > 2 ? 2_000 : FrameRing.BytesMaxDefault;
    }

    public Scheduler Scheduler { get; }
    public Library Library { get; }

    /// <summary>Programs of the other workspace; in a world that has one alone there are none.</summary>
    public Library Beside { get; } = new();
    public Catalog Catalog { get; } = new();
    public SimulatedDisk Disk { get; }
    public SimulatedBlobs Blobs { get; }
    public Outside Outside { get; }
    public Network Network { get; }

    /// <summary>Where events are sent; null: nowhere.</summary>
    public Endpoint? Endpoint { get; }
    public EngineSettings Settings => _settings;

    /// <summary>Half of the worlds have a clock that all workers ask for; there, one whose own is wrong for ever does no harm.</summary>
    public bool SharesClock => _settings.CpuMax % 2 == 0;

    public bool TellsSecrets => _sabotage == Sabotage.TellsSecrets;

    /// <summary>How likely a message of a stream does not arrive.</summary>
    public double MessagesLost => _sabotage == Sabotage.LosesMessages ? 0.05 : 0;

    /// <summary>Some worker has gone by a clock that was wrong.</summary>
    public bool ClocksDiffered { get; set; }

    /// <summary>Null while the machine is down.</summary>
    public SqliteDatabase? Database { get; private set; }

    public List<WorkerNode> Workers { get; } = [];

    public Trouble Trouble
    {
        get;
        set
        {
            field = value;
            foreach (var worker in Workers) worker.Database.Trouble = value;
        }
    } = new();

    public Library LibraryOf(Tenant tenant) => tenant == Tenant.Default ? Library : Beside;

    public void AddBeside(RandomProgram program)
    {
        Beside.Add(program);
        Catalog.Add(Neighbours.Tenant, program);
    }

    /// <summary>Opens the database as a machine does that starts.</summary>
    /// <exception cref="StorageUnavailableException">The disk does not let it.</exception>
    public async Task OpenAsync()
    {
        var process = Scheduler.Start("database");
        SqliteDatabase? database = null;
        try
        {
            database = SqliteDatabase.Open(Disk.PathOf("millrace.db"), new SqliteOptions
            {
                FileLayer = SqliteFileLayer.Name,
                Pool = process.Pool,
                Time = process.Time,
                CheckpointPages = 64,
                CacheKiB = 1_024,
            });
            await database.MigrateAsync();
            await FaultyDatabase.InstallWatchAsync(database);
            if (!_isFollowed) await database.WriteAsync(Follow);
            _isFollowed = true;
        }
        catch
        {
            process.Die();
            if (database is not null) await CloseAsync(database);
            throw;
        }

        (Database, _databaseProcess) = (database, process);
        Scheduler.Note("the database is open");
    }

    /// <summary>What stands before anybody comes: definitions with their schedules, and where events are sent. Done again, it changes nothing.</summary>
    private int Follow(DbUnit db)
    {
        Catalog.Insert(db, Micros.ToTime(Scheduler.Now));
        if (Endpoint is null) return 0;
        SinkStore.Insert(db, Endpoint.Row(Scheduler.Now, structured: SharesClock));
        EventLog.BeginLifecycle(db, Tenant.Default);
        return 0;
    }

    /// <summary>Whether everything has been told of and sent that there is, and runs are there no more that are to go.</summary>
    public async Task<bool> IsSettledAsync() => Database is { } database && await database.ReadAsync(db =>
        (ClocksDiffered || !db.First("select 1 from run where workspace = $1 and name = $2", _ => true, false, Tenant.Default.Workspace, Generator.Brief)) && !db.First("select 1 from run_removal", _ => true, false)
        && (Endpoint is null || !db.First("select 1 from lifecycle l where position < (select max(position) from journal j where j.workspace = l.workspace)", _ => true, false)
            && !db.First("select 1 from sink s where position < (select max(position) from event e where e.workspace = s.workspace)", _ => true, false)));

    public async Task<WorkerNode> StartWorkerAsync()
    {
        var process = Scheduler.Start($"worker{++_started}");
        var chance = _dice.Fork();
        var worker = new WorkerNode(process, new FaultyDatabase(Database!, process, _dice.Fork()) { TellsTime = SharesClock, Trouble = Trouble, Forked = (fork, source) => Outside.Sources[fork] = source, Forgotten = _sabotage == Sabotage.ForgetsWrites ? 0.05 : 0 }, new EventBus(), Catalog.Compiled(_dice));
        var parts = new EngineParts(worker.Database, Blobs, worker.Bus, new FunctionRegistry([.. Outside.Functions, new Emit(worker.Events.Task)]), new DefinitionSource(worker.Database, worker.Definitions), this, process.Time, _log)
        {
            Link = Network.Join(process, worker.Bus),
            Pool = process.Pool,
            NewId = now => NewId(now, chance),
            Random = chance.Fraction,
        };
        worker.Streams = new Broadcasts(worker.Bus, process.Time, new NotingLogger<Broadcasts>(Scheduler)) { RingBytesMax = _ringBytesMax };
        Workers.Add(worker);
        Scheduler.Note($"{process.Name} starts");
        try
        {
            worker.Engine = await process.Do(() => DurableEngine.OpenAsync(parts, _settings with { WorkerName = process.Name }));
            worker.Events.SetResult(worker.Engine.Events);
            if (Endpoint is { } endpoint) process.Go(() => endpoint.WorkAsync(worker, this, new NotingLogger<SinkLoop>(Scheduler)));
            process.Go(() => Bulks.WorkAsync(worker, new NotingLogger<BulkLoop>(Scheduler)));
        }
        catch (Exception e)
        {
            Scheduler.Note($"{process.Name} could not start: {e.Message}");
            Kill(worker);
        }

        return worker;
    }

    public void Kill(WorkerNode worker)
    {
        if (!Workers.Remove(worker)) return;
        Scheduler.Note($"{worker.Process.Name} dies");
        worker.Process.Die();
    }

    /// <summary>Stops a worker as an upgrade does.</summary>
    public async Task LeaveAsync(WorkerNode worker)
    {
        if (!worker.IsServing) return;
        Scheduler.Note($"{worker.Process.Name} leaves");
        worker.IsLeaving = true;
        await worker.Process.Do(async () => await worker.Engine!.DisposeAsync());
        Workers.Remove(worker);
        worker.Process.Die();
    }

    /// <summary>Database and workers are gone at once; the disk keeps what a disk keeps.</summary>
    public async Task CrashAsync(bool powerToo)
    {
        if (Database is not { } database) return;
        Scheduler.Note(powerToo ? "the power goes" : "every process dies");
        Database = null;
        foreach (var worker in Workers.ToArray()) Kill(worker);
        _databaseProcess!.Die();
        if (powerToo) Disk.LosePower();
        else Disk.LoseProcess();
        await CloseAsync(database);
    }

    /// <summary>Breaks a rule of the world, when it is one of those in which that happens.</summary>
    public async Task SabotageAsync()
    {
        if (Database is not { } database || _sabotage is not (Sabotage.GivesSlots or Sabotage.TurnsAnswers or Sabotage.MixesWorkspaces)) return;
        try
        {
            await database.WriteAsync(db => _sabotage switch
            {
                Sabotage.TurnsAnswers => db.Execute("update approval set state = 3 - state where state in (1, 2)"),
                Sabotage.MixesWorkspaces => db.Execute("update or ignore event set workspace = $1 where workspace = $2", Tenant.Default.Workspace, Neighbours.Tenant.Workspace),
                _ => db.Execute("update run set wake_at = $1 where lease is null and wake_at is null and id in (select run from limit_place where held = 0)", Scheduler.Now)
                    + db.Execute("update limit_place set held = 1 where kind = 0 and held = 0"),
            });
        }
        catch (StorageUnavailableException)
        {
            // Another time.
        }
    }

    public void StallDatabase(TimeSpan span) => _databaseProcess?.Pause(span);

    public void Heal()
    {
        Trouble = new Trouble();
        Blobs.Refused = 0;
        if (Endpoint is not null) Endpoint.Refused = 0;
        Network.Lost = 0;
        Network.Doubled = 0;
        Network.Delay = TimeSpan.FromMilliseconds(1);
        Disk.IsFull = false;
        Disk.SyncsToRefuse = 0;
        Disk.WritesToRefuse = 0;
        _databaseProcess?.Resume();
        foreach (var worker in Workers)
        {
            worker.Process.Resume();
            if (!SharesClock) worker.Process.Skew = TimeSpan.Zero;
        }
    }

    public Json? Find(Tenant tenant, string name) => name == "token" ? Outside.Secret : null;

    public void Dispose() => Disk.Dispose();

    /// <summary>Frees what a dead database held in SQLite. The disk does not hear of it.</summary>
    private static async Task CloseAsync(SqliteDatabase database)
    {
        try
        {
            await database.DisposeAsync();
        }
        catch (StorageUnavailableException)
        {
            // Its files are out of reach.
        }
    }

    /// <summary>A UUIDv7 (RFC 9562) with the seed's chance in it.</summary>
    private static Guid NewId(DateTimeOffset now, Dice chance)
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, chance.Next());
        BitConverter.TryWriteBytes(bytes[8..], chance.Next());
        var milliseconds = now.ToUnixTimeMilliseconds();
        for (var i = 0; i < 6; i++) bytes[i] = (byte)(milliseconds >> (8 * (5 - i)));
        bytes[6] = (byte)(0x70 | (bytes[6] & 0x0f));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3f));
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>What the engine logs belongs to the story of a seed; errors are its own bugs until shown otherwise.</summary>
    private class NotingLogger(Scheduler scheduler) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => NullLogger.Instance.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            scheduler.Note($"{logLevel}: {formatter(state, exception)} {exception?.GetType().Name} {exception?.Message}");
            if (logLevel >= LogLevel.Error) scheduler.Fail($"the engine logs an error: {formatter(state, exception)} {exception}");
        }
    }

    private sealed class NotingLogger<T>(Scheduler scheduler) : NotingLogger(scheduler), ILogger<T>;
}
