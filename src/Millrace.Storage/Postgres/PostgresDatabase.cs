using Millrace.Storage.Migrations;
using Millrace.Storage.Writes;
using Npgsql;

namespace Millrace.Storage.Postgres;

/// <summary>
/// A PostgreSQL database that any number of processes share. Each has one connection that writes, with group commit, and several that
/// read. What one process has committed all others see.
/// </summary>
public sealed class PostgresDatabase : Database
{
    /// <summary>Held while migrations are applied, so that of processes that start together one does it ("millrace" as a number).</summary>
    private const long MigrationLock = 0x6d696c6c72616365;

    private readonly NpgsqlConnectionStringBuilder _settings;
    private readonly PostgresOptions _options;
    private readonly FaultGate _gate;
    private readonly PostgresReaders _readers;
    private readonly GroupWriter _writer;
    private int _disposed;

    private PostgresDatabase(NpgsqlConnectionStringBuilder settings, PostgresOptions options)
    {
        _settings = settings;
        _options = options;
        _gate = new FaultGate(options.Time, TimeSpan.FromMilliseconds(options.ProbeIntervalMs), WorkPool.Threads);
        _readers = new PostgresReaders(settings, options);
        _writer = new GroupWriter(new PostgresWriteSession(settings, options, _gate), _gate, "postgres write", WorkPool.Threads);
    }

    public override StorageFault? Fault => _gate.Fault;

    public override event Action<StorageFault?>? FaultChanged
    {
        add => _gate.Changed += value;
        remove => _gate.Changed -= value;
    }

    /// <param name="uri"><c>postgres://user:password@host:port/database</c>.</param>
    /// <exception cref="ArgumentException">The URI or an option is wrong.</exception>
    public static PostgresDatabase Open(string uri, PostgresOptions? options = null)
    {
        options ??= new PostgresOptions();
        LendThreads(options.ReadersMax + 1);
        return new PostgresDatabase(options.Complete(PostgresOptions.ConnectionOf(uri), "store"), options);
    }

    /// <summary>
    /// Whoever reads or writes keeps a thread of the pool until the server answers, and the client library itself needs one to send the rest of a
    /// long batch. A pool that has none left adds one or two in a second, and until then nothing goes on, timers included.
    /// </summary>
    private static void LendThreads(int waiting)
    {
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(Math.Max(workers, Environment.ProcessorCount + waiting), ports);
    }

    public override Task<T> ReadAsync<T>(Func<DbUnit, T> read, CancellationToken cancel = default) => _readers.ReadAsync(read, cancel);

    public override Task<T> WriteAsync<T>(Func<DbUnit, T> write, WriteChain? chain = null) => _writer.Add(write, chain);

    public override async Task<long?> ClockAsync(CancellationToken cancel = default) =>
        await ReadAsync(db => db.First("select (extract(epoch from clock_timestamp()) * 1000000)::bigint", r => r.Long(0), 0L), cancel);

    public override Task<DatabaseVersion> MigrateAsync(CancellationToken cancel = default) =>
        MigrateAsync(MigrationSet.OfAssembly("migrations/postgres/"), cancel);

    /// <param name="restoring">By the restore that is filling it, which no other process may migrate.</param>
    internal async Task<DatabaseVersion> MigrateAsync(MigrationSet migrations, CancellationToken cancel, bool restoring = false)
    {
        await using var alone = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_settings.ConnectionString) { Pooling = false }.ConnectionString);
        try
        {
            await alone.OpenAsync(cancel);
            await ExecuteAsync(alone, $"select pg_advisory_lock({MigrationLock})", cancel);
        }
        catch (Exception e) when (e is NpgsqlException or IOException)
        {
            throw new StorageUnavailableException(PostgresError.Away(e));
        }

        // Before the connection that writes is opened, which reads once where positions begin.
        foreach (var log in Logs)
            if (await HasLogAsync(alone, log, cancel)) await ExecuteAsync(alone, SettlePositions(log), cancel);
        return await migrations.ApplyAsync(this, _options.Time, cancel, restoring);
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        await _readers.DisposeAsync();
        await Task.Factory.StartNew(_writer.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Tables whose rows have a position.</summary>
    private static readonly string[] Logs = ["journal", "event"];

    /// <summary>After rows came from another server, whose transactions had higher numbers, positions begin above theirs.</summary>
    private static string SettlePositions(string log) => $"""
        update log_origin set value = j.last - (pg_current_xact_id()::text::bigint << {PostgresUnit.PositionBits}) + 1
        from (select coalesce(max(position), 0) as last from {log}) j
        where j.last >= value + (pg_current_xact_id()::text::bigint << {PostgresUnit.PositionBits})
        """;

    private static async Task<bool> HasLogAsync(NpgsqlConnection connection, string log, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"select to_regclass('log_origin') is not null and to_regclass('{log}') is not null", connection);
        return await command.ExecuteScalarAsync(cancel) is true;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancel);
    }
}
