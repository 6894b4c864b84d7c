using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>What a map writes: by the chunk, and not by the item (decision 14).</summary>
public abstract class MapJournalTests(TestDatabases databases) : EngineSuite(databases)
{
    private const int Items = 60;

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(60)]
    public async Task A_chunk_is_one_record_of_the_map_however_many_items_it_has(int chunk)
    {
        await using var test = await OpenAsync();
        test.Define("- double: { set: '${ {n: (.n * 2)} }' }", "child");
        var list = JsonArray.Of(Enumerable.Range(0, Items).Select(n => Json.Object("n", n)).ToList());
        var run = await test.RunAsync(
            $"- all: {{ call: 'map:1.0.0@default', with: {{ in: '${{ .list }}', do: {{ namespace: test, name: child, version: ^1.0 }}, chunk: {chunk}, concurrency: 1 }} }}", Json.Object("list", list));
        Assert.Equal(Items, run.State.Output.AsArray().Count);

        var records = await test.Engine.Journal.AfterAsync(Tenant.Default, run.State.Id, -1);
        var ends = records.Where(r => r.Entries.Any(e => e is SpawnEntry.ChildEnded)).ToList();
        Assert.Equal(Items / chunk, ends.Count);
        Assert.All(ends, r => Assert.Single(r.Entries.OfType<SpawnEntry.ChildEnded>()));
        // Beside them its creation and its beginning, and nothing else.
        Assert.Equal(ends.Count + 2, records.Count);

        // A child that computes writes its creation and all that it does, be it one item or many.
        var children = await test.Database.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, run.State.Id, null, 1000)));
        Assert.Equal(Items / chunk, children.Count);
        foreach (var child in children) Assert.Equal(2, (await test.Engine.Journal.AfterAsync(Tenant.Default, child.Id, -1)).Count);
    }
}

public sealed class MapJournalOnSqliteTests() : MapJournalTests(TestDatabases.Sqlite);

public sealed class MapJournalOnPostgresTests() : MapJournalTests(TestDatabases.Postgres);
