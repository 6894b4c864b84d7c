using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Millrace.Jq;
using Millrace.Server.Tests.Support;

namespace Millrace.Server.Tests;

/// <summary>One wrong request: what it is answered with, and where the answer says the fault is.</summary>
/// <param name="Where">Of the first error: <c>line:column</c> for documents and bodies, a JSON pointer, or the name of a parameter.</param>
public sealed record Wrong(string Name, int Status, string Code, string Where, Func<HttpRequestMessage> Request)
{
    public override string ToString() => Name;
}

/// <summary>Whatever is wrong with a request, the answer says where, and nothing has changed.</summary>
public abstract class RefusalTests(RefusalTests.Prepared prepared)
{
    public static TheoryData<string> Names => [.. All.Select(w => w.Name)];

    private static List<Wrong> All => [.. WrongDocuments.All, .. WrongInputs.All, .. WrongRequests.All];

    [Fact]
    public void There_are_at_least_sixty_and_each_has_its_own_name()
    {
        Assert.True(All.Count >= 60, $"{All.Count}");
        Assert.Equal(All.Count, All.Select(w => w.Name).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_wrong_request_is_answered_with_the_place_and_changes_nothing(string name)
    {
        var wrong = All.Single(w => w.Name == name);
        var before = await prepared.Server.HoldsAsync();

        var answer = await prepared.Server.SendAsync(wrong.Request());

        Assert.Equal((wrong.Status, wrong.Code, wrong.Where), (answer.Status, answer.Body["code"].StringOrNull, Where(answer.Body)));
        Assert.Equal("application/problem+json", answer.ContentHeaders.ContentType?.MediaType);
        Assert.Equal(wrong.Status, (int)answer.Body["status"].AsNumber());
        Assert.NotEqual("", answer.Body["detail"].StringOrNull ?? "");
        Assert.Equal(before, await prepared.Server.HoldsAsync());
    }

    private static string Where(Json problem)
    {
        if (problem["errors"][0] is not { IsObject: true } first) return "";
        if (first["line"].IsNumber) return string.Create(CultureInfo.InvariantCulture, $"{first["line"].AsNumber()}:{first["column"].AsNumber()}");
        return first["parameter"].StringOrNull ?? first["pointer"].StringOrNull ?? "?";
    }

    /// <summary>A server that has the definition test/strict, whose schema the wrong inputs miss.</summary>
    public class Prepared : IAsyncLifetime
    {
        public virtual TestServer Server { get; } = new();

        public async ValueTask InitializeAsync()
        {
            await Server.InitializeAsync();
            var pushed = await Server.PushAsync(TestServer.Document("strict", "  - a: {set: {x: 1}}", head: WrongInputs.Schema));
            Assert.True(pushed.Status == 201, pushed.Text);
        }

        public ValueTask DisposeAsync()
        {
            GC.SuppressFinalize(this);
            return Server.DisposeAsync();
        }
    }
}

public sealed class RefusalsOnSqliteTests(RefusalTests.Prepared prepared) : RefusalTests(prepared), IClassFixture<RefusalTests.Prepared>;

public sealed class RefusalsOnPostgresTests(RefusalsOnPostgresTests.Prepared prepared) : RefusalTests(prepared), IClassFixture<RefusalsOnPostgresTests.Prepared>
{
    public new sealed class Prepared : RefusalTests.Prepared
    {
        public override TestServer Server { get; } = new PostgresTestServer();
    }
}

internal static class WrongDocuments
{
    private const string Head = "document: {dsl: '1.0.3', namespace: test, name: wrong, version: '1.0.0'}\n";

    public static IEnumerable<Wrong> All =>
    [
        Of("an empty document", "", "1:1"),
        Of("only a comment", "# nothing\n", "1:1"),
        Of("a scalar", "hello", "1:1"),
        Of("a list", "- a\n- b\n", "1:1"),
        Of("an unclosed bracket", Head + "do: [{a: {set: {x: 1}}", "2:23"),
        Of("a tab as indentation", Head + "do:\n\t- a: {set: {x: 1}}\n", "3:1"),
        Of("two documents", Head + "do: [{a: {set: {x: 1}}}]\n---\nb: 1\n", "3:1"),
        Of("a section given twice", Head + "do: [{a: {set: {x: 1}}}]\ndo: []\n", "3:1"),
        Of("an alias without its anchor", Head + "do: *nothing\n", "2:5"),
        Of("a foreign tag", Head + "do: !!python/object:os.system [ls]\n", "2:5"),
        Of("aliases that multiply", Aliases(), "7:47"),
        Of("nesting without end", Head + "do: " + new string('[', 1000) + new string(']', 1000), "2:205"),
        Of("no document section", "do: [{a: {set: {x: 1}}}]\n", "1:1"),
        Of("no tasks", Head, "1:1"),
        Of("an unknown section", Head + "doo: []\ndo: [{a: {set: {x: 1}}}]\n", "2:1"),
        Of("a language version that is none", "document: {dsl: new, namespace: test, name: wrong, version: '1.0.0'}\ndo: [{a: {set: {x: 1}}}]\n", "1:17"),
        Of("a name with a space", "document: {dsl: '1.0.3', namespace: test, name: 'a b', version: '1.0.0'}\ndo: [{a: {set: {x: 1}}}]\n", "1:49"),
        Of("a version that is none", "document: {dsl: '1.0.3', namespace: test, name: wrong, version: one}\ndo: [{a: {set: {x: 1}}}]\n", "1:65"),
        Of("a task without a keyword", Head + "do:\n  - a: {}\n", "3:5"),
        Of("a misspelt keyword", Head + "do:\n  - a:\n      cal: http\n", "4:7"),
        Of("a task that is no object", Head + "do:\n  - a: 5\n", "3:8"),
        Of("two tasks in one entry", Head + "do:\n  - a: {set: {x: 1}}\n    b: {set: {x: 1}}\n", "4:5"),
        Of("an empty set", Head + "do:\n  - a: {set: {}}\n", "3:9"),
        Of("a duration that is none", Head + "do:\n  - a: {wait: soon}\n", "3:15"),
        Of("a duration of an unknown unit", Head + "do:\n  - a: {wait: {fortnights: 1}}\n", "3:15"),
        Of("a call of http without arguments", Head + "do:\n  - a: {call: http}\n", "3:5"),
        Of("a call of http without an endpoint", Head + "do:\n  - a: {call: http, with: {method: get}}\n", "3:21"),
        Of("a function nobody provides", Head + "do:\n  - a: {call: 'nothing:1.0.0@default'}\n", "3:9"),
        Of("a switch without cases", Head + "do:\n  - a: {switch: []}\n", "3:9"),
        Of("a directive to a task that is not there", Head + "do:\n  - a: {set: {x: 1}, then: nowhere}\n", "3:28"),
        Of("a loop without tasks", Head + "do:\n  - a: {for: {in: .x}}\n", "3:5"),
        Of("two kinds of process at once", Head + "do:\n  - a: {run: {shell: {command: ls}, script: {language: js, code: '1'}}}\n", "3:37"),
        Of("an error policy that is not defined", Head + "do:\n  - a: {try: [{b: {set: {x: 1}}}], catch: {retry: nothing}}\n", "3:51"),
        Of("an input schema that is no schema", Head + "input: {schema: {document: {type: strange}}}\ndo: [{a: {set: {x: 1}}}]\n", "2:35"),
        Of("a number where text belongs", Head + "do:\n  - a: {run: {shell: {command: 5}}}\n", "3:32"),
        new("a document that is no UTF-8", 400, "request.malformed", "1:4", () => WrongRequests.Post("/api/v1/definitions", [.. "do: "u8[..3], 0xFF, 0xFE], "application/yaml")),
        new("a document of more than a mebibyte", 413, "request.too_large", "", () => WrongRequests.Post("/api/v1/definitions", new byte[(1 << 20) + 1], "application/yaml")),
        new("a document sent as an image", 415, "request.unsupported_media_type", "Content-Type", () => WrongRequests.Post("/api/v1/definitions", "do: []"u8.ToArray(), "image/png")),
    ];

    private static Wrong Of(string name, string document, string where) =>
        new(name, 422, "definition.invalid", where, () => WrongRequests.Post("/api/v1/definitions", Encoding.UTF8.GetBytes(document), "application/yaml"));

    /// <summary>Each line stands for ten of the line before: a billion values in a few hundred bytes.</summary>
    private static string Aliases()
    {
        var text = new StringBuilder(Head).Append("metadata:\n  l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 9; i++) text.Append(CultureInfo.InvariantCulture, $"  l{i}: &l{i} [{string.Join(", ", Enumerable.Repeat($"*l{i - 1}", 10))}]\n");
        return text.Append("do: [{a: {set: {x: 1}}}]\n").ToString();
    }
}

internal static class WrongInputs
{
    public const string Schema = """
        input:
          schema:
            document:
              type: object
              required: [name, count]
              additionalProperties: false
              properties:
                name: {type: string, minLength: 2, pattern: '^[a-z]+$'}
                count: {type: integer, minimum: 1, maximum: 9}
                kind: {enum: [a, b]}
                items: {type: array, maxItems: 2, uniqueItems: true, items: {type: object, required: [id]}}

        """;

    public static IEnumerable<Wrong> All =>
    [
        Of("no input", null, ""),
        Of("an input that is no object", "[1]", ""),
        Of("an input without a required member", """{"name": "ab"}""", ""),
        Of("an input with an unknown member", """{"name": "ab", "count": 1, "more": 1}""", "/more"),
        Of("a member of the wrong type", """{"name": 5, "count": 1}""", "/name"),
        Of("a text too short", """{"name": "a", "count": 1}""", "/name"),
        Of("a text that misses the pattern", """{"name": "AB", "count": 1}""", "/name"),
        Of("a number that is not whole", """{"name": "ab", "count": 1.5}""", "/count"),
        Of("a number too small", """{"name": "ab", "count": 0}""", "/count"),
        Of("a number too large", """{"name": "ab", "count": 10}""", "/count"),
        Of("a value that is not among the choices", """{"name": "ab", "count": 1, "kind": "c"}""", "/kind"),
        Of("a list too long", """{"name": "ab", "count": 1, "items": [{"id": 1}, {"id": 2}, {"id": 3}]}""", "/items"),
        Of("a list with an item twice", """{"name": "ab", "count": 1, "items": [{"id": 1}, {"id": 1}]}""", "/items"),
        Of("an item without a required member", """{"name": "ab", "count": 1, "items": [{"id": 1}, {}]}""", "/items/1"),
    ];

    private static Wrong Of(string name, string? input, string where) => new(name, 422, "run.input_invalid", where,
        () => WrongRequests.Start($$"""{"definition": {"namespace": "test", "name": "strict"}{{(input is null ? "" : $", \"input\": {input}")}}}"""));
}

internal static class WrongRequests
{
    private const string Absent = "/api/v1/runs/01a1f9ab-1fae-74a0-95e2-da65fad13194";

    public static IEnumerable<Wrong> All =>
    [
        new("a start with an empty body", 400, "request.malformed", "1:1", () => Start("")),
        new("a start with broken JSON", 400, "request.malformed", "2:17", () => Start("{\n  \"definition\": }")),
        new("a start with two values", 400, "request.malformed", "1:4", () => Start("{} {}")),
        new("a start with JSON nested too deep", 400, "request.malformed", "1:513", () => Start(new string('[', 600) + new string(']', 600))),
        new("a start with bytes that are no UTF-8", 400, "request.malformed", "1:2", () => Post("/api/v1/runs", [(byte)'"', 0xC3, 0x28, (byte)'"'], "application/json")),
        new("a start that is no object", 400, "request.invalid", "", () => Start("[]")),
        new("a start without a definition", 400, "request.invalid", "/definition", () => Start("{}")),
        new("a start with a definition that is text", 400, "request.invalid", "/definition", () => Start("""{"definition": "test/strict"}""")),
        new("a start without a name", 400, "request.invalid", "/definition/name", () => Start("""{"definition": {"namespace": "test"}}""")),
        new("a start with a version that is a number", 400, "request.invalid", "/definition/version", () => Start("""{"definition": {"namespace": "test", "name": "strict", "version": 1}}""")),
        new("a start with an unknown member", 400, "request.invalid", "/inptu", () => Start("""{"definition": {"namespace": "test", "name": "strict"}, "inptu": {}}""")),
        new("a start with an unknown member of the definition", 400, "request.invalid", "/definition/nmae", () => Start("""{"definition": {"namespace": "test", "name": "strict", "nmae": "x"}}""")),
        new("a start of a definition that is not there", 404, "definition.not_found", "", () => Start("""{"definition": {"namespace": "test", "name": "absent"}}""")),
        new("a start of a version that is not there", 404, "definition.not_found", "", () => Start("""{"definition": {"namespace": "test", "name": "strict", "version": "9.9.9"}}""")),
        new("a start without a content type", 415, "request.unsupported_media_type", "Content-Type", () => Post("/api/v1/runs", "{}"u8.ToArray(), null)),
        new("a start as a form", 415, "request.unsupported_media_type", "Content-Type", () => Post("/api/v1/runs", "definition=x"u8.ToArray(), "application/x-www-form-urlencoded")),
        new("a start in another encoding", 415, "request.unsupported_media_type", "Content-Type", () => Post("/api/v1/runs", "{}"u8.ToArray(), "application/json; charset=utf-16")),
        new("a start with a query", 400, "request.invalid", "dryRun", () => Post("/api/v1/runs?dryRun=true", "{}"u8.ToArray(), "application/json")),
        new("a key that is too long", 400, "request.invalid", "Idempotency-Key", () => With(Start(Fine), "Idempotency-Key", new string('k', 256))),
        new("a key that is empty", 400, "request.invalid", "Idempotency-Key", () => With(Start(Fine), "Idempotency-Key", "")),
        new("a start with an input and an upload", 400, "request.invalid", "/upload", () => Start($$"""{"definition": {"namespace": "test", "name": "strict"}, "input": {}, "upload": {"sha256": "{{new string('a', 64)}}", "size": 1} }""")),
        new("a start with an upload without its size", 400, "request.invalid", "/upload/size", () => Start($$"""{"definition": {"namespace": "test", "name": "strict"}, "upload": {"sha256": "{{new string('a', 64)}}"} }""")),
        new("a start with an upload that is not there", 404, "upload.not_found", "", () => Start($$"""{"definition": {"namespace": "test", "name": "strict"}, "upload": {"sha256": "{{new string('a', 64)}}", "size": 1} }""")),
        new("an upload under a name that is none", 400, "request.invalid", "/sha256", () => Post("/api/v1/uploads", Encoding.UTF8.GetBytes($$"""{"sha256": "{{new string('A', 64)}}", "size": 1}"""), "application/json")),
        new("an upload of too much", 400, "request.invalid", "/size", () => Post("/api/v1/uploads", Encoding.UTF8.GetBytes($$"""{"sha256": "{{new string('a', 64)}}", "size": 134217729}"""), "application/json")),
        new("an upload to a server without a bucket", 409, "upload.not_offered", "", () => Post("/api/v1/uploads", Encoding.UTF8.GetBytes($$"""{"sha256": "{{new string('a', 64)}}", "size": 1}"""), "application/json")),
        new("an artifact by a word that is neither true nor false", 400, "request.invalid", "direct", () => Get($"{Absent}/artifacts/a?direct=1")),
        new("a list with a limit of 0", 400, "request.invalid", "limit", () => Get("/api/v1/runs?limit=0")),
        new("a list with a limit of 201", 400, "request.invalid", "limit", () => Get("/api/v1/runs?limit=201")),
        new("a list with a limit that is text", 400, "request.invalid", "limit", () => Get("/api/v1/runs?limit=many")),
        new("a list with a limit beyond numbers", 400, "request.invalid", "limit", () => Get("/api/v1/runs?limit=99999999999999999999")),
        new("a list with two limits", 400, "request.invalid", "limit", () => Get("/api/v1/runs?limit=1&limit=2")),
        new("a list with an unknown state", 400, "request.invalid", "state", () => Get("/api/v1/runs?state=running&state=dead")),
        new("a list with a state in capitals", 400, "request.invalid", "state", () => Get("/api/v1/runs?state=RUNNING")),
        new("a list of a definition without a name", 400, "request.invalid", "definition", () => Get("/api/v1/runs?definition=test")),
        new("a list with a parent that is no id", 400, "request.invalid", "parent", () => Get("/api/v1/runs?parent=1")),
        new("a list with an unknown parameter", 400, "request.invalid", "stat", () => Get("/api/v1/runs?stat=running")),
        new("a list with a cursor that is none", 400, "request.invalid", "cursor", () => Get("/api/v1/runs?cursor=abc")),
        new("a list with a cursor of another list", 400, "request.invalid", "cursor", () => Get("/api/v1/runs?cursor=ZGVmaW5pdGlvbnMfYR9i")),
        new("a list with a cursor without end", 400, "request.invalid", "cursor", () => Get($"/api/v1/definitions?cursor={new string('a', 2000)}")),
        new("a search for too much text", 400, "request.invalid", "q", () => Get($"/api/v1/definitions?q={new string('a', 201)}")),
        new("a journal after what is no number", 400, "request.invalid", "after", () => Get($"{Absent}/journal?after=x")),
        new("a journal after what is out of range", 400, "request.invalid", "after", () => Get($"{Absent}/journal?after=-2")),
        new("a stream after what is no position", 400, "request.invalid", "Last-Event-ID", () => With(Get($"{Absent}/stream"), "Last-Event-ID", "x1")),
        new("a run that is not there", 404, "run.not_found", "", () => Get(Absent)),
        new("a run whose id is none", 404, "run.not_found", "", () => Get("/api/v1/runs/1%27%20or%201=1")),
        new("steps of a run that is not there", 404, "run.not_found", "", () => Get($"{Absent}/steps")),
        new("a stream of a run that is not there", 404, "run.not_found", "", () => Get($"{Absent}/stream")),
        new("an artifact that is not there", 404, "artifact.not_found", "", () => Get($"{Absent}/artifacts/..%2F..%2Fsecrets.json")),
        new("cancelling a run that is not there", 404, "run.not_found", "", () => Post($"{Absent}/cancellation", "{}"u8.ToArray(), "application/json")),
        new("cancelling for a reason that is a number", 400, "request.invalid", "/reason", () => Post($"{Absent}/cancellation", """{"reason": 5}"""u8.ToArray(), "application/json")),
        new("cancelling for too long a reason", 400, "request.invalid", "/reason", () => Post($"{Absent}/cancellation", Encoding.UTF8.GetBytes($$"""{"reason": "{{new string('x', 1001)}}"}"""), "application/json")),
        new("cancelling with an unknown member", 400, "request.invalid", "/why", () => Post($"{Absent}/cancellation", """{"why": "x"}"""u8.ToArray(), "application/json")),
        new("a route that is not there", 404, "route.not_found", "", () => Get("/api/v1/nothing")),
        new("a method the route does not take", 405, "route.method_not_allowed", "", () => new HttpRequestMessage(HttpMethod.Delete, "/api/v1/runs")),
        new("a request under another name", 421, "request.host_refused", "Host", () => Under(Get("/api/v1/runs"), "evil.example")),
        new("a request under a name that only begins right", 421, "request.host_refused", "Host", () => Under(Get("/api/v1/runs"), "localhost.evil.example")),
        new("a start from a page elsewhere", 403, "request.origin_refused", "Origin", () => With(Start(Fine), "Origin", "https://evil.example")),
        new("a start from a page without an origin", 403, "request.origin_refused", "Origin", () => With(Start(Fine), "Origin", "null")),
        new("a start from another port of this machine", 403, "request.origin_refused", "Origin", () => With(Start(Fine), "Origin", "http://127.0.0.1:1")),
        new("a start a browser calls cross-site", 403, "request.origin_refused", "Origin", () => With(Start(Fine), "Sec-Fetch-Site", "cross-site")),
    ];

    private const string Fine = """{"definition": {"namespace": "test", "name": "strict"}, "input": {"name": "ab", "count": 1}}""";

    public static HttpRequestMessage Get(string path) => new(HttpMethod.Get, path);

    public static HttpRequestMessage Start(string body) => Post("/api/v1/runs", Encoding.UTF8.GetBytes(body), "application/json");

    public static HttpRequestMessage Post(string path, byte[] body, string? type)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        if (type is not null) request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return request;
    }

    private static HttpRequestMessage With(HttpRequestMessage request, string header, string value)
    {
        request.Headers.TryAddWithoutValidation(header, value);
        return request;
    }

    private static HttpRequestMessage Under(HttpRequestMessage request, string host)
    {
        request.Headers.Host = host;
        return request;
    }
}
