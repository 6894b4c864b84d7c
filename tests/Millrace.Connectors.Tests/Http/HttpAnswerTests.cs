using System.Net;
using System.Net.Sockets;
using Millrace.Connectors.Http;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.Http;

public sealed class HttpAnswerTests(HttpFixture fixture) : IClassFixture<HttpFixture>
{
    private readonly FakeFunctionContext _context = new();

    [Theory]
    [InlineData("robots.txt", "\"User-agent: *\\nDisallow: /deny\\n\"")]
    [InlineData("xml", "\"<slideshow/>\"")]
    [InlineData("bytes", "\"AP8B/g==\"")]
    [InlineData("problem", """{"title":"Nope"}""")]
    public async Task Content_is_what_its_media_type_makes_of_it(string path, string expected) =>
        Assert.Equal(expected, (await Get(path)).ToString());

    [Fact]
    public async Task Raw_output_is_the_bytes_in_base64()
    {
        var output = await Get("problem", """, "output": "raw" """);
        Assert.Equal(Convert.ToBase64String("{\"title\": \"Nope\"}"u8), output.AsString());
    }

    [Fact]
    public async Task Response_output_has_request_status_headers_and_content()
    {
        var output = await fixture.Http.OutputAsync(_context,
            """{"method": "get", "endpoint": "https://petstore.swagger.io/v2/pet/{petId}", "input": {"petId": 1}, "output": "response", "headers": {"X-Mine": "1"}}""");
        Assert.Equal("get", output["request"]["method"].AsString());
        Assert.Equal("https://petstore.swagger.io/v2/pet/1", output["request"]["uri"].AsString());
        Assert.Equal("1", output["request"]["headers"]["X-Mine"].AsString());
        Assert.Equal(200, output["statusCode"].AsNumber());
        Assert.Contains("application/json", output["headers"]["Content-Type"].AsString(), StringComparison.Ordinal);
        Assert.Equal("Milou", output["content"]["name"].AsString());
    }

    [Fact]
    public async Task Nothing_is_null() => Assert.True((await Get("status/204")).IsNull);

    [Fact]
    public async Task Json_that_is_none_is_a_communication_error_with_its_place()
    {
        var error = await GetError("broken-json");
        Assert.Equal((ErrorTypes.Communication, 502), (error.Type, error.Status));
        Assert.Contains("line 2, column 2", error.Detail);
    }

    [Theory]
    [InlineData(400, "Bad Request")]
    [InlineData(404, "Not Found")]
    [InlineData(429, "Too Many Requests")]
    [InlineData(503, "Service Unavailable")]
    public async Task A_status_of_failure_is_a_communication_error_with_that_status(int status, string reason)
    {
        var error = await GetError($"status/{status}?token=hidden");
        Assert.Equal((ErrorTypes.Communication, status, reason), (error.Type, error.Status, error.Title));
        Assert.Equal($"GET https://httpbin.org/status/{status}?… answered {status} {reason}: status {status}", error.Detail);
    }

    [Fact]
    public async Task A_redirect_is_an_error_unless_the_author_lets_it_be_followed()
    {
        var error = await GetError("redirect/1");
        Assert.Equal((ErrorTypes.Communication, 302), (error.Type, error.Status));
    }

    [Fact]
    public async Task Redirects_are_followed_when_the_author_lets_them()
    {
        var output = await Get("redirect/3", """, "redirect": true, "output": "response" """);
        Assert.Equal("https://httpbin.org/anything/end", output["request"]["uri"].AsString());
    }

    [Fact]
    public async Task A_redirection_that_leads_nowhere_is_a_result_when_the_author_accepts_them() =>
        Assert.Equal(304, (await Get("not-modified", """, "redirect": true, "output": "response" """))["statusCode"].AsNumber());

    [Fact]
    public async Task A_circle_of_redirects_ends()
    {
        var error = await TroubleError("loop", fixture.Functions, ", \"redirect\": true");
        Assert.Equal((ErrorTypes.Communication, "Too many redirects"), (error.Type, error.Title));
        Assert.Contains("more than 10 times", error.Detail);
    }

    [Theory]
    [InlineData(302, "GET", "")]
    [InlineData(303, "GET", "")]
    [InlineData(307, "POST", "kept")]
    [InlineData(308, "POST", "kept")]
    public async Task A_redirected_post_keeps_its_body_only_where_the_status_says_so(int status, string method, string body)
    {
        var output = await fixture.Http.OutputAsync(_context,
            $$"""{"method": "post", "endpoint": "https://httpbin.org/redirect-to?url=/anything&code={{status}}", "redirect": true, "body": "kept"}""");
        Assert.Equal((method, body), (output["method"].AsString(), output["data"].AsString()));
    }

    [Fact]
    public async Task Credentials_do_not_follow_to_another_origin()
    {
        var other = Uri.EscapeDataString($"{fixture.Petstore.Base}v2/pet/1");
        await fixture.Http.OutputAsync(_context, $$$$"""
            {"method": "get", "endpoint": {"uri": "{{{{fixture.Httpbin.Base}}}}redirect-to?url={{{{other}}}}&code=302", "authentication": {"bearer": {"token": "tok-12345"}}},
             "redirect": true, "headers": {"Cookie": "session=1", "X-Kept": "1"}}
            """);
        var arrived = fixture.Petstore.Arrived.Last(a => a.Headers.ContainsKey("X-Kept"));
        Assert.False(arrived.Headers.ContainsKey("Authorization") || arrived.Headers.ContainsKey("Cookie"));
    }

    [Fact]
    public async Task A_redirect_from_https_to_http_is_refused()
    {
        var error = await fixture.Http.ErrorAsync(_context,
            """{"method": "get", "endpoint": "https://httpbin.org/redirect-to?url=http%3A%2F%2Fhttpbin.org%2Fanything&code=302", "redirect": true}""");
        Assert.Equal("Redirect refused", error.Title);
    }

    [Fact]
    public async Task Connections_that_are_refused_are_named()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        var error = await fixture.Http.ErrorAsync(_context, $$"""{"method": "get", "endpoint": "http://127.0.0.1:{{port}}/x?key=hidden"}""");
        Assert.Equal((ErrorTypes.Communication, 503, "Connection refused"), (error.Type, error.Status, error.Title));
        Assert.Equal($"GET http://127.0.0.1:{port}/x?…: nothing listens at 127.0.0.1:{port}.", error.Detail);
    }

    [Fact]
    public async Task Hosts_that_do_not_exist_are_named()
    {
        using var functions = fixture.Create(new HttpSettings(), new NoNames());
        var error = await functions.Find("http").ErrorAsync(_context, """{"method": "get", "endpoint": "http://no-such-host.invalid/"}""");
        Assert.Equal((ErrorTypes.Communication, 503, "Host not found"), (error.Type, error.Status, error.Title));
        Assert.Contains("no-such-host.invalid cannot be resolved", error.Detail);
    }

    /// <summary>What sockets say when a name is not known, without asking a resolver, which may take its time.</summary>
    private sealed class NoNames : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new HttpRequestException(HttpRequestError.NameResolutionError, "Name or service not known", new SocketException((int)SocketError.HostNotFound));
    }

    [Fact]
    public async Task A_host_that_speaks_no_TLS_is_named()
    {
        var error = await fixture.Http.ErrorAsync(_context, $$"""{"method": "get", "endpoint": "https://127.0.0.1:{{fixture.Trouble.Base.Port}}/"}""");
        Assert.Equal((503, "TLS failed"), (error.Status, error.Title));
    }

    [Theory]
    [InlineData("abort")]
    [InlineData("cut")]
    public async Task A_connection_that_breaks_is_a_communication_error(string path)
    {
        var error = await TroubleError(path, fixture.Functions);
        Assert.Equal((ErrorTypes.Communication, 502), (error.Type, error.Status));
    }

    [Theory]
    [InlineData("huge")]
    [InlineData("bomb")]
    [InlineData("large?bytes=100001")]
    public async Task More_bytes_than_the_limit_are_not_read(string path)
    {
        using var functions = fixture.Create(new HttpSettings { ResponseBytesMax = 100_000 });
        var error = await TroubleError(path, functions);
        Assert.Equal((ErrorTypes.Communication, 502, "Response too large"), (error.Type, error.Status, error.Title));
    }

    [Fact]
    public async Task As_many_bytes_as_the_limit_are_read()
    {
        using var functions = fixture.Create(new HttpSettings { ResponseBytesMax = 100_000 });
        var output = await functions.Find("http").OutputAsync(_context, $$"""{"method": "get", "endpoint": "{{fixture.Trouble.Base}}large?bytes=100000", "output": "raw"}""");
        Assert.Equal(100_000, Convert.FromBase64String(output.AsString()).Length);
    }

    [Fact]
    public async Task More_headers_than_the_limit_are_not_read() =>
        Assert.Equal("Response too large", (await TroubleError("headers", fixture.Functions)).Title);

    [Fact]
    public async Task A_body_over_the_limit_is_not_sent()
    {
        using var functions = fixture.Create(new HttpSettings { RequestBytesMax = 3 });
        var error = await functions.Find("http").ErrorAsync(_context, """{"method": "post", "endpoint": "https://httpbin.org/anything", "body": "four"}""");
        Assert.Equal("Request too large", error.Title);
    }

    [Fact]
    public async Task No_answer_in_time_is_a_communication_error()
    {
        var time = new ManualTime();
        var call = fixture.Http.ErrorAsync(new FakeFunctionContext { Clock = time }, $$"""{"method": "get", "endpoint": "{{fixture.Trouble.Base}}hang"}""");
        await fixture.Trouble.Reached("/hang").WaitAsync(Calling.Patience);
        time.Advance(TimeSpan.FromSeconds(100));
        var error = await call;
        Assert.Equal((ErrorTypes.Communication, 504, "Request timed out"), (error.Type, error.Status, error.Title));
        Assert.Contains("within 100 s", error.Detail);
    }

    [Fact]
    public async Task Content_that_stalls_ends_with_the_whole_calls_time()
    {
        var time = new ManualTime();
        var call = fixture.Http.ErrorAsync(new FakeFunctionContext { Clock = time }, $$"""{"method": "get", "endpoint": "{{fixture.Trouble.Base}}stall"}""");
        await fixture.Trouble.Reached("/stall").WaitAsync(Calling.Patience);
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.Contains("within 600 s", (await call).Detail);
    }

    [Fact]
    public async Task Cancelling_ends_the_request_at_the_other_side_too()
    {
        await using var trouble = await Millrace.Tests.Doubles.TroubleDouble.StartAsync();
        using var cancel = new CancellationTokenSource();
        var call = fixture.Http.InvokeAsync(_context, JsonText.Parse($$"""{"method": "get", "endpoint": "{{trouble.Base}}hang"}"""), cancel.Token).AsTask();
        await trouble.Reached("/hang").WaitAsync(Calling.Patience);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(Calling.Patience));
        await trouble.Left.WaitAsync(Calling.Patience);
    }

    [Fact]
    public async Task Cookies_do_not_cross_from_one_call_to_the_next()
    {
        Assert.Equal("session=abc; path=/", (await Get("cookies/set", """, "output": "response" """))["headers"]["Set-Cookie"].AsString());
        Assert.True((await Get("anything"))["headers"]["Cookie"].IsNull);
    }

    private Task<Json> Get(string path, string more = "") =>
        fixture.Http.OutputAsync(_context, $$$"""{"method": "get", "endpoint": "https://httpbin.org/{{{path}}}"{{{more}}}}""");

    private Task<WorkflowError> GetError(string path) =>
        fixture.Http.ErrorAsync(_context, $$"""{"method": "get", "endpoint": "https://httpbin.org/{{path}}"}""");

    private Task<WorkflowError> TroubleError(string path, ConnectorFunctions functions, string more = "") =>
        functions.Find("http").ErrorAsync(_context, $$$"""{"method": "get", "endpoint": "{{{fixture.Trouble.Base}}}{{{path}}}"{{{more}}}}""");
}
