using Millrace.Engine.Journal;
using Millrace.Storage;
using Millrace.Testing.Virtual;

namespace Millrace.Testing.Stage;

/// <summary>The database as the process of a scenario sees it; the process can die when a write is on disk and before anybody is told.</summary>
internal sealed class CountedDatabase(Database disk, Process process, Crash crash) : Database
{
    public override StorageFault? Fault => disk.Fault;

    public override event Action<StorageFault?>? FaultChanged
    {
        add => disk.FaultChanged += value;
        remove => disk.FaultChanged -= value;
    }

    public override Task<T> ReadAsync<T>(Func<DbUnit, T> read, CancellationToken cancel = default) => disk.ReadAsync(read, cancel);

    public override async Task<T> WriteAsync<T>(Func<DbUnit, T> write, WriteChain? chain = null)
    {
        var answer = await disk.WriteAsync(write, chain);
        if (!crash.IsArmed) return answer;
        crash.Writes++;
        if (!await IsTimeAsync()) return answer;
        crash.HasHappened = true;
        process.Die();
        return await new TaskCompletionSource<T>().Task;
    }

    public override Task<DatabaseVersion> MigrateAsync(CancellationToken cancel = default) => disk.MigrateAsync(cancel);

    public override ValueTask DisposeAsync() => disk.DisposeAsync();

    private async Task<bool> IsTimeAsync()
    {
        if (crash.HasHappened) return false;
        if (crash.AtWrite is { } write) return crash.Writes >= write;
        if (crash.AfterRecord is not { } record || crash.Run == Guid.Empty) return false;
        return await disk.ReadAsync(db => JournalStore.LastSeq(db, Tenant.Default, crash.Run)) >= record;
    }
}

/// <summary>Where the process of a scenario dies; once.</summary>
internal sealed class Crash
{
    /// <summary>Writes count only while the scenario plays, not while the engine opens for the first time.</summary>
    public bool IsArmed { get; set; }

    public long Writes { get; set; }
    public bool HasHappened { get; set; }

    /// <summary>The number of the write to die after; the first is 1.</summary>
    public long? AtWrite { get; init; }

    /// <summary>The record of the run to die after.</summary>
    public long? AfterRecord { get; init; }

    public Guid Run { get; set; }
}
