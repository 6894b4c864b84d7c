using System.Collections.Concurrent;
using System.Diagnostics;
using Millrace.Storage;

namespace Millrace.Bench.Engine;

/// <summary>Where the time of one record goes between being handed to the database and its run going on, in microseconds.</summary>
/// <param name="Queue">Until its own statements begin: the group before is being written, and those ahead in its own.</param>
/// <param name="Statements">Its own statements.</param>
/// <param name="Rest">The statements behind it in its group.</param>
/// <param name="Commit">From the last statement of the group to the run going on: the commit with its fsync, and waking up.</param>
internal readonly record struct RecordTime(double Queue, double Statements, double Rest, double Commit);

/// <summary>
/// Stands between the engine and its database and takes the times of one write in <see cref="Every"/>. The others pay for one reading of
/// the clock.
/// </summary>
internal sealed class TimedDatabase(Database inner) : Database
{
    public const int Every = 64;

    private readonly ConcurrentQueue<RecordTime> _times = new();
    private int _count;
    private Group _group = new(-1);

    /// <summary>What one transaction holds; of the thread that writes.</summary>
    private sealed class Group(long transaction)
    {
        public long Transaction { get; } = transaction;
        public long LastEnd { get; set; }
    }

    public int Writes => Volatile.Read(ref _count);

    public long Groups { get; private set; }

    public IReadOnlyCollection<RecordTime> Times => _times;

    public override StorageFault? Fault => inner.Fault;

    public override event Action<StorageFault?>? FaultChanged
    {
        add => inner.FaultChanged += value;
        remove => inner.FaultChanged -= value;
    }

    public override Task<T> ReadAsync<T>(Func<DbUnit, T> read, CancellationToken cancel = default) => inner.ReadAsync(read, cancel);

    public override Task<T> WriteAsync<T>(Func<DbUnit, T> write, WriteChain? chain = null) =>
        Interlocked.Increment(ref _count) % Every == 0 ? TimedAsync(write, chain) : inner.WriteAsync(unit =>
        {
            var result = write(unit);
            GroupOf(unit).LastEnd = Stopwatch.GetTimestamp();
            return result;
        }, chain);

    public override Task<long?> ClockAsync(CancellationToken cancel = default) => inner.ClockAsync(cancel);

    public override Task<DatabaseVersion> MigrateAsync(CancellationToken cancel = default) => inner.MigrateAsync(cancel);

    public override ValueTask DisposeAsync() => inner.DisposeAsync();

    private async Task<T> TimedAsync<T>(Func<DbUnit, T> write, WriteChain? chain)
    {
        var (added, began, ended, group) = (Stopwatch.GetTimestamp(), 0L, 0L, _group);
        var result = await inner.WriteAsync(unit =>
        {
            began = Stopwatch.GetTimestamp();
            var done = write(unit);
            group = GroupOf(unit);
            group.LastEnd = ended = Stopwatch.GetTimestamp();
            return done;
        }, chain);
        _times.Enqueue(new RecordTime(Us(added, began), Us(began, ended), Us(ended, group.LastEnd), Us(group.LastEnd, Stopwatch.GetTimestamp())));
        return result;
    }

    private Group GroupOf(DbUnit unit)
    {
        if (_group.Transaction == unit.Transaction) return _group;
        Groups++;
        return _group = new Group(unit.Transaction);
    }

    private static double Us(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalMicroseconds;
}
