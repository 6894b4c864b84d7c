using Millrace.Server.Tests.Support;

namespace Millrace.Server.Tests;

public abstract class DefinitionTests(TestServer server)
{
    private const string Tasks = "  - a: {set: {x: 1}}";

    [Fact]
    public async Task A_pushed_version_is_created_and_told_where()
    {
        var pushed = await server.PushAsync(TestServer.Document("created", Tasks));

        Assert.Equal(201, pushed.Status);
        Assert.Equal("/api/v1/definitions/test/created/versions/1.0.0", pushed.Headers.Location?.ToString());
        Assert.Equal(64, pushed.Body["hash"].AsString().Length);
    }

    [Fact]
    public async Task The_same_text_again_changes_nothing_and_is_no_conflict()
    {
        await server.PushAsync(TestServer.Document("again", Tasks));
        var before = await server.HoldsAsync();

        var again = await server.PushAsync(TestServer.Document("again", Tasks));

        Assert.Equal(200, again.Status);
        Assert.Equal(before, await server.HoldsAsync());
    }

    [Fact]
    public async Task Another_text_under_the_same_version_is_refused()
    {
        await server.PushAsync(TestServer.Document("fixed", Tasks));

        var other = await server.PushAsync(TestServer.Document("fixed", "  - b: {set: {x: 2}}"));

        Assert.Equal((409, "definition.version_exists"), (other.Status, other.Body["code"].AsString()));
        Assert.Contains("name: fixed", (await server.GetAsync("/api/v1/definitions/test/fixed/versions/1.0.0/source")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_text_comes_back_byte_by_byte()
    {
        var document = TestServer.Document("bytes", "  # ümlaut\n" + Tasks);
        await server.PushAsync(document);

        var source = await server.GetAsync("/api/v1/definitions/test/bytes/versions/latest/source");

        Assert.Equal(document, source.Text);
        Assert.Equal("application/yaml", source.ContentHeaders.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_definition_is_found_by_the_words_of_its_document_in_any_order()
    {
        await server.PushAsync(TestServer.Document("searched", "  - ask: {call: http, with: {method: get, endpoint: 'https://quaint.example.com/Übersicht'}}"));
        await server.PushAsync(TestServer.Document("searched-not", "  - ask: {call: http, with: {method: get, endpoint: 'https://example.com/other'}}"));

        foreach (var question in (string[])["quaint", "EXAMPLE quaint", "quaint.example.com/übersicht", "http \"quaint\" *"])
            Assert.Equal("test/searched", await FoundAsync(question));
        foreach (var question in (string[])["quain", "quaint other", "\"*'--"])
            Assert.Equal("", await FoundAsync(question));
    }

    private async Task<string> FoundAsync(string question)
    {
        var list = await server.GetAsync($"/api/v1/definitions?q={Uri.EscapeDataString(question)}");
        return string.Join(' ', list.Body["items"].AsArray().Select(d => $"{d["namespace"].AsString()}/{d["name"].AsString()}"));
    }

    [Fact]
    public async Task Latest_is_the_highest_version_and_not_the_last_pushed()
    {
        foreach (var version in (string[])["1.9.0", "1.10.0", "1.10.0-rc.1", "0.99.0"]) await server.PushAsync(TestServer.Document("order", Tasks, version));

        Assert.Equal("1.10.0", (await server.GetAsync("/api/v1/definitions/test/order")).Body["version"].AsString());
        var versions = (await server.GetAsync("/api/v1/definitions/test/order/versions")).Body["items"].AsArray();
        Assert.Equal(["1.10.0", "1.10.0-rc.1", "1.9.0", "0.99.0"], versions.Select(v => v["version"].AsString()));
    }

    [Fact]
    public async Task Lists_are_read_page_by_page_without_gap_or_duplicate()
    {
        for (var i = 0; i < 5; i++) await server.PushAsync(TestServer.Document("paged", Tasks, $"1.0.{i}"));
        var found = new List<string>();
        string? cursor = null;
        do
        {
            var page = (await server.GetAsync($"/api/v1/definitions/test/paged/versions?limit=2{(cursor is null ? "" : $"&cursor={cursor}")}")).Body;
            found.AddRange(page["items"].AsArray().Select(v => v["version"].AsString()));
            cursor = page["next"].StringOrNull;
        }
        while (cursor is not null);

        Assert.Equal(["1.0.4", "1.0.3", "1.0.2", "1.0.1", "1.0.0"], found);
    }

    [Theory]
    [InlineData("q=find-me", 1)]
    [InlineData("q=FIND-ME", 1)]
    [InlineData("q=a%25title", 1)]
    [InlineData("q=%25fin", 0)]
    public async Task A_list_is_searched_by_text_and_not_by_pattern(string query, int count)
    {
        await server.PushAsync("document: {dsl: '1.0.3', namespace: test, name: find-me, version: '1.0.0', title: 'a%title'}\ndo: [{a: {set: {x: 1}}}]");

        Assert.Equal(count, (await server.GetAsync($"/api/v1/definitions?{query}")).Body["items"].AsArray().Count);
    }

    [Fact]
    public async Task Validation_names_the_document_and_its_children_and_keeps_nothing()
    {
        var before = await server.HoldsAsync();

        var result = await server.PostAsync("/api/v1/definitions/validation", TestServer.Document("parent", "  - child: {run: {workflow: {namespace: test, name: other, version: latest}}}"), "text/plain");

        Assert.True(result.Body["valid"].AsBoolean(), result.Text);
        Assert.Equal("parent", result.Body["definition"]["name"].AsString());
        Assert.Equal("""[{"namespace":"test","name":"other","version":"latest"}]""", result.Body["children"].ToString());
        Assert.Equal(before, await server.HoldsAsync());
    }

    [Fact]
    public async Task Validation_of_a_wrong_document_answers_with_the_places()
    {
        var result = await server.PostAsync("/api/v1/definitions/validation", TestServer.Document("wrong", "  - a: {cal: http}"), "application/yaml");

        Assert.Equal(200, result.Status);
        Assert.False(result.Body["valid"].AsBoolean());
        Assert.Equal(3, (int)result.Body["diagnostics"][0]["line"].AsNumber());
    }

    [Fact]
    public async Task A_function_nobody_provides_is_refused_where_it_is_called()
    {
        var pushed = await server.PushAsync(TestServer.Document("unknown", "  - a:\n      call: nothing:1.0.0@default"));

        Assert.Equal(422, pushed.Status);
        var error = pushed.Body["errors"][0];
        Assert.Equal(("workflow.unknown_function", "/do/0/a/call", 4), (error["code"].AsString(), error["pointer"].AsString(), (int)error["line"].AsNumber()));
        Assert.Contains("gate:1.0.0@default", error["expected"].AsString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_function_that_lacks_what_it_works_with_is_refused_where_it_is_called()
    {
        var document = TestServer.Document("lacking", "  - a:\n      call: lacking:1.0.0@default");
        var pushed = await server.PushAsync(document);

        Assert.Equal(422, pushed.Status);
        var error = pushed.Body["errors"][0];
        Assert.Equal(("workflow.missing_program", "/do/0/a/call", 4), (error["code"].AsString(), error["pointer"].AsString(), (int)error["line"].AsNumber()));
        Assert.Contains("a steam engine in the cellar", error["message"].AsString(), StringComparison.Ordinal);
        Assert.False((await server.PostAsync("/api/v1/definitions/validation", document, "application/yaml")).Body["valid"].AsBoolean());
    }

    [Fact]
    public async Task The_graph_tells_tasks_and_edges_with_their_nulls()
    {
        await server.PushAsync(TestServer.Document("graph", "  - a: {set: {x: 1}}\n  - b: {wait: {seconds: 1}}"));

        var graph = (await server.GetAsync("/api/v1/definitions/test/graph/versions/latest/graph")).Body;

        Assert.Equal(["a", "b"], graph["nodes"].AsArray().Select(n => n["name"].AsString()));
        Assert.Equal("""{"from":null,"to":0,"parent":null,"slot":"do"}""", graph["edges"][0].ToString());
        Assert.True(graph["nodes"][0].AsObject().Has("parent"));
    }

    [Fact]
    public async Task What_cannot_run_yet_is_refused_with_the_place_and_the_reason()
    {
        var pushed = await server.PushAsync(TestServer.Document("contains", "  - a: {call: asyncapi, with: {document: {endpoint: 'https://x.test'}, operation: o, protocol: jms, message: {payload: {}}}}"));

        Assert.Equal((422, "definition.invalid"), (pushed.Status, pushed.Body["code"].AsString()));
        var error = pushed.Body["errors"][0];
        Assert.Equal(("workflow.unsupported", 3.0), (error["code"].AsString(), error["line"].AsNumber()));
        Assert.Equal(404, (await server.GetAsync("/api/v1/definitions/test/contains")).Status);
    }
}

public sealed class DefinitionsOnSqliteTests(TestServer server) : DefinitionTests(server), IClassFixture<TestServer>;

public sealed class DefinitionsOnPostgresTests(PostgresTestServer server) : DefinitionTests(server), IClassFixture<PostgresTestServer>;
