using Millrace.Testing.Virtual;
using Millrace.Storage;

namespace Millrace.Simulation.World;

/// <summary>How a worker's way to the database misbehaves. All zero: it does not.</summary>
internal sealed record Trouble
{
    /// <summary>How likely a write is refused before it is tried.</summary>
    public double Refused { get; init; }

    /// <summary>How likely a write that reached the disk is reported as failed.</summary>
    public double ReportedAsFailed { get; init; }

    public double ReadsRefused { get; init; }

    /// <summary>How long answers take, on average.</summary>
    public TimeSpan Answers { get; init; }
}

/// <summary>
/// The database as one worker sees it: slow, refusing, and sometimes saying that a write failed which is on disk. Every write is
/// watched from inside its transaction: nobody may write for a run that another holds, or after its lease is over.
/// </summary>
internal sealed class FaultyDatabase(Database disk, Process process, Dice dice) : Database
{
    private const string Watch = "select run, seq, holder, alive, before, fork from audit where position > $1 order by position";

    public Trouble Trouble { get; set; } = new();

    /// <summary>Whether workers go by its clock, as on PostgreSQL; otherwise each goes by its own.</summary>
    public bool TellsTime { get; init; }

    /// <summary>Told of each fork that begins, and what it parts from.</summary>
    public Action<Guid, Guid>? Forked { get; init; }

    /// <summary>Sabotage: how likely a write is acknowledged that was never made.</summary>
    public double Forgotten { get; init; }

    public override StorageFault? Fault => disk.Fault;

    public override event Action<StorageFault?>? FaultChanged
    {
        add => disk.FaultChanged += value;
        remove => disk.FaultChanged -= value;
    }

    public override async Task<T> ReadAsync<T>(Func<DbUnit, T> read, CancellationToken cancel = default)
    {
        if (dice.Chance(Trouble.ReadsRefused)) throw Refusal("the connection was refused");
        var answer = await disk.ReadAsync(read, cancel);
        await AnswerAsync();
        return answer;
    }

    public override async Task<T> WriteAsync<T>(Func<DbUnit, T> write, WriteChain? chain = null)
    {
        if (dice.Chance(Trouble.Refused))
        {
            chain?.Break();
            throw Refusal("the connection was refused");
        }

        if (Forgotten > 0 && dice.Chance(Forgotten)) return await ForgetAsync(write);
        var lies = dice.Chance(Trouble.ReportedAsFailed);
        string? wrong = null;
        var answer = await disk.WriteAsync(db =>
        {
            var last = db.First("select max(position) from audit", r => r.LongOrNull(0) ?? -1, -1L);
            var result = write(db);
            var begun = new HashSet<Guid>();
            wrong = db.Query(Watch, row => Judge(row, begun), last).Find(w => w is not null);
            // Whoever is told of a failure learns it before the next write is tried.
            if (lies) chain?.Break();
            return result;
        }, chain);
        if (wrong is not null) process.Scheduler.Fail(wrong);
        await AnswerAsync();
        if (lies) throw Refusal("the connection was lost before the answer");
        return answer;
    }

    public override async Task<long?> ClockAsync(CancellationToken cancel = default)
    {
        if (!TellsTime) return null;
        if (dice.Chance(Trouble.ReadsRefused)) throw Refusal("the connection was refused");
        var told = process.Scheduler.Now;
        await AnswerAsync();
        return told;
    }

    public override Task<DatabaseVersion> MigrateAsync(CancellationToken cancel = default) => disk.MigrateAsync(cancel);

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Keeps, for each row of the journal, who held the run when it was written.</summary>
    public static async Task InstallWatchAsync(Database disk) => await disk.WriteAsync(db =>
    {
        db.Execute("""
            create table if not exists audit (
                position integer primary key, run blob not null, seq integer not null, holder text, alive integer, before integer not null, fork blob) strict
            """);
        Checks.Slots.Install(db);
        Checks.Ticks.Install(db);
        Checks.Gone.Install(db);
        return db.Execute("""
            create trigger if not exists audit_journal after insert on journal begin
                insert into audit select new.position, new.run, new.seq,
                    (select name from lease where id = r.lease), (select alive from lease where id = r.lease),
                    (select count(*) from journal where run = new.run and seq < new.seq), r.fork_of
                from run r where r.workspace = new.workspace and r.id = new.run;
            end
            """);
    });

    /// <param name="begun">Forks that begin in this transaction, with all that they take over.</param>
    /// <returns>What is wrong with a row of the journal that this worker is about to commit; null when nothing is.</returns>
    private string? Judge(DbRow row, HashSet<Guid> begun)
    {
        var (run, seq, holder, alive, before) = (Names.Of(row.Id(0)), row.Long(1), row.TextOrNull(2), row.LongOrNull(3), row.Long(4));
        if (before != seq) return $"{process.Name} writes record {seq} of run {run}, which has {before} records before it";
        if (row.IdOrNull(5) is { } source && holder is null && (seq == 0 || begun.Contains(row.Id(0))))
        {
            begun.Add(row.Id(0));
            Forked?.Invoke(row.Id(0), source);
            return null;
        }
        if (holder is null && seq == 0) return null;
        if (holder != process.Name) return $"{process.Name} writes record {seq} of run {run}, which {holder ?? "nobody"} holds";
        return alive == 1 ? null : $"{process.Name} writes record {seq} of run {run} after its lease is over";
    }

    private async Task<T> ForgetAsync<T>(Func<DbUnit, T> write)
    {
        T answer = default!;
        try
        {
            return await disk.WriteAsync<T>(db =>
            {
                answer = write(db);
                throw new UndoneException();
            });
        }
        catch (UndoneException)
        {
            return answer;
        }
    }

    private async Task AnswerAsync()
    {
        if (Trouble.Answers > TimeSpan.Zero) await process.DelayAsync(dice.Span(Trouble.Answers));
    }

    public static StorageUnavailableException Refusal(string detail) => new(new StorageFault(StorageFault.Io, detail, Recoverable: true));

    private sealed class UndoneException : Exception;
}
