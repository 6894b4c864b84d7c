using System.Text;
using Millrace.Jq;
using Millrace.Server.Admin;
using Millrace.Server.Tests.Support;
using Millrace.Tests.Servers;

namespace Millrace.Server.Tests;

/// <summary>The whole server with its large values and files in a bucket, on both databases.</summary>
public sealed class BucketTests(S3Gate bucket) : IClassFixture<S3Gate>, IDisposable
{
    /// <summary>A value past what stands in a record, a file, and a wait between them and their use.</summary>
    private const string Tasks = """
        - big: { set: { text: '${ [range(30000)] | map(tostring) | join(",") }' } }
        - keep: { call: 'artifact:1.0.0@default', with: { name: big.txt, content: '${ .text }' }, output: { as: '${ { text: $input.text, kept: .sha256 } }' } }
        - hear: { listen: { to: { one: { with: { type: go } } } }, output: { as: '${ $input }' } }
        - use: { set: { kept: '${ .kept }', text: '${ .text + "," }' } }
        """;

    private static readonly string Big = string.Join(',', Enumerable.Range(0, 30_000));

    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-bucket-test-").FullName;
    private readonly string _place = bucket.NewPlace();
    private readonly StringWriter _said = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_uses_after_a_kill_what_it_kept_before(bool postgres)
    {
        var database = await DatabaseAsync(postgres);
        string run;
        await using (var killed = await ServeAsync(database))
        {
            run = await killed.RunAsync("bucket", Tasks);
            await WaitingAsync(killed, run);
            Assert.False(Directory.Exists(Path.Combine(killed.Data, "blobs")));
        }

        await using var server = await ServeAsync(database);
        await GoAsync(server, run);
        Assert.Equal("completed", await server.EndAsync(run));
        Assert.Equal(Big + ",", JsonText.Parse(await server.Http.GetByteArrayAsync($"/api/v1/runs/{run}/output"))["text"].AsString());
        var kept = JsonText.Parse(await server.Http.GetByteArrayAsync($"/api/v1/runs/{run}/artifacts"))["items"][0];
        Assert.True(kept["path"].IsNull, "An object is no file of this machine.");
        Assert.Equal(Big, await server.Http.GetStringAsync(kept["href"].AsString()));
    }

    [Fact]
    public async Task A_run_waits_while_the_bucket_is_away_and_goes_on_when_it_is_back()
    {
        var refused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ServeAsync(await DatabaseAsync(postgres: false));
        bucket.Refuse = _ =>
        {
            refused.TrySetResult();
            return 503;
        };
        var run = await server.RunAsync("away", Tasks);
        await refused.Task.WaitAsync(TestServer.Patience);
        Assert.Contains(await StateAsync(server, run), new[] { "pending", "running" });
        bucket.Refuse = _ => null;
        await WaitingAsync(server, run);
        await GoAsync(server, run);
        Assert.Equal("completed", await server.EndAsync(run));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_backup_leaves_the_bucket_alone_and_a_restore_says_what_is_missing_there(bool postgres)
    {
        var database = await DatabaseAsync(postgres);
        string run;
        await using (var server = await ServeAsync(database))
        {
            run = await server.RunAsync("bucket", Tasks);
            await WaitingAsync(server, run);
            Assert.Equal(0, await AdminAsync("backup", From(database), database, "--blobs", _place, "--out", Path.Combine(_folder, "backup")));
        }

        Assert.Contains("blobs are in a bucket and were not copied", _said.ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "backup", "blobs")));
        var there = postgres ? await DatabaseAsync(postgres) : Path.Combine(_folder, "restored");
        Assert.Equal(0, await AdminAsync("restore", "--from", Path.Combine(_folder, "backup"), From(there), there, "--blobs", _place));
        Assert.Contains("runs 1, of which 1 go on; journals with gaps 0; damaged records 0; blobs 3, missing 0", _said.ToString(), StringComparison.Ordinal);

        await using (var again = await ServeAsync(postgres ? there : Path.Combine(there, "millrace.db")))
        {
            await GoAsync(again, run);
            Assert.Equal("completed", await again.EndAsync(run));
        }

        var elsewhere = postgres ? await DatabaseAsync(postgres) : Path.Combine(_folder, "elsewhere");
        Assert.Equal(1, await AdminAsync("restore", "--from", Path.Combine(_folder, "backup"), From(elsewhere), elsewhere, "--blobs", bucket.NewPlace()));
        Assert.Contains("blobs 3, missing 3", _said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_move_takes_what_lies_in_files_to_the_bucket()
    {
        await using var server = await ServerProgram.StartAsync();
        var run = await server.RunAsync("bucket", Tasks);
        await WaitingAsync(server, run);
        await server.StopAsync();
        var target = await DatabaseAsync(postgres: true);
        Assert.Equal(0, await AdminAsync("move", "--from", server.Data, "--to", target, "--blobs", _place));

        await using var moved = await ServeAsync(target);
        await GoAsync(moved, run);
        Assert.Equal("completed", await moved.EndAsync(run));
    }

    private static string From(string database) => database.StartsWith("postgres", StringComparison.Ordinal) ? "--database" : "--data";

    private async Task<string> DatabaseAsync(bool postgres) => postgres ? await (await PostgresServer.SharedAsync()).CreateDatabaseAsync() : Path.Combine(_folder, "millrace.db");

    private Task<ServerProgram> ServeAsync(string database) =>
        ServerProgram.StartAsync(["--database", database, "--blobs", _place], ("MILLRACE_S3_ACCESS_KEY", bucket.AccessKey), ("MILLRACE_S3_SECRET_KEY", bucket.SecretKey));

    private Task<int> AdminAsync(params string[] args) => AdminCommand.RunAsync(args, Key, _said, _said, default);

    private string? Key(string name) => name switch
    {
        "MILLRACE_S3_ACCESS_KEY" => bucket.AccessKey,
        "MILLRACE_S3_SECRET_KEY" => bucket.SecretKey,
        _ => null,
    };

    private static async Task WaitingAsync(ServerProgram server, string run)
    {
        await using var stream = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream");
        while (await StateAsync(server, run) != "waiting") await stream.ReadAsync();
    }

    private static async Task GoAsync(ServerProgram server, string run)
    {
        using var go = await server.Http.PostAsync($"/api/v1/runs/{run}/signals", new StringContent("""{"name": "go"}""", Encoding.UTF8, "application/json"));
        Assert.True(go.IsSuccessStatusCode, await go.Content.ReadAsStringAsync());
    }

    private static async Task<string> StateAsync(ServerProgram server, string run) =>
        JsonText.Parse(await server.Http.GetByteArrayAsync($"/api/v1/runs/{run}"))["state"].AsString();
}
