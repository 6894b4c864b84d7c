using Millrace.Jq;
using Millrace.Server.Admin;
using Millrace.Server.Tests.Support;
using Millrace.Storage;
using Millrace.Storage.Admin;
using Millrace.Storage.Postgres;
using Millrace.Tests.Servers;

namespace Millrace.Server.Tests;

/// <summary>The commands an operator gives, on real servers' data.</summary>
public sealed class AdminTests : IDisposable
{
    private const string Rest = """
        - big: { set: { text: '${ [range(30000)] | map(tostring) | join(",") }' } }
        - rest: { wait: PT1H }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-admin-test-").FullName;
    private readonly StringWriter _said = new();

    private string Backup => Path.Combine(_folder, "backup");
    private string Data => Path.Combine(_folder, "data");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_file_is_backed_up_while_it_is_served_and_restored_whole()
    {
        string run;
        await using (var server = await ServerProgram.StartAsync())
        {
            run = await server.RunAsync("rests", Rest);
            await WaitingAsync(server, run);
            Assert.Equal(0, await AdminAsync("backup", "--data", server.Data, "--out", Backup));
            await WaitingAsync(server, await server.RunAsync("later", Rest));
        }

        Assert.Equal(0, await AdminAsync("verify", "--backup", Backup));
        Assert.Equal(0, await AdminAsync("restore", "--from", Backup, "--data", Data));
        Assert.Equal(0, await AdminAsync("verify", "--data", Data));
        Assert.Contains("runs 1, of which 1 go on; journals with gaps 0; damaged records 0; blobs 1, missing 0", _said.ToString(), StringComparison.Ordinal);
        await using var again = await ServerProgram.StartAsync(["--database", Path.Combine(Data, "millrace.db"), "--blobs", Path.Combine(Data, "blobs")]);
        Assert.Equal("waiting", await StateAsync(again, run));
    }

    [Fact]
    public async Task A_damaged_backup_is_told_and_not_restored()
    {
        await using (var server = await ServerProgram.StartAsync())
        {
            await WaitingAsync(server, await server.RunAsync("rests", Rest));
            Assert.Equal(0, await AdminAsync("backup", "--data", server.Data, "--out", Backup));
        }

        var blob = Directory.EnumerateFiles(Path.Combine(Backup, "blobs"), "*", SearchOption.AllDirectories).First();
        await File.AppendAllTextAsync(blob, "x");
        Assert.Equal(1, await AdminAsync("verify", "--backup", Backup));
        Assert.Equal(1, await AdminAsync("restore", "--from", Backup, "--data", Data));
        Assert.False(File.Exists(Path.Combine(Data, "millrace.db")));
    }

    [Fact]
    public async Task A_move_is_refused_while_the_server_runs_and_done_when_it_has_stopped()
    {
        var uri = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using var server = await ServerProgram.StartAsync();
        var run = await server.RunAsync("rests", Rest);
        await WaitingAsync(server, run);
        Assert.Equal(1, await AdminAsync("move", "--from", server.Data, "--to", uri));
        Assert.Contains("Stop that server first", _said.ToString(), StringComparison.Ordinal);
        await server.StopAsync();
        var blobs = Path.Combine(_folder, "blobs");
        Assert.Equal(0, await AdminAsync("move", "--from", server.Data, "--to", uri, "--blobs", blobs));
        Assert.Equal(0, await AdminAsync("verify", "--database", uri, "--blobs", blobs));
        Assert.Contains("runs 1, of which 1 go on; journals with gaps 0; damaged records 0; blobs 1, missing 0", _said.ToString(), StringComparison.Ordinal);
        await using var cluster = await ServerProgram.StartAsync(["--database", uri, "--blobs", blobs]);
        Assert.Equal("waiting", await StateAsync(cluster, run));
    }

    [Fact]
    public async Task PostgreSQL_is_restored_into_a_younger_server_and_its_log_goes_on()
    {
        string before;
        await using (var old = await PostgresServer.StartAsync())
        {
            var uri = await old.CreateDatabaseAsync();
            await using (var database = PostgresDatabase.Open(uri))
            {
                await database.MigrateAsync();
                // An old server: it has counted many transactions.
                for (var i = 0; i < 300; i++) await database.WriteAsync(db => db.Execute("update log_origin set value = value"));
            }

            await using var server = await ServerProgram.StartAsync(["--database", uri, "--blobs", Path.Combine(_folder, "blobs")]);
            await WaitingAsync(server, await server.RunAsync("rests", Rest));
            Assert.Equal(0, await AdminAsync("backup", "--database", uri, "--blobs", Path.Combine(_folder, "blobs"), "--out", Backup));
            await using var same = PostgresDatabase.Open(uri);
            before = await LastAsync(same);
        }

        await using var young = await PostgresServer.StartAsync();
        var there = await young.CreateDatabaseAsync();
        Assert.Equal(0, await AdminAsync("restore", "--from", Backup, "--database", there, "--blobs", Path.Combine(_folder, "blobs2")));
        await using var restored = PostgresDatabase.Open(there);
        Assert.Equal(before, await LastAsync(restored));
        await using var again = await ServerProgram.StartAsync(["--database", there, "--blobs", Path.Combine(_folder, "blobs2")]);
        await WaitingAsync(again, await again.RunAsync("later", Rest));
        Assert.True(long.Parse(await LastAsync(restored), System.Globalization.CultureInfo.InvariantCulture) > long.Parse(before, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(1, await AdminAsync("restore", "--from", Backup, "--database", there, "--blobs", Path.Combine(_folder, "blobs2")));
    }

    [Fact]
    public async Task What_is_let_go_while_PostgreSQL_is_backed_up_comes_back_with_its_content()
    {
        var uri = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        var blobs = Path.Combine(_folder, "blobs");
        await using (var server = await ServerProgram.StartAsync(["--database", uri, "--blobs", blobs]))
        {
            await WaitingAsync(server, await server.RunAsync("rests", Rest));
            var large = $$"""{"specversion": "1.0", "id": "1", "source": "test", "type": "large", "data": "{{new string('x', 100_000)}}"}""";
            using var sent = await server.Http.PostAsync("/api/v1/events", new StringContent(large, System.Text.Encoding.UTF8, "application/cloudevents+json"));
            Assert.True(sent.IsSuccessStatusCode, await sent.Content.ReadAsStringAsync());
        }

        // As retention does it, between pg_dump and the copying of blobs.
        await using var database = PostgresDatabase.Open(uri);
        await using var said = new Listening("The database is copied", async () =>
            Assert.InRange(await database.WriteAsync(db => db.Execute("delete from event") * db.Execute("delete from journal") * db.Execute("delete from run")), 1, int.MaxValue));
        Assert.Equal(0, await AdminAsync(said, "backup", "--database", uri, "--blobs", blobs, "--out", Backup));
        Assert.True(said.Heard);

        var there = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        Assert.Equal(0, await AdminAsync("restore", "--from", Backup, "--database", there, "--blobs", Path.Combine(_folder, "blobs2")));
        Assert.Contains("runs 1, of which 1 go on; journals with gaps 0; damaged records 0; blobs 2, missing 0", _said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PostgreSQL_is_served_only_when_a_restore_into_it_is_complete()
    {
        var uri = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        var (blobs, blobs2) = (Path.Combine(_folder, "blobs"), Path.Combine(_folder, "blobs2"));
        await using (var server = await ServerProgram.StartAsync(["--database", uri, "--blobs", blobs]))
        {
            await WaitingAsync(server, await server.RunAsync("rests", Rest));
            Assert.Equal(0, await AdminAsync("backup", "--database", uri, "--blobs", blobs, "--out", Backup));
        }

        // Under way: what was restored is being compared.
        var there = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using var said = new Listening("table ", () => RefusedAsync(there));
        Assert.Equal(0, await AdminAsync(said, "restore", "--from", Backup, "--database", there, "--blobs", blobs2));
        Assert.True(said.Heard);
        await using (var restored = PostgresDatabase.Open(there)) await restored.MigrateAsync();

        // It failed: the backup has a row less than its list says.
        var list = Path.Combine(Backup, "manifest.json");
        await File.WriteAllTextAsync(list, (await File.ReadAllTextAsync(list)).Replace("\"rows\": 1,", "\"rows\": 2,", StringComparison.Ordinal));
        var differs = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        Assert.Equal(1, await AdminAsync("restore", "--from", Backup, "--database", differs, "--blobs", blobs2));
        Assert.Contains("DIFFERS", _said.ToString(), StringComparison.Ordinal);
        await RefusedAsync(differs);
    }

    [Theory]
    [InlineData("move")]
    [InlineData("verify")]
    [InlineData("verify", "--data", "a", "--database", "postgres://b")]
    [InlineData("move", "--from", "a", "--to", "mysql://b")]
    [InlineData("backup", "--data", "a", "--fast", "yes")]
    [InlineData("mend")]
    public async Task A_request_that_makes_no_sense_is_refused(params string[] args) => Assert.Equal(2, await AdminAsync(args));

    private Task<int> AdminAsync(params string[] args) => AdminAsync(_said, args);

    private static Task<int> AdminAsync(TextWriter said, params string[] args) => AdminCommand.RunAsync(args, _ => null, said, said, default);

    private static async Task RefusedAsync(string uri)
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => ServerProgram.StartAsync(["--database", uri]));
        Assert.Contains("millrace admin restore", refused.Message, StringComparison.Ordinal);
    }

    private static Task<string> LastAsync(PostgresDatabase database) =>
        database.ReadAsync(db => db.First("select max(position)::text from journal", r => r.Text(0), "")!);

    private static async Task WaitingAsync(ServerProgram server, string run)
    {
        await using var stream = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream");
        while (await StateAsync(server, run) != "waiting") await stream.ReadAsync();
    }

    private static async Task<string> StateAsync(ServerProgram server, string run) =>
        JsonText.Parse(await server.Http.GetByteArrayAsync($"/api/v1/runs/{run}"))["state"].AsString();

    /// <summary>Does something once, as soon as a command says a line that begins so.</summary>
    private sealed class Listening(string word, Func<Task> act) : StringWriter
    {
        public bool Heard { get; private set; }

        public override async Task WriteLineAsync(string? value)
        {
            await base.WriteLineAsync(value);
            if (Heard || value?.StartsWith(word, StringComparison.Ordinal) != true) return;
            Heard = true;
            await act();
        }
    }
}
