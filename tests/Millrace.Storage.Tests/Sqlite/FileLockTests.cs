using System.Diagnostics;
using System.Globalization;
using Millrace.Storage.Sqlite;

namespace Millrace.Storage.Tests.Sqlite;

public sealed class FileLockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_data_file_is_opened_once_and_the_refusal_names_the_file_and_the_process()
    {
        await using var first = SqliteDatabase.Open(_folder["data.db"]);
        var error = Assert.Throws<DatabaseInUseException>(() => SqliteDatabase.Open(_folder["data.db"]));
        Assert.Contains(_folder["data.db.lock"], error.Message, StringComparison.Ordinal);
        Assert.Contains($"process {Environment.ProcessId.ToString(CultureInfo.InvariantCulture)} ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_process_finds_it_locked_too()
    {
        await using var first = SqliteDatabase.Open(_folder["data.db"]);
        using var child = Child.ChildProcess.StartRows(_folder["data.db"], 1_000);
        Assert.NotEqual(0, await child.EndAsync());
        Assert.Empty(child.Lines);
    }

    [Fact]
    public async Task A_symbolic_link_to_the_file_meets_the_same_lock()
    {
        await using var first = SqliteDatabase.Open(_folder["data.db"]);
        File.CreateSymbolicLink(_folder["other.db"], _folder["data.db"]);
        Assert.Throws<DatabaseInUseException>(() => SqliteDatabase.Open(_folder["other.db"]));
    }

    [Fact]
    public async Task Closing_gives_the_lock_up()
    {
        await SqliteDatabase.Open(_folder["data.db"]).DisposeAsync();
        await SqliteDatabase.Open(_folder["data.db"]).DisposeAsync();
    }

    [Fact]
    public async Task Closing_gives_the_lock_up_while_processes_are_being_started()
    {
        var stop = false;
        var starts = Task.Factory.StartNew(
            () =>
            {
                while (!Volatile.Read(ref stop)) using (var process = Process.Start("true")) process.WaitForExit();
            },
            TaskCreationOptions.LongRunning);
        try
        {
            for (var i = 0; i < 200; i++)
            {
                await SqliteDatabase.Open(_folder["data.db"]).DisposeAsync();
                Assert.False(File.Exists(_folder["data.db-wal"]));
            }
        }
        finally
        {
            Volatile.Write(ref stop, true);
            await starts;
        }
    }

    [Fact]
    public async Task A_failed_open_gives_the_lock_up()
    {
        await File.WriteAllTextAsync(_folder["data.db"], new string('x', 10_000));
        Assert.Throws<StorageUnavailableException>(() => SqliteDatabase.Open(_folder["data.db"]));
        File.Delete(_folder["data.db"]);
        await SqliteDatabase.Open(_folder["data.db"]).DisposeAsync();
    }

    [Fact]
    public async Task Missing_folders_are_made() =>
        await SqliteDatabase.Open(_folder["a/b/c/data.db"]).DisposeAsync();
}
