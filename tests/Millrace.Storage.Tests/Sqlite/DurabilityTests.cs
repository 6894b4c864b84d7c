using Millrace.Storage.Sqlite;
using Millrace.Storage.Tests.Child;

namespace Millrace.Storage.Tests.Sqlite;

/// <summary>Real processes, really killed and really cut off from their disk.</summary>
public sealed class DurabilityTests : IDisposable
{
    private const int NeverCheckpoint = 1_000_000;
    private const int SoonCheckpoint = 64;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(NeverCheckpoint)]
    [InlineData(SoonCheckpoint)]
    public async Task Every_acknowledged_row_is_there_after_the_process_was_killed(int checkpointPages)
    {
        var acknowledged = new HashSet<long>();
        for (var round = 0; round < 10; round++)
        {
            using var child = ChildProcess.StartRows(_folder["data.db"], checkpointPages);
            await child.ListenAsync(() => child.Lines.Count >= 50 + (37 * round));
            await child.KillAsync();
            acknowledged.UnionWith(child.Acknowledged);
            Assert.Subset(await RowsAsync(), acknowledged);
        }

        Assert.True(acknowledged.Count > 1_000, $"{acknowledged.Count} rows");
    }

    [Fact]
    public async Task Fault_6_after_a_refused_fsync_of_the_log_nothing_is_acknowledged_and_everything_acknowledged_is_there()
    {
        using var child = ChildProcess.StartRows(
            _folder["data.db"], NeverCheckpoint,
            "strace", "-f", "-qq", "-o", _folder["strace.txt"], "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO:when=30+");
        Assert.Equal(0, await child.EndAsync());
        await VerifyAsync(child);
    }

    [Fact]
    public async Task Fault_6_after_a_refused_fsync_of_the_data_file_nothing_is_acknowledged_and_everything_acknowledged_is_there()
    {
        // The file is made first, so that only the folding of the log is refused, which another thread does.
        await using (SqliteDatabase.Open(_folder["data.db"])) { }
        using var child = ChildProcess.StartRows(
            _folder["data.db"], SoonCheckpoint,
            "strace", "-f", "-qq", "-o", _folder["strace.txt"], "-P", _folder["data.db"],
            "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO:when=2+");
        Assert.Equal(0, await child.EndAsync());
        await VerifyAsync(child);
    }

    private async Task VerifyAsync(ChildProcess child)
    {
        var said = string.Join('\n', child.Lines.TakeLast(40));
        Assert.True(child.Lines.Contains("fault storage.fsync_failed for good"), said);
        var fault = child.Lines.FindIndex(l => l.StartsWith("fault", StringComparison.Ordinal));
        Assert.Equal(20, child.Lines.Count(l => l == "refused storage.fsync_failed"));
        Assert.DoesNotContain(child.Lines[child.Lines.FindIndex(l => l.StartsWith("refused", StringComparison.Ordinal))..], l => l.StartsWith("ack", StringComparison.Ordinal));
        Assert.True(fault > 0 && child.Acknowledged.Count > 0, said);
        Assert.StartsWith("read ", child.Lines[^1], StringComparison.Ordinal);
        Assert.Subset(await RowsAsync(), child.Acknowledged.ToHashSet());
    }

    private async Task<HashSet<long>> RowsAsync()
    {
        await using var database = SqliteDatabase.Open(_folder["data.db"]);
        Assert.Equal("ok", await database.ReadAsync(unit => unit.First("pragma integrity_check", r => r.Text(0), null)));
        return [.. await database.ReadAsync(unit => unit.Query("select number from row", r => r.Long(0)))];
    }
}
