using System.Text;
using Millrace.Engine.Events;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Admin;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Faults;

/// <summary>A secret is used, and shown by the function that was given it. See docs/faults.md.</summary>
public abstract class SecretFaults(TestDatabases databases) : EngineSuite(databases)
{
    private const string Value = "s3cr3t-value";

    /// <summary>What the run makes rows of.</summary>
    private static readonly string[] Reached = ["approval", "dead_letter", "event", "event_trigger", "journal", "lease", "limit_place", "run"];

    [Fact]
    public async Task Fault_26_a_secret_stands_in_no_column_of_any_table_and_in_no_blob()
    {
        await using var test = await OpenAsync();
        test.Secrets["token"] = Value;
        var told = test.Define("- one: { set: { a: 1 } }", "told", extra: "schedule: { on: { one: { with: { type: told } } } }");
        await test.Disk.WriteAsync(db =>
        {
            TriggerStore.Follow(db, Tenant.Default, told, now: 0);
            return 0;
        });
        test.Define("- echo: { call: 'echo_secret:1.0.0@default', with: { header: '${ $secrets.token }' } }", "child", extra: "use: { secrets: [token] }");
        var workflow = test.Define("""
            - use: { call: 'echo_secret:1.0.0@default', with: { header: '${ $secrets.token }' }, export: { as: '${ { kept: . } }' } }
            - large: { call: 'echo_secret:1.0.0@default', with: { header: '${ $secrets.token }', pad: 100000 } }
            - shout: { emit: { event: { with: { type: shouted, source: /test, data: '${ . }' } } } }
            - tell: { emit: { event: { with: { type: told, source: /test, subject: '${ $context.kept.got }', data: '${ $context.kept }' } } } }
            - ask: { call: 'approve:1.0.0@default', with: { title: 'Is ${ $context.kept.got } right?', show: { all: '${ $context }' }, expire: { after: PT1H, outcome: approve } } }
            - sub: { run: { workflow: { namespace: test, name: child, version: 1.0.0, input: '${ $context }' } } }
            - caught: { try: [ { fail: { call: 'broken:1.0.0@default', with: {} } } ], catch: { as: error, do: [ { note: { set: { noted: '${ $error }' } } } ] } }
            - fail: { call: 'broken:1.0.0@default', with: {} }
            """, extra: "use: { secrets: [token] }", metadata: "flow: { concurrency: { key: '${ .customer }', limit: 1, counts: unfinished } }");
        // Its definition cannot be found when the event comes, which is put aside.
        test.Forget(told);
        var run = await test.StartAsync(workflow, Json.Object("customer", "anna"));
        // Of two that came at the same moment either may be the first.
        test.Time.Advance(TimeSpan.FromMilliseconds(1));
        var second = await test.StartAsync(workflow, Json.Object("customer", "anna"));
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        var rows = await LookAsync(test);
        Assert.Empty(Reached.Except(rows.Where(r => r.Value > 0).Select(r => r.Key)));

        test.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(RunPhase.Faulted, (await test.EndAsync(run)).State.Phase);
        await test.UntilAsync(second, r => r is { State: RunPhase.Waiting, Lease: null });
        await LookAsync(test);
        var kept = await test.Disk.ReadAsync(db => db.Query("select entries from journal", r => Encoding.UTF8.GetString(r.Bytes(0))));
        Assert.Contains(kept, v => v.Contains("***", StringComparison.Ordinal));
    }

    /// <summary>Reads every value of every column, as the database's own catalog names them, and every blob.</summary>
    /// <returns>The rows of each table.</returns>
    private static async Task<Dictionary<string, int>> LookAsync(TestEngine test)
    {
        var tables = await Table.OfAsync(test.Disk);
        Assert.True(tables.Count >= 34, $"{tables.Count} tables");
        var rows = new Dictionary<string, int>();
        foreach (var table in tables)
        {
            var all = await test.Disk.ReadAsync(db => table.Page(db, null, 10_000));
            rows[table.Name] = all.Count;
            foreach (var (row, i) in all.SelectMany(row => row.Select((_, i) => (row, i))))
                Assert.False(TextOf(row[i]).Contains(Value, StringComparison.Ordinal), $"{table.Name}.{table.Columns[i].Name} holds the secret");
        }

        var blobs = Directory.EnumerateFiles(test.BlobsFolder, "*", SearchOption.AllDirectories).Select(File.ReadAllText).ToList();
        Assert.Contains(blobs, b => b.Contains("***", StringComparison.Ordinal));
        Assert.DoesNotContain(blobs, b => b.Contains(Value, StringComparison.Ordinal));
        return rows;
    }

    private static string TextOf(DbValue value) => value.Kind switch
    {
        DbValue.Type.Text => value.Text!,
        DbValue.Type.Bytes => Encoding.UTF8.GetString(value.Bytes.Span),
        _ => "",
    };
}

public sealed class SecretFaultsOnSqlite() : SecretFaults(TestDatabases.Sqlite);

public sealed class SecretFaultsOnPostgres() : SecretFaults(TestDatabases.Postgres);
