using System.Text;
using Millrace.Jq;
using Millrace.Server.Tests.Support;
using Millrace.Tests.Servers;

namespace Millrace.Server.Tests;

/// <summary>Documents are found by their words, whichever process took them.</summary>
public sealed class SearchTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-search-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_one_process_took_another_beside_it_finds_on_PostgreSQL()
    {
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using var one = await ServeAsync(database);
        await using var two = await ServeAsync(database);
        await Task.WhenAll(PushAsync(one, "apples", "orchard"), PushAsync(two, "pears", "orchard"), PushAsync(two, "nuts", "hedgerow"));

        foreach (var server in new[] { one, two })
        {
            Assert.Equal(["apples", "pears"], await FoundAsync(server, "Orchard"));
            Assert.Equal(["apples"], await FoundAsync(server, "orchard apples"));
            Assert.Equal(["nuts"], await FoundAsync(server, "HEDGEROW"));
        }
    }

    [Fact]
    public async Task What_a_process_took_before_it_was_killed_the_next_finds_on_SQLite()
    {
        var database = Path.Combine(_folder, "millrace.db");
        await using (var killed = await ServeAsync(database)) await PushAsync(killed, "apples", "orchard");
        await using var next = await ServeAsync(database);
        await PushAsync(next, "pears", "orchard");

        Assert.Equal(["apples", "pears"], await FoundAsync(next, "Orchard"));
        Assert.Equal(["apples"], await FoundAsync(next, "orchard apples"));
    }

    private Task<ServerProgram> ServeAsync(string database) => ServerProgram.StartAsync(["--database", database, "--blobs", Path.Combine(_folder, "blobs")]);

    /// <summary>The word stands in a task alone: neither name, title nor summary has it.</summary>
    private static async Task PushAsync(ServerProgram server, string name, string word)
    {
        using var pushed = await server.Http.PostAsync("/api/v1/definitions", new StringContent(TestServer.Document(name, $"  - a: {{set: {{from: the {word}, what: {name}}}}}"), Encoding.UTF8, "application/yaml"));
        Assert.True(pushed.IsSuccessStatusCode, await pushed.Content.ReadAsStringAsync());
    }

    private static async Task<List<string>> FoundAsync(ServerProgram server, string question) =>
        [.. JsonText.Parse(await server.Http.GetByteArrayAsync($"/api/v1/definitions?q={Uri.EscapeDataString(question)}"))["items"].AsArray().Select(d => d["name"].AsString())];
}
