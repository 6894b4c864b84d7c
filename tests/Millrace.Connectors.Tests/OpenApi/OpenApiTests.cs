using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Millrace.Connectors.Tests.Http;
using Millrace.Jq;
using Millrace.Tests.Doubles;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.OpenApi;

public sealed class OpenApiTests(HttpFixture fixture) : IClassFixture<HttpFixture>
{
    private readonly FakeFunctionContext _context = new();

    [Fact]
    public async Task An_operation_of_the_pet_store_is_called()
    {
        var output = await Call("findPetsByStatus", """{"status": "available"}""");
        Assert.Equal(2, output.AsArray().Count);
    }

    [Fact]
    public async Task A_list_repeats_its_name_where_the_document_says_multi()
    {
        var output = await Call("findPetsByStatus", """{"status": ["sold", "pending"]}""");
        Assert.Equal(2, output.AsArray().Count);
        Assert.Contains(fixture.Petstore.Arrived, a => a.Query == "?status=sold&status=pending");
    }

    [Fact]
    public async Task Response_output_is_that_of_http()
    {
        var output = await Call("getPetById", """{"petId": 1}""", """, "output": "response" """);
        Assert.Equal("https://petstore.swagger.io/v2/pet/1", output["request"]["uri"].AsString());
        Assert.Equal("Milou", output["content"]["name"].AsString());
    }

    [Fact]
    public async Task A_status_of_failure_is_a_communication_error()
    {
        var error = await CallError("getPetById", """{"petId": 99}""");
        Assert.Equal((ErrorTypes.Communication, 404), (error.Type, error.Status));
        Assert.Contains("Pet not found", error.Detail);
    }

    [Fact]
    public async Task A_body_goes_as_json_and_carries_the_idempotency_key()
    {
        var output = await Call("addPet", """{"body": {"name": "Rex", "photoUrls": []}}""");
        Assert.Equal("Rex", output["name"].AsString());
        Assert.Contains(fixture.Petstore.Arrived, a => a.Path == "/v2/pet" && a.Headers["Idempotency-Key"] == _context.IdempotencyKey && a.Headers["Content-Type"] == "application/json");
    }

    [Fact]
    public async Task Form_fields_go_as_a_form()
    {
        await Call("updatePetWithForm", """{"petId": 3, "name": "A & B"}""");
        Assert.Contains(fixture.Petstore.Arrived, a => a.Path == "/v2/pet/3" && a.Body == "name=A%20%26%20B");
    }

    [Fact]
    public async Task Form_fields_go_as_multipart_where_the_document_takes_nothing_else()
    {
        await Call("uploadFile", """{"petId": 3, "additionalMetadata": "x"}""");
        Assert.Contains(fixture.Petstore.Arrived, a => a.Path == "/v2/pet/3/uploadImage" && a.Headers["Content-Type"].StartsWith("multipart/form-data", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_header_parameter_goes_as_header()
    {
        await Call("deletePet", """{"petId": 4, "api_key": "k"}""");
        Assert.Contains(fixture.Petstore.Arrived, a => a is { Method: "DELETE", Path: "/v2/pet/4" } && a.Headers["api_key"] == "k");
    }

    [Fact]
    public async Task Authentication_goes_with_the_operation_and_not_with_the_document()
    {
        await Call("getPetById", """{"petId": 2}""", """, "authentication": {"bearer": {"token": "only-for-pets"}}""");
        var with = fixture.Petstore.Arrived.Where(a => a.Headers.GetValueOrDefault("Authorization") == "Bearer only-for-pets").Select(a => a.Path);
        Assert.Equal(["/v2/pet/2"], with);
    }

    [Theory]
    [InlineData("findPetByStatus", "{}", "Operation unknown", "no operation 'findPetByStatus'")]
    [InlineData("getPet", "{}", "Operation unknown", "It has getPetById.")]
    [InlineData("getPetById", "{}", "Parameter missing", "'petId' (path)")]
    [InlineData("getPetById", """{"petId": null}""", "Parameter missing", "'petId' (path)")]
    [InlineData("addPet", "{}", "Parameter missing", "'body' (body)")]
    [InlineData("getPetById", """{"petId": 1, "pet": 2}""", "Parameter unknown", "no parameter 'pet'; it has petId")]
    [InlineData("getPetById", """{"petId": [[1]]}""", "Argument invalid", "/parameters/petId")]
    public async Task What_does_not_fit_the_document_is_named(string operation, string parameters, string title, string named)
    {
        var error = await CallError(operation, parameters);
        Assert.Equal((ErrorTypes.Configuration, title), (error.Type, error.Title));
        Assert.Contains(named, error.Detail);
    }

    [Fact]
    public async Task The_document_is_read_once_within_its_lifetime()
    {
        await using var petstore = await PetstoreDouble.StartAsync();
        var time = new ManualTime();
        var context = new FakeFunctionContext { Clock = time };
        for (var i = 0; i < 3; i++) await CallAt($"{petstore.Base}v2/swagger.json", "getPetById", """{"petId": 1}""", context);
        Assert.Single(petstore.Arrived, a => a.Path == "/v2/swagger.json");
        time.Advance(TimeSpan.FromMinutes(5));
        await CallAt($"{petstore.Base}v2/swagger.json", "getPetById", """{"petId": 1}""", context);
        Assert.Equal(2, petstore.Arrived.Count(a => a.Path == "/v2/swagger.json"));
    }

    private Task<Json> Call(string operation, string parameters, string more = "") =>
        fixture.Functions.Find("openapi").OutputAsync(_context, Arguments("https://petstore.swagger.io/v2/swagger.json", operation, parameters, more));

    private Task<WorkflowError> CallError(string operation, string parameters) =>
        fixture.Functions.Find("openapi").ErrorAsync(_context, Arguments("https://petstore.swagger.io/v2/swagger.json", operation, parameters));

    private Task<Json> CallAt(string document, string operation, string parameters, FakeFunctionContext context) =>
        fixture.Functions.Find("openapi").OutputAsync(context, Arguments(document, operation, parameters));

    private static string Arguments(string document, string operation, string parameters, string more = "") =>
        $$$"""{"document": {"endpoint": "{{{document}}}"}, "operationId": "{{{operation}}}", "parameters": {{{parameters}}} {{{more}}} }""";
}

/// <summary>Documents of version 3, served as they are written here, with an operation that echoes.</summary>
public sealed class OpenApi3Tests : IAsyncLifetime
{
    private const string Document = """
        openapi: 3.1.0
        info: {title: Mill, version: '1'}
        servers:
          - url: /api/{stage}
            variables: {stage: {default: live}}
        paths:
          /items/{id}:
            parameters:
              - $ref: '#/components/parameters/Id'
            get:
              operationId: getItem
              parameters:
                - {name: tags, in: query, schema: {type: array}}
                - {name: pipes, in: query, style: pipeDelimited, explode: false, schema: {type: array}}
                - {name: filter, in: query, style: deepObject, schema: {type: object}}
                - {name: X-Trace, in: header, schema: {type: array}}
                - {name: session, in: cookie, schema: {type: string}}
            put:
              operationId: putItem
              requestBody: {$ref: '#/components/requestBodies/Item'}
          /elsewhere:
            get:
              operationId: elsewhere
              servers: [{url: 'ftp://example.org'}]
        components:
          parameters:
            Id: {name: id, in: path, required: true, schema: {type: string}}
          requestBodies:
            Item:
              required: true
              content: {application/xml: {}, application/json: {}}
        """;

    private readonly FakeFunctionContext _context = new();
    private readonly ConnectorFunctions _functions = ConnectorFunctions.Create(new ConnectorSettings(), (_, _) => ValueTask.CompletedTask);
    private readonly Echo _service = new();

    public async ValueTask InitializeAsync() => await _service.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _functions.Dispose();
        await _service.DisposeAsync();
    }

    [Fact]
    public async Task Parameters_are_written_in_their_styles()
    {
        _service.Document = Document;
        await Call("getItem", """{"id": "a/b", "tags": ["x", "y"], "pipes": [1, 2], "filter": {"from": "2 3"}, "X-Trace": ["p", "q"], "session": "s"}""");
        var arrived = _service.Arrived[^1];
        Assert.Equal("/api/live/items/a%2Fb", arrived.Path);
        Assert.Equal("?tags=x&tags=y&pipes=1%7C2&filter[from]=2%203", arrived.Query);
        Assert.Equal(("p,q", "session=s"), (arrived.Headers["X-Trace"], arrived.Headers["Cookie"]));
    }

    [Fact]
    public async Task A_referenced_body_is_sent_as_json_where_that_is_taken()
    {
        _service.Document = Document;
        await Call("putItem", """{"id": 1, "body": {"a": 1}}""");
        Assert.Equal(("application/json", """{"a":1}"""), (_service.Arrived[^1].Headers["Content-Type"], _service.Arrived[^1].Body));
    }

    [Fact]
    public async Task A_required_body_that_is_missing_is_named()
    {
        _service.Document = Document;
        Assert.Contains("'body' (body)", (await Error("putItem", """{"id": 1}""")).Detail);
    }

    [Fact]
    public async Task A_server_that_is_no_http_address_is_refused()
    {
        _service.Document = Document;
        Assert.Contains("its server is no http or https address", (await Error("elsewhere", "{}")).Detail);
    }

    [Theory]
    [InlineData("{\"openapi\": \"3.0.0\", oops", "no JSON, at line 1, column 22")]
    [InlineData("openapi: 3.0.0\npaths: [", "no YAML, at line 3")]
    [InlineData("title: not this", "neither swagger")]
    [InlineData("openapi: 3.0.0\npaths: {/a: {get: {operationId: x}, put: {operationId: x}}}", "'x' stands more than once")]
    [InlineData("openapi: 3.0.0\npaths: {/a: {get: {operationId: x, parameters: [{$ref: 'other.yaml#/p'}]}}}", "'other.yaml#/p' leaves the document")]
    [InlineData("openapi: 3.0.0\npaths: {/a: {get: {operationId: x, parameters: [{$ref: '#/nothing'}]}}}", "'#/nothing' names nothing")]
    [InlineData("openapi: 3.0.0\nc: {$ref: '#/c'}\npaths: {/a: {get: {operationId: x, parameters: [{$ref: '#/c'}]}}}", "leads in a circle")]
    public async Task A_document_that_cannot_be_used_says_why(string document, string why)
    {
        _service.Document = document;
        var error = await Error("x", "{}");
        Assert.Equal((ErrorTypes.Configuration, "OpenAPI document invalid"), (error.Type, error.Title));
        Assert.Contains(why, error.Detail);
    }

    [Fact]
    public async Task Aliases_that_multiply_are_stopped()
    {
        var lines = new List<string> { "openapi: 3.0.0", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]" };
        for (var i = 1; i < 9; i++) lines.Add($"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]");
        _service.Document = string.Join('\n', lines);
        Assert.Contains("no YAML", (await Error("x", "{}")).Detail);
    }

    [Fact]
    public async Task A_document_that_is_not_there_is_a_communication_error()
    {
        var error = await _functions.Find("openapi").ErrorAsync(_context, $$$"""{"document": {"endpoint": "{{{_service.Base}}}nowhere"}, "operationId": "x"}""");
        Assert.Equal((ErrorTypes.Communication, 404), (error.Type, error.Status));
    }

    private Task<Json> Call(string operation, string parameters) => _functions.Find("openapi").OutputAsync(_context, Arguments(operation, parameters));

    private Task<WorkflowError> Error(string operation, string parameters) => _functions.Find("openapi").ErrorAsync(_context, Arguments(operation, parameters));

    private string Arguments(string operation, string parameters) =>
        $$$"""{"document": {"endpoint": {"uri": "{{{_service.Base}}}openapi.yaml"}}, "operationId": "{{{operation}}}", "parameters": {{{parameters}}} }""";

    private sealed class Echo : ServiceDouble
    {
        public string Document { get; set; } = "";

        public Task StartAsync() => RunAsync();

        protected override void Map(WebApplication app)
        {
            app.MapGet("/openapi.yaml", () => Results.Text(Document, "application/yaml"));
            app.Map("/api/{**rest}", () => Results.Json(new { ok = true }));
        }
    }
}
