using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Postgres;
using Millrace.Workflows.Graph;

namespace Millrace.Engine.Tests.Support;

/// <summary>What people do with runs, told again from the beginning after the process died: whoever got no answer asks once more.</summary>
internal static class Story
{
    /// <summary>A story that dies more often writes for ever.</summary>
    private const int DeathsMax = 150;

    private const int EachUpTo = 8;

    /// <summary>Tells the story once for each write at which the process can die.</summary>
    /// <param name="tell">Must bear being told twice.</param>
    /// <param name="first">Told before it, while the clock stands: what must not come too late, however long the database takes.</param>
    /// <param name="check">Looks at what the disk says afterwards.</param>
    /// <returns>The writes at which it could die.</returns>
    public static async Task<int> DyingAtEveryWriteAsync(Func<Task<TestEngine>> open, bool afterCommit, Func<TestEngine, Task> tell, Func<TestEngine, Task> check, Func<TestEngine, Task>? first = null)
    {
        for (var at = 1; at <= DeathsMax;)
        {
            await using var test = await open();
            (test.Database.AfterCommit, test.Database.DieAt) = (afterCommit, test.Database.Writes + at);
            var crashed = await DiesAsync(test, first, tell);
            if (crashed)
            {
                await test.CrashAsync();
                await test.ReopenAsync();
                Assert.False(await DiesAsync(test, first, tell), $"crash at write {at}");
            }
            await check(test);
            if (!crashed) return at - 1;
            at = NextDeath(test.Disk is PostgresDatabase, at);
        }
        throw new InvalidOperationException($"After {DeathsMax} writes the story has not come to its end.");
    }

    /// <summary>
    /// The next write to die at. On SQLite it is each. On PostgreSQL, where dying and opening again takes a second, it is each of the first, and every third
    /// of those behind them.
    /// </summary>
    public static int NextDeath(bool isPostgres, int at) => isPostgres && at >= EachUpTo ? at + 3 : at + 1;

    public static async Task<Guid> StartAsync(TestEngine test, Workflow workflow, Json? input = null) =>
        await test.Engine.StartAsync(new StartRequest(Tenant.Default, workflow, input ?? Json.EmptyObject, "story", "request")) switch
        {
            StartOutcome.Started started => started.Run,
            StartOutcome.Existing existing => existing.Run,
            _ => throw new InvalidOperationException("conflict"),
        };

    private static async Task<bool> DiesAsync(TestEngine test, Func<TestEngine, Task>? first, Func<TestEngine, Task> tell)
    {
        if (first is not null)
        {
            var begun = first(test);
            await Task.WhenAny(begun, test.Database.Died).WaitAsync(TestEngine.Patience);
            if (test.Database.Died.IsCompleted) return true;
            await begun;
        }
        var told = tell(test);
        await test.PassUntilAsync(Task.WhenAny(told, test.Database.Died));
        if (test.Database.Died.IsCompleted) return true;
        await told;
        // Whoever has told it to the end lives on; a write that has begun is the death of it all the same.
        if (!test.Database.Spare()) await test.Database.Died.WaitAsync(TestEngine.Patience);
        return test.Database.Died.IsCompleted;
    }
}
