using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.Http;

public sealed class HttpRequestTests(HttpFixture fixture) : IClassFixture<HttpFixture>
{
    private readonly FakeFunctionContext _context = new();

    [Fact]
    public async Task A_get_outputs_the_parsed_content()
    {
        var output = await fixture.Http.OutputAsync(_context, """{"method": "get", "endpoint": "https://petstore.swagger.io/v2/pet/1"}""");
        Assert.Equal("Milou", output["name"].AsString());
    }

    [Fact]
    public async Task Top_level_input_fills_a_template_in_the_path()
    {
        var output = await fixture.Http.OutputAsync(_context,
            """{"method": "get", "endpoint": {"uri": "https://petstore.swagger.io/v2/pet/{petId}"}, "input": {"petId": 2}}""");
        Assert.Equal("Idefix", output["name"].AsString());
    }

    [Fact]
    public async Task Top_level_input_fills_a_template_in_the_query()
    {
        var output = await fixture.Http.OutputAsync(_context,
            """{"method": "get", "endpoint": {"uri": "https://petstore.swagger.io/v2/pet/findByStatus?status={status}"}, "input": {"status": "sold"}}""");
        Assert.Equal("Rantanplan", output[0]["name"].AsString());
    }

    [Theory]
    [InlineData("""{"q": "a b/ü"}""", "a%20b%2F%C3%BC")]
    [InlineData("""{"q": true}""", "true")]
    [InlineData("""{"q": null}""", "")]
    [InlineData("{}", "")]
    public async Task A_template_variable_is_encoded_and_an_absent_one_is_empty(string input, string expected)
    {
        var output = await fixture.Http.OutputAsync(_context,
            $$"""{"method": "get", "endpoint": "https://httpbin.org/anything?x={q}", "input": {{input}}, "output": "response"}""");
        Assert.Equal($"https://httpbin.org/anything?x={expected}", output["request"]["uri"].AsString());
    }

    [Fact]
    public async Task Without_an_input_braces_are_no_template()
    {
        var output = await fixture.Http.OutputAsync(_context, """{"method": "get", "endpoint": "https://httpbin.org/anything?x={q}", "output": "response"}""");
        Assert.Equal("""{"x":["{q}"]}""", output["content"]["args"].ToString());
    }

    [Fact]
    public async Task A_template_variable_that_is_an_object_is_an_expression_error()
    {
        var error = await fixture.Http.ErrorAsync(_context, """{"method": "get", "endpoint": "https://httpbin.org/{x}", "input": {"x": {}}}""");
        Assert.Equal((ErrorTypes.Expression, 400), (error.Type, error.Status));
    }

    [Theory]
    [InlineData("https://httpbin.org/{+x}", """, "input": {} """)]
    [InlineData("https://httpbin.org/{x", """, "input": {} """)]
    [InlineData("/anything")]
    [InlineData("ftp://httpbin.org/anything")]
    [InlineData("https://me:secret@httpbin.org/anything")]
    public async Task An_address_that_cannot_be_used_is_a_configuration_error_that_points_to_it(string endpoint, string more = "")
    {
        var error = await fixture.Http.ErrorAsync(_context, $$$"""{"method": "get", "endpoint": "{{{endpoint}}}" {{{more}}}}""");
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains("/endpoint", error.Detail);
        Assert.DoesNotContain("secret", error.Detail);
    }

    [Fact]
    public async Task Query_values_are_added_and_lists_repeat_their_name()
    {
        var output = await Echo("""{"method": "get", "endpoint": "https://httpbin.org/anything?a=0", "query": {"b": [1, "two"], "c": "x&y", "d": null}}""");
        Assert.Equal("""{"a":["0"],"b":["1","two"],"c":["x&y"]}""", output["args"].ToString());
    }

    [Fact]
    public async Task Headers_are_sent_as_the_author_names_them()
    {
        var output = await Echo("""{"method": "get", "endpoint": "https://httpbin.org/anything", "headers": {"X-One": "1", "X-Two": 2, "Accept": "text/x"}}""");
        Assert.Equal("1", output["headers"]["X-One"].AsString());
        Assert.Equal("2", output["headers"]["X-Two"].AsString());
        Assert.Equal("text/x", output["headers"]["Accept"].AsString());
    }

    [Theory]
    [InlineData("""{"X": "a\r\nInjected: 1"}""")]
    [InlineData("""{"bad name": "a"}""")]
    [InlineData("""{"Content-Length": "3"}""")]
    [InlineData("""{"X": {"a": 1}}""")]
    public async Task A_header_that_cannot_be_sent_is_refused(string headers)
    {
        var error = await fixture.Http.ErrorAsync(_context, $$"""{"method": "get", "endpoint": "https://httpbin.org/anything", "headers": {{headers}}}""");
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains("/headers", error.Detail);
    }

    [Theory]
    [InlineData("""{"a": [1, null]}""", null, "application/json", """{"a":[1,null]}""")]
    [InlineData("\"plain\"", null, "text/plain; charset=utf-8", "plain")]
    [InlineData("\"<a/>\"", "application/xml", "application/xml", "<a/>")]
    [InlineData("""{"a": "x y", "b": [1, 2]}""", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded", "a=x%20y&b=1&b=2")]
    [InlineData("""{"a": 1}""", "application/vnd.api+json", "application/vnd.api+json", """{"a":1}""")]
    [InlineData("42", "text/plain", "text/plain", "42")]
    public async Task A_body_is_encoded_as_its_content_type_says(string body, string? contentType, string expectedType, string expected)
    {
        var headers = contentType is null ? "{}" : $$"""{"content-type": "{{contentType}}"}""";
        var output = await Echo($$"""{"method": "post", "endpoint": "https://httpbin.org/anything", "headers": {{headers}}, "body": {{body}}}""");
        Assert.Equal(expectedType, output["headers"]["Content-Type"].AsString());
        Assert.Equal(expected, output["data"].AsString());
    }

    [Fact]
    public async Task An_object_can_be_sent_as_multipart_form()
    {
        var output = await Echo("""{"method": "post", "endpoint": "https://httpbin.org/anything", "headers": {"Content-Type": "multipart/form-data"}, "body": {"a": "x"}}""");
        Assert.StartsWith("multipart/form-data; boundary=", output["headers"]["Content-Type"].AsString(), StringComparison.Ordinal);
        Assert.Contains("name=\"a\"\r\n\r\nx\r\n", output["data"].AsString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_object_that_its_content_type_cannot_carry_is_refused()
    {
        var error = await fixture.Http.ErrorAsync(_context,
            """{"method": "post", "endpoint": "https://httpbin.org/anything", "headers": {"Content-Type": "application/xml"}, "body": {"a": 1}}""");
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains("/body", error.Detail);
    }

    [Theory]
    [InlineData("post")]
    [InlineData("PUT")]
    [InlineData("patch")]
    [InlineData("delete")]
    public async Task A_request_that_may_change_something_carries_the_steps_idempotency_key(string method)
    {
        var output = await Echo($$"""{"method": "{{method}}", "endpoint": "https://httpbin.org/anything"}""");
        Assert.Equal(_context.IdempotencyKey, output["headers"]["Idempotency-Key"].AsString());
    }

    [Fact]
    public async Task A_get_carries_no_idempotency_key() =>
        Assert.True((await Echo("""{"method": "get", "endpoint": "https://httpbin.org/anything"}"""))["headers"]["Idempotency-Key"].IsNull);

    [Fact]
    public async Task The_authors_idempotency_key_wins()
    {
        var output = await Echo("""{"method": "post", "endpoint": "https://httpbin.org/anything", "headers": {"idempotency-key": "mine"}}""");
        Assert.Equal("mine", output["headers"]["idempotency-key"].AsString());
        Assert.True(output["headers"]["Idempotency-Key"].IsNull);
    }

    [Theory]
    [InlineData("""{"endpoint": "https://httpbin.org/anything"}""", "/method")]
    [InlineData("""{"method": "get"}""", "/endpoint")]
    [InlineData("""{"method": "g et", "endpoint": "https://httpbin.org/anything"}""", "/method")]
    [InlineData("""{"method": "get", "endpoint": {"uri": 3}}""", "/endpoint/uri")]
    [InlineData("""{"method": "get", "endpoint": "https://httpbin.org/anything", "output": "xml"}""", "/output")]
    [InlineData("""{"method": "get", "endpoint": "https://httpbin.org/anything", "redirect": "yes"}""", "/redirect")]
    [InlineData("""{"method": "get", "endpoint": "https://httpbin.org/anything", "query": [1]}""", "/query")]
    [InlineData("[]", "object")]
    public async Task Wrong_arguments_are_refused_with_their_place(string arguments, string place)
    {
        var error = await fixture.Http.ErrorAsync(_context, arguments);
        Assert.Equal((ErrorTypes.Configuration, 400), (error.Type, error.Status));
        Assert.Contains(place, error.Detail);
    }

    [Fact]
    public void It_is_keyed() => Assert.Equal(Idempotency.Keyed, fixture.Http.Descriptor.Idempotency);

    private Task<Json> Echo(string arguments) => fixture.Http.OutputAsync(_context, arguments);
}
