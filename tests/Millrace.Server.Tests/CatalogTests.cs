using System.Text;
using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Server.Tests.Support;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

public abstract class CatalogTests(TestServer server)
{
    private const string Double = """
        input: { schema: { document: { type: object, required: [n], properties: { n: { type: number } } } } }
        output: { schema: { document: { type: number } } }
        set: ${ .n * 2 }
        """;

    [Fact]
    public async Task A_function_of_a_catalog_runs_as_it_was_when_the_definition_was_pushed()
    {
        await using var catalog = await CatalogDouble.StartAsync();
        catalog.Texts["/functions/double/1.0.0/function.yaml"] = Double;
        var document = TestServer.Document("doubling", "  - twice: { call: double:1.0.0@mine, with: { n: '${ .n }' } }", head: Catalog(catalog));
        Assert.Equal(201, (await server.PushAsync(document)).Status);
        catalog.Texts.Clear();
        await server.RestartAsync();

        Assert.Equal("42", await OutputAsync("doubling", """{"n": 21}"""));
        Assert.Equal(200, (await server.PushAsync(document)).Status);
    }

    [Fact]
    public async Task Arguments_that_the_functions_schema_refuses_are_a_validation_error()
    {
        var folder = Folder("double", "1.0.0", Double);
        Assert.Equal(201, (await server.PushAsync(TestServer.Document("refusing", "  - twice: { call: double:1.0.0@mine, with: { n: two } }", head: $"use: {{ catalogs: {{ mine: {{ endpoint: '{folder}' }} }} }}\n"))).Status);
        var run = await StartAsync("refusing");
        Assert.Equal(RunPhase.Faulted, await server.EndAsync(run));
        var error = (await server.GetAsync($"/api/v1/runs/{run}")).Body["error"];
        Assert.Equal(("https://open-workflow-specification.org/spec/1.0.0/errors/validation", 400, "/do/0/twice/call"), (error["type"].AsString(), (int)error["status"].AsNumber(), error["instance"].AsString()));
    }

    [Fact]
    public async Task A_function_may_have_tasks_of_its_own_and_call_others_by_their_addresses()
    {
        await using var catalog = await CatalogDouble.StartAsync();
        catalog.Texts["/functions/double/1.0.0/function.yaml"] = Double;
        catalog.Texts["/functions/quadruple/2.1.0/function.yaml"] = $$"""
            do:
              - once: { call: {{catalog.Base}}functions/double/1.0.0/function.yaml, with: { n: '${ .n }' } }
              - again: { call: {{catalog.Base}}functions/double@1.0.0, with: { n: '${ . }' } }
            """;
        var pushed = await server.PushAsync(TestServer.Document("quadrupling", "  - four: { call: quadruple:2.1.0@mine, with: { n: 3 } }", head: Catalog(catalog)));
        Assert.Equal(201, pushed.Status);
        Assert.Equal("12", await OutputAsync("quadrupling"));
    }

    [Fact]
    public async Task The_documents_own_default_catalog_takes_the_place_of_the_runtimes()
    {
        var folder = Folder("log", "1.0.0", "set: { mine: true }");
        await server.PushAsync(TestServer.Document("overriding", "  - say: { call: log:1.0.0@default, with: { message: x } }", head: $"use: {{ catalogs: {{ default: {{ endpoint: {{ uri: '{folder}' }} }} }} }}\n"));
        Assert.Equal("""{"mine":true}""", await OutputAsync("overriding"));
    }

    [Fact]
    public async Task A_schema_beside_a_function_is_named_from_there()
    {
        var folder = Folder("checked", "1.0.0", "input: { schema: { resource: { endpoint: ./in.json } } }\nset: ${ .n }");
        File.WriteAllText(Path.Combine(new Uri(folder).LocalPath, "functions", "checked", "1.0.0", "in.json"), """{"required": ["n"]}""");
        var document = TestServer.Document("beside", "  - a: { call: checked:1.0.0@mine, with: { n: '${ .n }' } }\n  - b: { call: checked:1.0.0@mine, with: { m: 1 } }", head: $"use: {{ catalogs: {{ mine: {{ endpoint: '{folder}' }} }} }}\n");
        Assert.Equal(201, (await server.PushAsync(document)).Status);
        var run = await StartAsync("beside", """{"n": 1}""");
        Assert.Equal(RunPhase.Faulted, await server.EndAsync(run));
        Assert.Equal("/do/1/b/call", (await server.GetAsync($"/api/v1/runs/{run}")).Body["error"]["instance"].AsString());
    }

    [Fact]
    public async Task A_schema_may_stand_elsewhere_behind_a_password()
    {
        await using var catalog = await CatalogDouble.StartAsync();
        catalog.Authorization = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("me:pass-word"));
        catalog.Texts["/pet.json"] = """{"type": "object", "required": ["name"]}""";
        var head = $"input: {{ schema: {{ format: json, resource: {{ endpoint: {{ uri: '{catalog.Base}pet.json', authentication: {{ basic: {{ username: me, password: pass-word }} }} }} }} }} }}\n";
        Assert.Equal(201, (await server.PushAsync(TestServer.Document("petted", "  - a: {set: {x: 1}}", head: head))).Status);
        var refused = await server.PostAsync("/api/v1/runs", """{"definition": {"namespace": "test", "name": "petted"}, "input": {}}""");
        Assert.Equal((422, "run.input_invalid"), (refused.Status, refused.Body["code"].AsString()));
        var denied = await server.PushAsync(TestServer.Document("denied", "  - a: {set: {x: 1}}", head: head.Replace("pass-word", "wrong-word", StringComparison.Ordinal)));
        Assert.Equal(422, denied.Status);
        Assert.Contains("401", denied.Body["errors"][0]["message"].AsString(), StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-word", denied.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("double:9.9.9@mine", "workflow.import_failed", "404")]
    [InlineData("broken:1.0.0@mine", "workflow.unknown_property", "line 2")]
    [InlineData("unreadable:1.0.0@mine", "yaml.", "line 1")]
    [InlineData("nothing:1.0.0@mine", "workflow.unknown_task", "line 1")]
    [InlineData("loop:1.0.0@mine", "workflow.recursion", "calls itself")]
    [InlineData("long:1.0.0@mine", "workflow.import_failed", "the limit is")]
    [InlineData("other:1.0.0@mine", "workflow.unknown_reference", "catalog")]
    public async Task A_function_that_cannot_be_had_is_refused_where_it_is_called(string call, string code, string says)
    {
        await using var catalog = await CatalogDouble.StartAsync();
        catalog.Texts["/functions/broken/1.0.0/function.yaml"] = "set: { a: 1 }\nsett: { b: 2 }";
        catalog.Texts["/functions/unreadable/1.0.0/function.yaml"] = "set: [";
        catalog.Texts["/functions/nothing/1.0.0/function.yaml"] = "title: nothing";
        catalog.Texts["/functions/loop/1.0.0/function.yaml"] = $"call: {catalog.Base}functions/loop/1.0.0/function.yaml";
        catalog.Texts["/functions/long/1.0.0/function.yaml"] = new string('#', 300_000) + "\nset: { a: 1 }";
        catalog.Texts["/functions/other/1.0.0/function.yaml"] = "call: double:1.0.0@mine";
        foreach (var path in (string[])["/api/v1/definitions", "/api/v1/definitions/validation"])
        {
            var answer = await server.PostAsync(path, TestServer.Document("unhad", $"  - a: {{ call: '{call}' }}", head: Catalog(catalog)), "application/yaml");
            var error = (path.EndsWith("validation", StringComparison.Ordinal) ? answer.Body["diagnostics"] : answer.Body["errors"])[0];
            Assert.StartsWith(code, error["code"].AsString(), StringComparison.Ordinal);
            Assert.Contains(says, error["message"].AsString(), StringComparison.Ordinal);
            Assert.Equal(4, (int)error["line"].AsNumber());
        }
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_told()
    {
        var answer = await server.PushAsync(TestServer.Document("fileless", "  - a: { call: no:1.0.0@mine }", head: $"use: {{ catalogs: {{ mine: {{ endpoint: 'file://{server.Folder}/nowhere' }} }} }}\n"));
        Assert.Equal(422, answer.Status);
        Assert.Contains("no such file", answer.Body["errors"][0]["message"].AsString(), StringComparison.Ordinal);
    }

    private static string Catalog(CatalogDouble catalog) => $"use: {{ catalogs: {{ mine: {{ endpoint: '{catalog.Base}' }} }} }}\n";

    private string Folder(string name, string version, string text)
    {
        var root = Path.Combine(server.Folder, Guid.NewGuid().ToString("N"));
        var folder = Directory.CreateDirectory(Path.Combine(root, "functions", name, version)).FullName;
        File.WriteAllText(Path.Combine(folder, "function.yaml"), text);
        return $"file://{root}";
    }

    private async Task<Guid> StartAsync(string name, string input = "{}")
    {
        var started = await server.PostAsync("/api/v1/runs", $$"""{"definition": {"namespace": "test", "name": "{{name}}"}, "input": {{input}}}""");
        Assert.True(started.Status == 201, started.Text);
        return Guid.Parse(started.Body["id"].AsString());
    }

    private async Task<string> OutputAsync(string name, string input = "{}")
    {
        var run = await StartAsync(name, input);
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
        return (await server.GetAsync($"/api/v1/runs/{run}/output")).Body.ToString();
    }
}

public sealed class CatalogOnSqliteTests(TestServer server) : CatalogTests(server), IClassFixture<TestServer>;

public sealed class CatalogOnPostgresTests(PostgresTestServer server) : CatalogTests(server), IClassFixture<PostgresTestServer>;
