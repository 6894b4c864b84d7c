using Millrace.Engine.Journal;
using Millrace.Engine.Tests.Support;
using Millrace.Storage;
using Millrace.Tests.Databases;

namespace Millrace.Engine.Tests.Retention;

public abstract class LogEndTests(TestDatabases databases) : EngineSuite(databases)
{
    /// <summary>Who follows the workspace has seen records that are there no more, and goes on behind them.</summary>
    [Fact]
    public async Task The_end_of_the_log_stays_where_it_was_when_its_last_records_go()
    {
        await using var test = await OpenAsync();
        await test.EndAsync(await test.StartAsync(test.Define(RetentionTests.Count, "kept")));
        var run = await test.StartAsync(test.Define(RetentionTests.Count, "goes", metadata: "retention: { completed: PT60S }"));
        await test.EndAsync(run);
        var seen = await NewestAsync(test);
        // On PostgreSQL it is settled when all that was under way anywhere has ended.
        await RetentionTests.WhileAsync(test, db => JournalStore.End(db) < seen);
        await RetentionTests.UntilGoneAsync(test, [run]);
        Assert.True(await NewestAsync(test) < seen);
        Assert.True(await test.Disk.ReadAsync(JournalStore.End) >= seen);
        await test.EndAsync(await test.StartAsync(test.Define(RetentionTests.Count, "next")));
        Assert.True(await NewestAsync(test) > seen);
    }

    private static Task<long> NewestAsync(TestEngine test) => test.Disk.ReadAsync(db => db.First("select max(position) from journal", r => r.Long(0), 0L));

    public sealed class OnSqlite() : LogEndTests(TestDatabases.Sqlite);

    public sealed class OnPostgres() : LogEndTests(TestDatabases.Postgres);
}
