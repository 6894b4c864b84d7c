using System.Text;
using Millrace.Server.Tests.Support;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

/// <summary>Texts that a workspace keeps beside its definitions, and definitions that name them.</summary>
public abstract class ResourceTests(TestServer server)
{
    [Fact]
    public async Task A_text_is_kept_read_changed_listed_and_removed()
    {
        var kept = await PutAsync("apis/kept.yaml", "a: 1", "application/yaml");
        Assert.Equal((201, "resource:///apis/kept.yaml", 4.0), (kept.Status, kept.Body["address"].AsString(), kept.Body["size"].AsNumber()));
        var again = await PutAsync("apis/kept.yaml", "a: 22", "text/plain");
        Assert.Equal((200, kept.Body["createdAt"], "text/plain"), (again.Status, again.Body["createdAt"], again.Body["mediaType"].AsString()));
        var read = await server.GetAsync("/api/v1/resources/apis/kept.yaml");
        Assert.Equal((200, "a: 22", "text/plain"), (read.Status, read.Text, read.ContentHeaders.ContentType?.MediaType));
        Assert.Contains((await server.GetAsync("/api/v1/resources?limit=200")).Body["items"].AsArray(), r => r["name"].AsString() == "apis/kept.yaml" && r["sha256"] == again.Body["sha256"]);
        Assert.Equal(204, (await server.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/api/v1/resources/apis/kept.yaml"))).Status);
        Assert.Equal((404, "resource.not_found"), Refused(await server.GetAsync("/api/v1/resources/apis/kept.yaml")));
        Assert.Equal(404, (await server.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/api/v1/resources/apis/kept.yaml"))).Status);
    }

    [Theory]
    [InlineData("a b.yaml", "x", "text/plain", 400)]
    [InlineData("a/../b", "x", "text/plain", 400)]
    [InlineData("empty", "", "text/plain", 400)]
    [InlineData("picture", "x", "image/png", 415)]
    public async Task What_cannot_be_kept_is_refused(string name, string text, string type, int status)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, $"/api/v1/resources/{Uri.EscapeDataString(name)}") { Content = new StringContent(text, Encoding.UTF8, type) };
        Assert.Equal(status, (await server.SendAsync(request)).Status);
    }

    [Fact]
    public async Task A_text_that_is_too_long_is_refused_and_one_of_the_limit_is_not()
    {
        Assert.Equal(413, (await PutAsync("long", new string('x', (2 << 20) + 1))).Status);
        Assert.Equal(201, (await PutAsync("long", new string('x', 2 << 20))).Status);
    }

    [Fact]
    public async Task An_openapi_call_reads_its_document_from_there_and_another_text_counts_at_once()
    {
        string Document(string path) => $$$"""{"openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "servers": [{"url": "{{{server.Address}}}"}], "paths": {"{{{path}}}": {"get": {"operationId": "look"}} } }""";
        Assert.Equal(201, (await PutAsync("self.json", Document("/health/live"), "application/json")).Status);
        const string tasks = "  - look: {call: openapi, with: {document: {endpoint: 'resource:///self.json'}, operationId: look}}";
        var first = await server.StartAsync("stored-openapi", tasks);
        Assert.Equal(RunPhase.Completed, await server.EndAsync(first));
        Assert.Equal((await server.GetAsync("/health/live")).Body.ToString(), (await server.GetAsync($"/api/v1/runs/{first}/output")).Text);

        await PutAsync("self.json", Document("/api/v1/system"), "application/json");
        var second = await server.StartAsync("stored-openapi", tasks);
        Assert.Equal(RunPhase.Completed, await server.EndAsync(second));
        Assert.Equal("embedded", (await server.GetAsync($"/api/v1/runs/{second}/output")).Body["shape"].AsString().Replace("cluster", "embedded", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_document_without_a_server_of_its_own_says_so()
    {
        await PutAsync("nowhere.json", """{"openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "paths": {"/a": {"get": {"operationId": "look"}}}}""");
        Assert.Contains("whole http or https address", await FaultAsync("stored-nowhere", "  - look: {call: openapi, with: {document: {endpoint: 'resource:///nowhere.json'}, operationId: look}}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Protos_are_read_with_what_they_import_beside_them()
    {
        await PutAsync("protos/parts.proto", "syntax = \"proto3\"; message Part { string name = 1; }");
        await PutAsync("protos/greet.proto", "syntax = \"proto3\"; import \"parts.proto\"; service Greeter { rpc Greet (Part) returns (Part); }");
        string Call(string service) => $"  - greet: {{call: grpc, with: {{proto: {{endpoint: 'resource:///protos/greet.proto'}}, service: {{name: {service}, host: 127.0.0.1, port: 1}}, method: Greet, arguments: {{name: x}}}}}}";
        // Both files are understood: what fails is the service's name, or the connection to a port where nobody listens.
        Assert.Contains("Nobody", await FaultAsync("stored-proto-name", Call("Nobody")), StringComparison.Ordinal);
        Assert.DoesNotContain("proto", await FaultAsync("stored-proto", Call("Greeter")), StringComparison.OrdinalIgnoreCase);
        await server.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/api/v1/resources/protos/parts.proto"));
        Assert.Contains("protos/parts.proto", await FaultAsync("stored-proto", Call("Greeter")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schema_is_read_when_the_definition_is_pushed_and_kept_with_the_version()
    {
        const string head = "input: {schema: {resource: {endpoint: 'resource:///order.schema.json'}}}\n";
        var absent = await server.PushAsync(TestServer.Document("stored-schema", "  - a: {set: {x: 1}}", head: head));
        Assert.Equal((422, "workflow.import_failed"), (absent.Status, absent.Body["errors"][0]["code"].AsString()));
        Assert.Contains("order.schema.json", absent.Body["errors"][0]["message"].AsString(), StringComparison.Ordinal);
        await PutAsync("order.schema.json", """{"type": "object", "required": ["order"]}""", "application/json");
        Assert.Equal(201, (await server.PushAsync(TestServer.Document("stored-schema", "  - a: {set: {x: 1}}", head: head))).Status);
        await server.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/api/v1/resources/order.schema.json"));
        Assert.Equal(422, (await server.PostAsync("/api/v1/runs", """{"definition": {"namespace": "test", "name": "stored-schema"}, "input": {}}""")).Status);
        Assert.Equal(201, (await server.PostAsync("/api/v1/runs", """{"definition": {"namespace": "test", "name": "stored-schema"}, "input": {"order": 1}}""")).Status);
    }

    [Theory]
    [InlineData("resource:///none.yaml", "keeps no resource 'none.yaml'")]
    [InlineData("resource://host/none.yaml", "resource:///name")]
    public async Task One_that_is_not_there_faults_the_task_and_says_which(string address, string says)
    {
        Assert.Contains(says, await FaultAsync($"stored-none-{address.Length}", $"  - look: {{call: openapi, with: {{document: {{endpoint: '{address}'}}, operationId: look}}}}"), StringComparison.Ordinal);
    }

    private Task<Answer> PutAsync(string name, string text, string type = "text/plain") =>
        server.SendAsync(new HttpRequestMessage(HttpMethod.Put, $"/api/v1/resources/{name}") { Content = new StringContent(text, Encoding.UTF8, type) });

    private async Task<string> FaultAsync(string name, string tasks)
    {
        var run = await server.StartAsync(name, tasks);
        Assert.Equal(RunPhase.Faulted, await server.EndAsync(run));
        return (await server.GetAsync($"/api/v1/runs/{run}")).Body["error"]["detail"].AsString();
    }

    private static (int, string?) Refused(Answer answer) => (answer.Status, answer.Body["code"].StringOrNull);
}

public sealed class ResourcesOnSqliteTests(TestServer server) : ResourceTests(server), IClassFixture<TestServer>;

public sealed class ResourcesOnPostgresTests(PostgresTestServer server) : ResourceTests(server), IClassFixture<PostgresTestServer>;
