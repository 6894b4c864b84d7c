using System.Text;
using Millrace.Connectors.Catalog;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.Catalog;

public sealed class CatalogTests : IDisposable
{
    private readonly FakeFunctionContext _context = new() { Clock = new ManualTime() };
    private readonly ConnectorFunctions _functions = ConnectorFunctions.Create(
        new ConnectorSettings { Catalog = new CatalogSettings { ArtifactBytesMax = 100, CsvRowsMax = 4 } }, (_, _) => ValueTask.CompletedTask);

    [Fact]
    public void Every_function_has_its_own_reference_and_says_what_it_takes()
    {
        Assert.Equal(["a2a", "artifact:1.0.0@default", "asyncapi", "container", "csv:1.0.0@default", "emit", "grpc", "hash:1.0.0@default", "http", "log:1.0.0@default", "mcp", "openapi", "script", "shell", "uuid:1.0.0@default"],
            _functions.All.Select(f => f.Descriptor.Reference).Order(StringComparer.Ordinal));
        Assert.All(_functions.All, f => Assert.Equal("object", f.Descriptor.InputSchema["type"].AsString()));
    }

    [Theory]
    [InlineData("""{"name": "a.txt", "content": "text"}""", "text/plain; charset=utf-8", "text")]
    [InlineData("""{"name": "notes.md", "content": "# Hi"}""", "text/markdown; charset=utf-8", "# Hi")]
    [InlineData("""{"name": "noending", "content": {"a": 1}}""", "application/json", "{\n  \"a\": 1\n}")]
    [InlineData("""{"name": "b", "content": "aGk=", "encoding": "base64"}""", "application/octet-stream", "hi")]
    [InlineData("""{"name": "b.png", "content": "aGk=", "encoding": "base64", "mediaType": "image/x"}""", "image/x", "hi")]
    [InlineData("""{"name": "n", "content": null}""", "application/json", "null")]
    public async Task An_artifact_is_kept_with_the_run(string arguments, string mediaType, string content)
    {
        var output = await _functions.Find("artifact").OutputAsync(_context, arguments);
        var (name, kept) = Assert.Single(_context.Artifacts);
        Assert.Equal((mediaType, content), (kept.MediaType, Encoding.UTF8.GetString(kept.Content)));
        Assert.Equal((name, mediaType, kept.Content.Length), (output["name"].AsString(), output["mediaType"].AsString(), (int)output["size"].AsNumber()));
        Assert.Equal((64, $"/blobs/{name}"), (output["sha256"].AsString().Length, output["path"].AsString()));
    }

    [Theory]
    [InlineData("""{"name": "../a", "content": ""}""", "/name")]
    [InlineData("""{"name": "..", "content": ""}""", "/name")]
    [InlineData("""{"name": "a\\b", "content": ""}""", "/name")]
    [InlineData("""{"name": " a", "content": ""}""", "/name")]
    [InlineData("""{"name": "", "content": ""}""", "/name")]
    [InlineData("""{"name": "a\u0000", "content": ""}""", "/name")]
    [InlineData("""{"name": "a"}""", "/content")]
    [InlineData("""{"name": "a", "content": "%%%", "encoding": "base64"}""", "/content")]
    [InlineData("""{"name": "a", "content": "", "mediaType": "no"}""", "/mediaType")]
    public async Task An_artifact_that_cannot_be_kept_is_refused_with_its_place(string arguments, string place)
    {
        var error = await _functions.Find("artifact").ErrorAsync(_context, arguments);
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains(place, error.Detail);
        Assert.Empty(_context.Artifacts);
    }

    [Fact]
    public async Task An_artifact_over_the_limit_is_refused() =>
        Assert.Equal("Artifact too large", (await _functions.Find("artifact").ErrorAsync(_context, Json.Object("name", "a", "content", new string('x', 101)).ToString())).Title);

    [Fact]
    public async Task A_log_message_is_shown_live_and_its_arguments_are_the_output()
    {
        var output = await _functions.Find("log").OutputAsync(_context, """{"message": {"a": 1}, "level": "warning"}""");
        Assert.Equal("""{"message":{"a":1},"level":"warning"}""", output.ToString());
        Assert.Equal(("log", """{"level":"warning","message":{"a":1}}"""), (_context.LiveOutput[0].Channel, _context.LiveOutput[0].Data.ToString()));
    }

    [Theory]
    [InlineData("{}", "/message")]
    [InlineData("""{"message": "x", "level": "loud"}""", "/level")]
    public async Task A_log_without_message_or_with_an_unknown_level_is_refused(string arguments, string place) =>
        Assert.Contains(place, (await _functions.Find("log").ErrorAsync(_context, arguments)).Detail);

    [Fact]
    public async Task A_uuid_is_new_each_time_and_of_version_7()
    {
        var first = Guid.Parse((await _functions.Find("uuid").OutputAsync(_context, "{}")).AsString());
        var second = Guid.Parse((await _functions.Find("uuid").OutputAsync(_context, "{}")).AsString());
        Assert.NotEqual(first, second);
        Assert.Equal(7, first.Version);
        Assert.NotEqual(Idempotency.Pure, _functions.Find("uuid").Descriptor.Idempotency);
    }

    [Theory]
    [InlineData("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("sha512", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")]
    public async Task A_hash_is_that_of_FIPS_180(string algorithm, string expected) =>
        Assert.Equal(expected, (await _functions.Find("hash").OutputAsync(_context, $$"""{"text": "abc", "algorithm": "{{algorithm}}"}"""))["hex"].AsString());

    [Fact]
    public async Task A_hash_of_an_unknown_algorithm_is_refused() =>
        Assert.Contains("/algorithm", (await _functions.Find("hash").ErrorAsync(_context, """{"text": "abc", "algorithm": "md5"}""")).Detail);

    [Theory]
    [InlineData("a,b\n1,2\n", """[{"a":"1","b":"2"}]""")]
    [InlineData("\uFEFFa,b\r\n1,\"x,\"\"y\"\"\r\nz\"\r\n", """[{"a":"1","b":"x,\"y\"\r\nz"}]""")]
    [InlineData("a\n\n1\n\n", """[{"a":"1"}]""")]
    [InlineData("a,b\r,", """[{"a":"","b":""}]""")]
    [InlineData("", "[]")]
    public async Task Comma_separated_text_becomes_rows(string text, string expected)
    {
        var output = await Csv(text);
        Assert.Equal((expected, "[]"), (output["rows"].ToString(), output["errors"].ToString()));
    }

    [Fact]
    public async Task Text_without_header_becomes_lists() =>
        Assert.Equal("""[["1","2"],["3","4"]]""", (await Csv("1;2\n3;4", """, "header": false, "delimiter": ";" """))["rows"].ToString());

    [Theory]
    [InlineData("a,b\n1,2\n3\n5,6\n", """[{"line":3,"reason":"1 fields where 2 are expected"}]""", 2)]
    [InlineData("a,b\n\"x\ny\",2\n3,4\"\n5,6\n", """[{"line":4,"reason":"field 2: a quote stands inside a field that is not quoted"}]""", 2)]
    [InlineData("a,b\n\"x\"y,2\n5,6\n", """[{"line":2,"reason":"field 1: text stands after the closing quote"}]""", 1)]
    [InlineData("a,b\n5,6\n1,\"x\ny", """[{"line":3,"reason":"field 2: the quote opened in line 3 is not closed"}]""", 1)]
    public async Task A_wrong_record_is_named_with_its_line_and_the_others_are_read(string text, string errors, int rows)
    {
        var output = await Csv(text);
        Assert.Equal((errors, rows), (output["errors"].ToString(), output["rows"].AsArray().Count));
    }

    [Theory]
    [InlineData("a,a\n1,2", "'a' stands twice")]
    [InlineData("a,,c\n1,2,3", "column 2 has no name")]
    [InlineData("\"a\n", "not closed")]
    public async Task A_header_that_names_no_columns_is_refused(string text, string why)
    {
        var error = await _functions.Find("csv").ErrorAsync(_context, Json.Object("text", text).ToString());
        Assert.Equal("Header invalid", error.Title);
        Assert.Contains(why, error.Detail);
    }

    [Fact]
    public async Task More_records_than_the_limit_are_refused() =>
        Assert.Equal("Text too long", (await _functions.Find("csv").ErrorAsync(_context, Json.Object("text", "a\n1\n2\n3\n4\n5").ToString())).Title);

    public void Dispose() => _functions.Dispose();

    private Task<Json> Csv(string text, string more = "") =>
        _functions.Find("csv").OutputAsync(_context, $$"""{"text": {{Json.Of(text)}} {{more}}}""");
}
