using Millrace.Tests.Databases;

namespace Millrace.Storage.Tests.Databases;

/// <summary>A class of tests that every database passes: a subclass for each of them.</summary>
public abstract class DatabaseSuite(TestDatabases databases) : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>Opens the same database once more, as another start of the process does.</summary>
    private protected Func<Database> Open { get; private set; } = null!;

    private protected Database Database { get; set; } = null!;

    /// <summary>What the tests of the class write to, in words that every database takes.</summary>
    private protected abstract IReadOnlyList<string> Tables { get; }

    public async ValueTask InitializeAsync()
    {
        Open = await databases.CreateAsync(_folder.Path);
        Database = Open();
        foreach (var table in Tables) await Database.WriteAsync(unit => unit.Execute(table));
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A write that holds the writer until released, so that those after it make one group.</summary>
    private protected (List<Task<int>> Writes, SemaphoreSlim Release) HoldGroup()
    {
        var held = new SemaphoreSlim(0);
        var started = new SemaphoreSlim(0);
        var write = Database.WriteAsync(_ =>
        {
            started.Release();
            held.Wait();
            return 0;
        });
        started.Wait();
        return ([write], held);
    }

    /// <summary>Waits for all of them, whether they were refused or not.</summary>
    private protected static Task SettledAsync(IEnumerable<Task> writes) => Task.WhenAll(writes).ContinueWith(_ => { }, TaskScheduler.Default);
}
