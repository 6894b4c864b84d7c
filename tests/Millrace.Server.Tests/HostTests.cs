using Millrace.Jq;
using Millrace.Server.Tests.Support;

namespace Millrace.Server.Tests;

public sealed class HostTests : IAsyncLifetime
{
    private readonly TestServer _server = new();
    private readonly string _web = Directory.CreateTempSubdirectory("millrace-web-").FullName;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Path.Combine(_web, "assets"));
        await File.WriteAllTextAsync(Path.Combine(_web, "index.html"), "<!doctype html><title>Millrace</title>");
        await File.WriteAllTextAsync(Path.Combine(_web, "assets", "app-1a2b.js"), "export {}");
        _server.Settings = s => s with { Web = _web };
        await _server.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_web, recursive: true);
    }

    private Task<Answer> BrowseAsync(string path)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("text/html");
        return _server.SendAsync(request);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/runs")]
    [InlineData("/runs/01a1f9ab-1fae-74a0-95e2-da65fad13194")]
    public async Task Addresses_of_the_web_app_are_its_page(string path)
    {
        var page = await BrowseAsync(path);

        Assert.Equal((200, "text/html"), (page.Status, page.ContentHeaders.ContentType?.MediaType));
        Assert.Contains("no-cache", page.Headers.CacheControl?.ToString(), StringComparison.Ordinal);
        Assert.Contains("script-src 'self'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/v1/nothing")]
    [InlineData("/health/nothing")]
    [InlineData("/assets/gone.js")]
    public async Task What_is_no_address_of_the_web_app_is_not_its_page(string path) =>
        Assert.Equal((404, "route.not_found"), await BrowseAsync(path) is var a ? (a.Status, a.Body["code"].StringOrNull) : default);

    [Fact]
    public async Task Assets_with_a_hash_in_their_name_are_kept_for_ever() =>
        Assert.Contains("immutable", (await _server.GetAsync("/assets/app-1a2b.js")).Headers.CacheControl?.ToString(), StringComparison.Ordinal);

    [Fact]
    public async Task Refusals_carry_the_security_headers_too() =>
        Assert.Equal("nosniff", (await _server.GetAsync("/api/v1/nothing")).Headers.GetValues("X-Content-Type-Options").Single());

    [Fact]
    public async Task No_answer_invites_other_origins() =>
        Assert.False((await _server.GetAsync("/api/v1/runs")).Headers.Contains("Access-Control-Allow-Origin"));

    [Fact]
    public async Task A_page_of_its_own_may_start_runs()
    {
        await _server.PushAsync(TestServer.Document("own", "  - a: {set: {x: 1}}"));
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/runs")
        {
            Content = new StringContent("""{"definition": {"namespace": "test", "name": "own"}}""", System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("Origin", _server.Address.GetLeftPart(UriPartial.Authority));
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "same-origin");

        Assert.Equal(201, (await _server.SendAsync(request)).Status);
    }

    [Fact]
    public async Task Health_and_status_are_told()
    {
        Assert.Equal(200, (await _server.GetAsync("/health/live")).Status);
        var ready = await _server.GetAsync("/health/ready");
        Assert.Equal("""{"status":"ready","checks":{"store":"ok","engine":"ok"}}""", ready.Text);
        var system = (await _server.GetAsync("/api/v1/system")).Body;
        Assert.Equal(("embedded", 0), (system["shape"].AsString(), (int)system["runs"]["running"].AsNumber()));
        Assert.Contains("http", system["functions"].AsArray().Select(f => f["reference"].AsString()));
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_is_refused_by_name()
    {
        var e = await Assert.ThrowsAnyAsync<Exception>(() => MillraceServer.StartAsync(new ServerSettings(0, Path.Combine(_server.Folder, "data"), null)));

        Assert.Contains("millrace.db", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_route_has_a_name_a_tag_a_summary_and_a_typed_answer()
    {
        var document = (await _server.GetAsync("/openapi/v1.json")).Body;
        var operations = document["paths"].AsObject().SelectMany(p => p.Value.AsObject().Select(o => (Route: $"{o.Key} {p.Key}", Operation: o.Value))).ToList();

        Assert.True(operations.Count >= 25, $"{operations.Count}");
        foreach (var (route, operation) in operations)
        {
            Assert.True(operation["operationId"].StringOrNull is { Length: > 0 }, $"{route} has no name");
            Assert.True(operation["summary"].StringOrNull is { Length: > 0 }, $"{route} has no summary");
            Assert.True(operation["tags"].ArrayOrNull is { Count: 1 }, $"{route} has no tag");
            Assert.True(operation["responses"].AsObject().Any(r => r.Key == "204" || (r.Key[0] == '2' && r.Value["content"].IsObject)), $"{route} says nothing of its answer");
        }
        Assert.Equal(operations.Count, operations.Select(o => o.Operation["operationId"]).Distinct().Count());
    }

    [Fact]
    public async Task The_api_document_tells_members_that_may_be_absent_from_those_that_are_always_there()
    {
        var schemas = (await _server.GetAsync("/openapi/v1.json")).Body["components"]["schemas"];

        var run = schemas["Run"]["required"].AsArray().Select(r => r.AsString()).ToList();
        Assert.Contains("state", run);
        Assert.DoesNotContain("endedAt", run);
        Assert.Contains("parent", schemas["RunStep"]["required"].AsArray().Select(r => r.AsString()));
        Assert.Contains("from", schemas["GraphEdge"]["required"].AsArray().Select(r => r.AsString()));
    }

    [Fact]
    public async Task The_api_document_tells_the_type_of_every_member_but_free_json()
    {
        var schemas = (await _server.GetAsync("/openapi/v1.json")).Body["components"]["schemas"];

        var silent = schemas.AsObject()
            .Where(s => s.Value["properties"].IsObject)
            .SelectMany(s => s.Value["properties"].AsObject().Select(m => (Name: $"{s.Key}.{m.Key}", Schema: m.Value)))
            .Where(m => !new[] { "type", "$ref", "oneOf", "anyOf", "enum" }.Any(k => !m.Schema[k].IsNull))
            .Select(m => m.Name);
        Assert.Empty(silent);
        Assert.Equal("""{"type":"string","format":"date-time"}""", schemas["Run"]["properties"]["createdAt"].ToString());
        Assert.Equal("""["null","string"]""", schemas["Run"]["properties"]["endedAt"]["type"].ToString());
    }
}
