using Millrace.Storage.Sqlite;

namespace Millrace.Storage.Tests.Sqlite;

/// <summary>
/// The log as a power failure may leave it: cut off, a hole in its middle, sectors that reached the platter before others that were written
/// earlier. What is read afterwards is what was written up to some moment, and nothing else.
/// </summary>
public sealed class PowerLossTests : IDisposable
{
    private const int Rows = 300, Sector = 512;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("cut off")]
    [InlineData("a hole")]
    [InlineData("a hole of garbage")]
    [InlineData("reordered")]
    [InlineData("an old log behind a new one")]
    public async Task Fault_4_a_log_that_is_torn_anywhere_gives_a_prefix_of_what_was_written(string damage)
    {
        var (data, log) = await WriteAsync();
        var random = new Random(4);
        var lengths = new HashSet<int>();
        for (var trial = 0; trial < 60; trial++)
        {
            var path = _folder[$"{trial}.db"];
            await File.WriteAllBytesAsync(path, data);
            await File.WriteAllBytesAsync($"{path}-wal", Damage(log, damage, random));
            await using (var database = SqliteDatabase.Open(path))
            {
                Assert.Equal("ok", await database.ReadAsync(unit => unit.First("pragma integrity_check", r => r.Text(0), null)));
                var numbers = await NumbersAsync(database);
                Assert.Equal(Enumerable.Range(0, numbers.Count).Select(i => (long)i), numbers);
                lengths.Add(numbers.Count);
                await InsertAsync(database, numbers.Count);
            }

            // It goes on from there.
            await using var again = SqliteDatabase.Open(path);
            var after = await NumbersAsync(again);
            Assert.Equal(Enumerable.Range(0, after.Count).Select(i => (long)i), after);
        }

        Assert.True(lengths.Count > 10, $"only {lengths.Count} different ends");
    }

    /// <returns>The data file and the log as they lie on the disk while the database is open, all in the log.</returns>
    private async Task<(byte[] Data, byte[] Log)> WriteAsync()
    {
        var path = _folder["whole.db"];
        await using (var first = SqliteDatabase.Open(path)) await first.WriteAsync(unit => unit.Execute("create table row (number bigint primary key, text text)"));
        await using var database = SqliteDatabase.Open(path, new SqliteOptions { CheckpointPages = 1_000_000 });
        for (var i = 0; i < Rows; i++) await InsertAsync(database, i);
        return (await ReadAsync(path), await ReadAsync($"{path}-wal"));
    }

    private static byte[] Damage(byte[] log, string damage, Random random)
    {
        var wrong = log.ToArray();
        // Behind the log's header, which was synced long ago.
        var at = random.Next(1, log.Length / Sector) * Sector;
        switch (damage)
        {
            case "cut off":
                return wrong[..random.Next(Sector, log.Length)];
            case "a hole":
                Array.Clear(wrong, at, Math.Min(Sector * random.Next(1, 20), log.Length - at));
                return wrong;
            case "a hole of garbage":
                random.NextBytes(wrong.AsSpan(at, Sector));
                return wrong;
            case "reordered":
                for (; at + Sector <= log.Length; at += Sector)
                    if (random.Next(2) == 0) Array.Clear(wrong, at, Sector);
                return wrong;
            default:
                // The end of a log that was restarted holds frames of the one before, with other salts; here the beginning of this one.
                log.AsSpan(Sector, log.Length - at).CopyTo(wrong.AsSpan(at));
                return wrong;
        }
    }

    /// <summary>The database has it open.</summary>
    private static async Task<byte[]> ReadAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes);
        return bytes;
    }

    private static Task<int> InsertAsync(Database database, long number) =>
        database.WriteAsync(unit => unit.Execute("insert into row (number, text) values ($1, $2)", number, new string('x', (int)(number * 37 % 3_000))));

    private static Task<List<long>> NumbersAsync(Database database) => database.ReadAsync(unit => unit.Query("select number from row order by number", r => r.Long(0)));
}
