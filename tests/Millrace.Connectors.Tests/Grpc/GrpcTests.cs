using Millrace.Connectors.Grpc;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.Grpc;

/// <summary>Against ASP.NET Core's own gRPC and the classes that protoc makes of the same files.</summary>
public sealed class GrpcTests : IAsyncLifetime
{
    private readonly FakeFunctionContext _context = new();
    private GreeterDouble _server = null!;
    private ConnectorFunctions _functions = null!;

    private IFunction Grpc => _functions.Find("grpc");

    public async ValueTask InitializeAsync()
    {
        _server = await GreeterDouble.StartAsync();
        _functions = Create(new GrpcSettings());
    }

    public async ValueTask DisposeAsync()
    {
        _functions.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_method_is_called_by_its_proto() =>
        Assert.Equal("""{"message":"Hello Ada"}""", (await Grpc.OutputAsync(_context, Call("SayHello", """{"name": "Ada"}"""))).ToString());

    [Fact]
    public async Task A_proto_may_be_a_file_of_this_machine_where_processes_are_allowed()
    {
        var file = new Uri(Path.Combine(AppContext.BaseDirectory, "Grpc", "greet.proto"));
        string Of(string address) => Call("SayHello", """{"name": "Ada"}""").Replace(_server.Protos.AbsoluteUri, address, StringComparison.Ordinal);
        using var allowed = ConnectorFunctions.Create(new ConnectorSettings { Process = new() { Allowed = true } }, (_, _) => ValueTask.CompletedTask);
        Assert.Equal("Hello Ada", (await allowed.Find("grpc").OutputAsync(_context, Of(file.AbsoluteUri)))["message"].AsString());
        Assert.Contains("no such file", (await allowed.Find("grpc").ErrorAsync(_context, Of(file.AbsoluteUri + ".not"))).Detail!, StringComparison.Ordinal);
        Assert.Equal((ErrorTypes.Configuration, "Address invalid"), (await Grpc.ErrorAsync(_context, Of(file.AbsoluteUri))) is var error ? (error.Type, error.Title) : default);
    }

    [Fact]
    public async Task A_service_is_found_without_its_package() =>
        Assert.Equal("Hello Ada", (await Grpc.OutputAsync(_context, Call("SayHello", """{"name": "Ada"}""", service: "Greeter")))["message"].AsString());

    [Fact]
    public async Task A_stream_of_answers_is_a_list_and_is_shown_as_it_comes()
    {
        var output = await Grpc.OutputAsync(_context, Call("Repeat", """{"name": "Ada", "times": 3}"""));
        Assert.Equal(["1 Ada", "2 Ada", "3 Ada"], output.AsArray().Select(m => m["message"].AsString()));
        Assert.Equal(3, _context.LiveOutput.Count(l => l.Channel == "message"));
    }

    [Fact]
    public async Task A_list_of_arguments_is_a_stream_of_requests() =>
        Assert.Equal("a+b+c", (await Grpc.OutputAsync(_context, Call("Join", """{"messages": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}""")))["message"].AsString());

    [Fact]
    public async Task Streams_go_both_ways() =>
        Assert.Equal(["Hello a", "Hello b"], (await Grpc.OutputAsync(_context, Call("Chat", """[{"name": "a"}, {"name": "b"}]"""))).AsArray().Select(m => m["message"].AsString()));

    [Theory]
    [InlineData("""{"aDouble": 1.5, "aFloat": 0.1, "anInt64": "-9007199254740993", "aUint64": "18446744073709551615", "aSint32": -7, "aBool": true}""")]
    [InlineData("""{"aFixed64": "18446744073709551615", "aSfixed32": -2147483648, "aSint64": "-9223372036854775808", "aFixed32": 4294967295, "aSfixed64": "-1", "aUint32": 4294967295}""")]
    [InlineData("""{"someBytes": "AAH/", "colour": "GREEN", "numbers": [1, -2, 300], "colours": ["RED", "GREEN"], "counts": {"a": "1", "b": "-2"}, "people": {"7": {"givenName": "Ada"}}}""")]
    [InlineData("""{"text": "", "maybe": 0, "other": "renamed"}""")]
    [InlineData("""{"person": {"givenName": "Ada"}, "inner": {"inner": {"aBool": true}}}""")]
    [InlineData("""{"at": "2026-11-26T10:20:30.000001Z", "lasts": "-1.500s", "boxed": "5", "mask": "aDouble,inner.aBool"}""")]
    [InlineData("""{"free": {"a": [1, "x", null, {"b": false}]}, "value": null}""")]
    [InlineData("""{"aDouble": "NaN", "aFloat": "-Infinity"}""")]
    public async Task Every_kind_of_field_goes_there_and_back(string fields)
    {
        var output = await Grpc.OutputAsync(_context, Call("Echo", fields));
        Contains(JsonText.Parse(fields), output);
    }

    [Fact]
    public async Task Names_of_the_proto_numbers_of_enums_and_texts_of_numbers_are_understood()
    {
        var output = await Grpc.OutputAsync(_context, Call("Echo", """{"a_double": "2.5", "colour": 2, "an_int64": 3, "a_uint32": "4", "some_bytes": "_-8", "numbers": [5.0, 1e3], "maybe": null}"""));
        Contains(JsonText.Parse("""{"aDouble": 2.5, "colour": "GREEN", "anInt64": "3", "aUint32": 4, "someBytes": "/+8=", "numbers": [5, 1000]}"""), output);
        Assert.False(output.AsObject().Has("maybe"));
    }

    [Fact]
    public async Task Fields_without_presence_have_their_defaults()
    {
        var output = await Grpc.OutputAsync(_context, Call("Echo", "{}"));
        Contains(JsonText.Parse("""{"aDouble": 0, "anInt64": "0", "aBool": false, "someBytes": "", "colour": "COLOUR_UNSPECIFIED", "numbers": [], "counts": {}, "other": ""}"""), output);
        foreach (var absent in (string[])["maybe", "at", "inner", "text", "person", "value", "boxed"]) Assert.False(output.AsObject().Has(absent), absent);
    }

    [Theory]
    [InlineData("""{"nam": "Ada"}""", "/arguments/nam")]
    [InlineData("""{"name": 5}""", "/arguments/name")]
    [InlineData("""{"times": 2147483648}""", "/arguments/times")]
    [InlineData("""{"times": 1.5}""", "/arguments/times")]
    [InlineData("""[{"name": "a"}]""", "/arguments")]
    public async Task What_is_no_such_message_is_refused_with_its_place(string arguments, string pointer)
    {
        var error = await Grpc.ErrorAsync(_context, Call("SayHello", arguments));
        Assert.Equal((ErrorTypes.Configuration, 400), (error.Type, error.Status));
        Assert.Contains(pointer, error.Detail!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_fields_of_one_choice_are_refused() =>
        Assert.Contains("'choice'", (await Grpc.ErrorAsync(_context, Call("Echo", """{"text": "a", "person": {}}"""))).Detail!, StringComparison.Ordinal);

    [Theory]
    [InlineData(3, 400, "INVALID_ARGUMENT")]
    [InlineData(5, 404, "NOT_FOUND")]
    [InlineData(7, 403, "PERMISSION_DENIED")]
    [InlineData(8, 429, "RESOURCE_EXHAUSTED")]
    [InlineData(14, 503, "UNAVAILABLE")]
    [InlineData(16, 401, "UNAUTHENTICATED")]
    public async Task A_status_is_a_communication_error_as_http_has_it(int code, int status, string name)
    {
        var error = await Grpc.ErrorAsync(_context, Call("Fail", $$"""{"name": "Ada", "times": {{code}}}"""));
        Assert.Equal((ErrorTypes.Communication, status, name), (error.Type, error.Status, error.Title));
        Assert.Contains("no Ada", error.Detail!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_caller_says_who_it_is_and_sends_the_key_of_the_step()
    {
        var output = await Grpc.OutputAsync(_context, Call("Headers", "{}", more: """, "authentication": {"basic": {"username": "ada", "password": "secret-4711"}}"""));
        Assert.Equal($"Basic {Convert.ToBase64String("ada:secret-4711"u8)}", output["headers"]["authorization"].AsString());
        Assert.Equal(_context.IdempotencyKey, output["headers"]["idempotency-key"].AsString());
    }

    [Theory]
    [InlineData("greet.v1.Nobody", "SayHello", "greet.v1.Greeter")]
    [InlineData("greet.v1.Greeter", "Shout", "SayHello")]
    public async Task What_the_proto_does_not_have_is_told_with_what_it_has(string service, string method, string known) =>
        Assert.Contains(known, (await Grpc.ErrorAsync(_context, Call(method, "{}", service: service))).Detail!, StringComparison.Ordinal);

    [Theory]
    [InlineData("/bad/broken.proto", "line 2")]
    [InlineData("/bad/outside.proto", "../secret.proto")]
    public async Task A_proto_that_is_none_is_told_with_its_place(string path, string told)
    {
        var error = await Grpc.ErrorAsync(_context, Call("SayHello", "{}", proto: new Uri(_server.Protos, path)));
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains(told, error.Detail!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proto_that_is_not_there_is_a_communication_error() =>
        Assert.Equal(404, (await Grpc.ErrorAsync(_context, Call("SayHello", "{}", proto: new Uri(_server.Protos, "/protos/none.proto")))).Status);

    [Fact]
    public async Task More_than_may_come_is_refused()
    {
        using var functions = Create(new GrpcSettings { MessagesMax = 2 });
        Assert.Equal("Response too large", (await functions.Find("grpc").ErrorAsync(_context, Call("Repeat", """{"name": "Ada", "times": 3}"""))).Title);
    }

    [Fact]
    public async Task Nobody_at_the_address_is_unavailable()
    {
        var error = await Grpc.ErrorAsync(_context, Call("SayHello", "{}", port: 9));
        Assert.Equal((503, "UNAVAILABLE"), (error.Status, error.Title));
    }

    private static ConnectorFunctions Create(GrpcSettings settings) => ConnectorFunctions.Create(new ConnectorSettings { Grpc = settings }, (_, _) => ValueTask.CompletedTask);

    private static void Contains(Json expected, Json found)
    {
        foreach (var (name, value) in expected.AsObject())
        {
            if (value.IsObject) Contains(value, found[name]);
            else Assert.Equal(value.ToString(), found[name].ToString());
        }
    }

    private string Call(string method, string arguments, string service = "greet.v1.Greeter", string more = "", Uri? proto = null, int? port = null) =>
        $"{{\"proto\": {{\"endpoint\": \"{proto ?? _server.Protos}\"}}, \"service\": {{\"name\": \"{service}\", \"host\": \"127.0.0.1\", \"port\": {port ?? _server.Port}{more}}}, \"method\": \"{method}\", \"arguments\": {arguments}, \"tls\": false}}";
}
