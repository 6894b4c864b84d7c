using Millrace.Storage;

namespace Millrace.Engine.Tests.Support;

/// <summary>A database whose process can die at any write: before it, or after it reached the disk and before anybody was told.</summary>
internal sealed class CrashingDatabase(Database disk) : Database
{
    private readonly TaskCompletionSource _died = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private long _writes;
    private bool _dead;
    private volatile TaskCompletionSource? _frozen;

    /// <summary>The number of the write to die at; the first is 1.</summary>
    public long DieAt { get; set; } = long.MaxValue;

    /// <summary>Whether that write still reaches the disk.</summary>
    public bool AfterCommit { get; set; }

    /// <summary>So many of the next writes find the store away, and are certainly not done.</summary>
    public int WritesRefused;

    /// <summary>The next write is done, and reported as failed.</summary>
    public bool WriteLost { get; set; }

    /// <summary>Is told each statement of units that write.</summary>
    public Action<string>? Watch { get; set; }

    /// <summary>The clock of the database, where a test gives it one; otherwise each process goes by its own.</summary>
    public Func<DateTimeOffset>? Clock { get; init; }

    public long Writes => Interlocked.Read(ref _writes);

    public Task Died => _died.Task;

    public override StorageFault? Fault => disk.Fault;

    public override event Action<StorageFault?>? FaultChanged
    {
        add => disk.FaultChanged += value;
        remove => disk.FaultChanged -= value;
    }

    public void Die()
    {
        Volatile.Write(ref _dead, true);
        _died.TrySetResult();
    }

    /// <summary>It is to die at no write any more.</summary>
    /// <returns>False when the write to die at has begun.</returns>
    public bool Spare()
    {
        lock (_gate)
        {
            if (_writes >= DieAt) return false;
            DieAt = long.MaxValue;
            return true;
        }
    }

    /// <summary>From now on nothing that its process asks for comes through, as while a machine sleeps or a disk hangs.</summary>
    public void Freeze() => _frozen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>All that was asked for meanwhile comes through.</summary>
    public void Thaw() => Interlocked.Exchange(ref _frozen, null)?.TrySetResult();

    public override async Task<T> ReadAsync<T>(Func<DbUnit, T> read, CancellationToken cancel = default)
    {
        if (Volatile.Read(ref _dead)) return await Never<T>();
        if (_frozen is { } frozen) await frozen.Task;
        return await disk.ReadAsync(read, cancel);
    }

    public override async Task<T> WriteAsync<T>(Func<DbUnit, T> write, WriteChain? chain = null)
    {
        long number, dieAt;
        lock (_gate) (number, dieAt) = (++_writes, DieAt);
        if (number > dieAt || Volatile.Read(ref _dead)) return await Never<T>();
        if (_frozen is { } frozen) await frozen.Task;
        if (Interlocked.Decrement(ref WritesRefused) >= 0) throw Away();
        if (WriteLost)
        {
            WriteLost = false;
            await disk.WriteAsync(write, chain);
            throw Away();
        }
        if (Watch is { } watch)
        {
            var watched = write;
            write = db => watched(new WatchedUnit(db, watch));
        }
        if (number < dieAt) return await disk.WriteAsync(write, chain);
        if (AfterCommit) await disk.WriteAsync(write, chain);
        Die();
        return await Never<T>();
    }

    public override Task<long?> ClockAsync(CancellationToken cancel = default) =>
        Task.FromResult(Clock is { } clock ? (clock() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond : (long?)null);

    public override Task<DatabaseVersion> MigrateAsync(CancellationToken cancel = default) => disk.MigrateAsync(cancel);

    public override ValueTask DisposeAsync() => disk.DisposeAsync();

    private static StorageUnavailableException Away() => new(new StorageFault(StorageFault.Io, "The database does not answer.", Recoverable: true));

    /// <summary>A dead process gets no answers.</summary>
    private static Task<T> Never<T>() => new TaskCompletionSource<T>().Task;
}
