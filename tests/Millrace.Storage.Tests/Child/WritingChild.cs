using Millrace.Storage.Sqlite;

namespace Millrace.Storage.Tests.Child;

/// <summary>
/// Writes numbered rows from several callers and says on standard output what it knows: <c>ack N</c> once row N is durable,
/// <c>fault CODE</c> when it is told of one, <c>refused CODE</c> for writes after that, and <c>read N</c> for the rows it can still read.
/// </summary>
internal static class WritingChild
{
    private const int Callers = 8;
    private const int TriesAfterFault = 20;

    public static async Task<int> RunAsync(string path, int checkpointPages)
    {
        await using var database = SqliteDatabase.Open(path, new SqliteOptions { CheckpointPages = checkpointPages });
        await database.WriteAsync(unit => unit.Execute("create table if not exists row (number integer primary key, body blob)"));
        var next = await database.ReadAsync(unit => unit.First("select coalesce(max(number), 0) from row", r => r.Long(0), 0L));

        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            while (true)
            {
                var number = Interlocked.Increment(ref next);
                try
                {
                    await WriteAsync(database, number);
                    Console.WriteLine($"ack {number}");
                }
                catch (StorageUnavailableException e)
                {
                    Console.WriteLine($"fault {e.Fault.Code} {(e.Fault.Recoverable ? "for now" : "for good")}");
                    return;
                }
            }
        })));

        for (var i = 0; i < TriesAfterFault; i++) await TryAsync(database, Interlocked.Increment(ref next));
        Console.WriteLine($"read {await database.ReadAsync(unit => unit.First("select count(*) from row", r => r.Int(0), 0))}");
        return 0;
    }

    private static async Task TryAsync(SqliteDatabase database, long number)
    {
        try
        {
            await WriteAsync(database, number);
            Console.WriteLine($"ack {number}");
        }
        catch (StorageUnavailableException e)
        {
            Console.WriteLine($"refused {e.Fault.Code}");
        }
    }

    private static Task<int> WriteAsync(SqliteDatabase database, long number) =>
        database.WriteAsync(unit => unit.Execute("insert into row (number, body) values ($1, zeroblob(500))", number));
}
