using System.Text;
using Millrace.Engine.Admin;
using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Storage;
using Millrace.Storage.Admin;
using Millrace.Storage.Sqlite;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Faults;

/// <summary>What was written is not what is read. See docs/faults.md.</summary>
public abstract class DamageFaults(TestDatabases databases) : EngineSuite(databases)
{
    private const string Rest = "- rest: { wait: PT1H }";

    [Fact]
    public async Task Fault_5_no_flipped_bit_of_a_record_goes_unnoticed()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define(Rest));
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        var right = await TextAsync(test, id);
        for (var bit = 0; bit < right.Length * 8; bit++)
        {
            var wrong = right.ToArray();
            wrong[bit / 8] ^= (byte)(1 << (bit % 8));
            await PutAsync(test, id, wrong);
            await Assert.ThrowsAsync<DamagedRecordException>(() => test.Engine.Journal.AfterAsync(Tenant.Default, id, -1));
        }

        await PutAsync(test, id, right);
        Assert.NotEmpty(await test.Engine.Journal.AfterAsync(Tenant.Default, id, -1));
    }

    [Theory]
    [InlineData("update journal set at = at + 1 where seq = 1")]
    [InlineData("update journal set state = 6 where seq = 1")]
    [InlineData("update journal set seq = 7 where seq = 1")]
    [InlineData("delete from journal where seq = 0")]
    public async Task Fault_5_a_record_that_stands_in_another_place_or_is_gone_is_noticed(string damage)
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define(Rest));
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.Disk.WriteAsync(db => db.Execute(damage));
        var error = await Assert.ThrowsAsync<DamagedRecordException>(() => test.Engine.Journal.AfterAsync(Tenant.Default, id, -1));
        Assert.Contains(id.ToString(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fault_5_a_run_with_a_damaged_record_is_faulted_the_check_tells_it_and_no_other_stops()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define(Rest);
        var (damaged, healthy) = (await test.StartAsync(workflow), await test.StartAsync(workflow));
        foreach (var id in new[] { damaged, healthy }) await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        Assert.True((await WholeDatabase.CheckAsync(test.Disk, null)).IsSound);
        var text = await TextAsync(test, damaged);
        await PutAsync(test, damaged, Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text).Replace("wakeAt", "wakeAT", StringComparison.Ordinal)));
        var check = await WholeDatabase.CheckAsync(test.Disk, null);
        Assert.Equal((1L, false), (check.Damaged, check.IsSound));

        await test.CrashAsync();
        await test.ReopenAsync();
        test.Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(RunPhase.Completed, (await test.PassUntilAsync(healthy, r => r.IsFinished)).State);
        var row = await test.PassUntilAsync(damaged, r => r.IsFinished);
        Assert.Equal(RunPhase.Faulted, row.State);
        Assert.Contains("Record 1", row.Error!.Detail, StringComparison.Ordinal);
    }

    /// <summary>Written before there were seals.</summary>
    [Fact]
    public async Task A_record_without_a_seal_is_read()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define(Rest));
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        var text = await TextAsync(test, id);
        await PutAsync(test, id, text[..^RecordSeal.Length]);
        Assert.NotEmpty(await test.Engine.Journal.AfterAsync(Tenant.Default, id, -1));
        Assert.True((await WholeDatabase.CheckAsync(test.Disk, null)).IsSound);
    }

    private static Task<byte[]> TextAsync(TestEngine test, Guid run) =>
        test.Disk.ReadAsync(db => db.First("select entries from journal where run = $1 and seq = 1", r => r.Bytes(0), [], run))!;

    private static Task<int> PutAsync(TestEngine test, Guid run, byte[] text) =>
        test.Disk.WriteAsync(db => db.Execute("update journal set entries = $1 where run = $2 and seq = 1", text, run));
}

public sealed class DamageFaultsOnSqlite() : DamageFaults(TestDatabases.Sqlite)
{
    /// <summary>Anywhere in the file: pages, cells, indexes, free space. What comes back is what was written, or an error.</summary>
    [Fact]
    public async Task Fault_5_a_bit_that_flips_anywhere_in_the_file_makes_no_journal_tell_something_else()
    {
        const int Flips = 400;
        await using var test = await OpenAsync();
        var workflow = test.Define("- a: { set: { x: 1 } }\n- b: { call: 'count:1.0.0@default', with: { n: 2 } }");
        var right = new Dictionary<Guid, string>();
        for (var i = 0; i < 60; i++) right[await test.StartAsync(workflow)] = "";
        foreach (var id in right.Keys.ToList())
        {
            await test.EndAsync(id);
            right[id] = await TellAsync(test.Engine.Journal, id);
        }

        await test.CrashAsync();
        // Folded into the file when the last one closes it.
        var whole = await File.ReadAllBytesAsync(Path.Combine(test.Folder, "millrace.db"));
        var random = new Random(5);
        var (same, told) = (0, 0);
        for (var flip = 0; flip < Flips; flip++)
        {
            var wrong = whole.ToArray();
            wrong[random.Next(100, wrong.Length)] ^= (byte)(1 << random.Next(8));
            var path = Path.Combine(test.Folder, $"flipped{flip}.db");
            await File.WriteAllBytesAsync(path, wrong);
            try
            {
                await using var database = SqliteDatabase.Open(path);
                var journal = new JournalReader(database, test.Blobs);
                foreach (var (id, records) in right)
                {
                    var now = await TellAsync(journal, id);
                    // An index may have lost its way to a journal's end: 'millrace admin verify' finds that.
                    if (now.Length < records.Length) Assert.NotEmpty(await Snapshots.FaultsAsync(database));
                    else Assert.Equal(records, now);
                }

                same++;
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                told++;
            }

            File.Delete(path);
        }

        Assert.True(told > Flips / 20, $"{told} of {Flips} were noticed, {same} did no harm.");
    }

    private static async Task<string> TellAsync(JournalReader journal, Guid run)
    {
        var records = await journal.AfterAsync(Tenant.Default, run, -1);
        return string.Join('\n', records.Select(r => $"{r.Seq} {r.At} {r.State} {Encoding.UTF8.GetString(EntryWriter.Write([.. r.Entries]).Bytes)}"));
    }
}

public sealed class DamageFaultsOnPostgres() : DamageFaults(TestDatabases.Postgres);
