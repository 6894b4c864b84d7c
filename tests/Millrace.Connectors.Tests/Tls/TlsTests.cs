using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Millrace.Connectors.Http;
using Millrace.Connectors.Tests.AsyncApi;
using Millrace.Connectors.Tests.Grpc;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.Tls;

/// <summary>An authority of the operator's own, and certificates by which a caller says who it is.</summary>
public sealed class TlsTests : IAsyncLifetime
{
    private readonly FakeFunctionContext _context = new();
    private readonly Authority _authority = new();
    private SecureDouble _service = null!;
    private ConnectorFunctions _functions = null!;

    public async ValueTask InitializeAsync()
    {
        _service = await SecureDouble.StartAsync(_authority.Server());
        _functions = Create(_authority.File);
        var (certificate, key) = _authority.Issue("CN=ada");
        _context.Secrets["ada"] = Json.Object("certificate", certificate, "key", key);
    }

    public async ValueTask DisposeAsync()
    {
        _functions.Dispose();
        await _service.DisposeAsync();
        _authority.Dispose();
    }

    [Fact]
    public async Task A_server_whose_authority_nobody_knows_is_refused()
    {
        using var functions = Create(null);
        var error = await functions.Find("http").ErrorAsync(_context, Get("who"));
        Assert.Equal((ErrorTypes.Communication, "TLS failed"), (error.Type, error.Title));
    }

    [Fact]
    public async Task A_server_of_an_authority_of_the_operators_own_is_trusted() =>
        Assert.True((await _functions.Find("http").OutputAsync(_context, Get("who")))["subject"].IsNull);

    [Fact]
    public async Task Another_authority_vouches_for_nobody_else()
    {
        using var other = new Authority();
        using var functions = Create(other.File);
        Assert.Equal("TLS failed", (await functions.Find("http").ErrorAsync(_context, Get("who"))).Title);
    }

    [Fact]
    public async Task A_certificate_of_another_host_is_refused()
    {
        using var functions = ConnectorFunctions.Create(new ConnectorSettings { Http = new HttpSettings { AuthoritiesFile = _authority.File } }, (_, _) => ValueTask.CompletedTask);
        var elsewhere = $"https://127.0.0.2:{_service.Base.Port}/who";
        Assert.Equal(ErrorTypes.Communication, (await functions.Find("http").ErrorAsync(_context, $$"""{"method": "get", "endpoint": "{{elsewhere}}"}""")).Type);
    }

    [Fact]
    public void A_file_without_certificates_is_refused_at_the_start()
    {
        var file = Path.Combine(_authority.Folder, "empty.pem");
        File.WriteAllText(file, "nothing");
        Assert.Contains(file, Assert.Throws<ArgumentException>(() => Create(file)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Create(Path.Combine(_authority.Folder, "absent.pem")));
    }

    [Fact]
    public async Task A_caller_says_by_its_certificate_who_it_is()
    {
        Assert.Equal("CN=ada", (await _functions.Find("http").OutputAsync(_context, Get("who", Ada)))["subject"].AsString());
        // A connection that was made for somebody is nobody else's.
        Assert.True((await _functions.Find("http").OutputAsync(_context, Get("who")))["subject"].IsNull);
    }

    [Fact]
    public async Task One_text_may_hold_certificate_and_key()
    {
        var (certificate, key) = _authority.Issue("CN=bob");
        _context.Secrets["bob"] = $"{certificate}\n{key}";
        Assert.Equal("CN=bob", (await _functions.Find("http").OutputAsync(_context, Get("who", """{"certificate": {"use": "bob"}}""")))["subject"].AsString());
    }

    [Fact]
    public async Task A_key_may_have_a_passphrase()
    {
        var (certificate, key) = _authority.Issue("CN=eve");
        using var own = System.Security.Cryptography.ECDsa.Create();
        own.ImportFromPem(key);
        var locked = own.ExportEncryptedPkcs8PrivateKeyPem("pass-4711", new(System.Security.Cryptography.PbeEncryptionAlgorithm.Aes256Cbc, System.Security.Cryptography.HashAlgorithmName.SHA256, 1000));
        _context.Secrets["eve"] = Json.Object([new("certificate", certificate), new("key", locked), new("passphrase", "pass-4711")]);
        Assert.Equal("CN=eve", (await _functions.Find("http").OutputAsync(_context, Get("who", """{"certificate": {"use": "eve"}}""")))["subject"].AsString());
    }

    [Fact]
    public async Task A_key_that_is_not_the_certificates_own_is_refused_and_not_repeated()
    {
        var (certificate, _) = _authority.Issue("CN=ada");
        var (_, key) = _authority.Issue("CN=bob");
        _context.Secrets["mixed"] = Json.Object("certificate", certificate, "key", key);
        var error = await _functions.Find("http").ErrorAsync(_context, Get("who", """{"certificate": {"use": "mixed"}}"""));
        Assert.Equal((ErrorTypes.Configuration, "Certificate invalid"), (error.Type, error.Title));
        Assert.DoesNotContain("PRIVATE KEY", error.Detail!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_does_not_follow_to_another_origin()
    {
        await using var other = await SecureDouble.StartAsync(_authority.Server());
        string Redirected(Uri to) => $$"""{"method": "get", "redirect": true, "endpoint": {"uri": "{{_service.Base}}redirect?to={{Uri.EscapeDataString(new Uri(to, "who").AbsoluteUri)}}", "authentication": {{Ada}} } }""";
        Assert.Equal("CN=ada", (await _functions.Find("http").OutputAsync(_context, Redirected(_service.Base)))["subject"].AsString());
        Assert.True((await _functions.Find("http").OutputAsync(_context, Redirected(other.Base)))["subject"].IsNull);
    }

    [Fact]
    public async Task An_openapi_call_is_made_with_a_certificate()
    {
        var output = await _functions.Find("openapi").OutputAsync(_context, $$"""{"document": {"endpoint": "{{_service.Base}}openapi.json"}, "operationId": "who", "authentication": {{Ada}} }""");
        Assert.Equal("CN=ada", output["subject"].AsString());
    }

    [Fact]
    public async Task A_grpc_call_is_made_over_tls_and_with_a_certificate()
    {
        await using var greeter = await GreeterDouble.StartAsync(_authority.Server());
        string Call(string more) => $$"""
            {"proto": {"endpoint": "{{greeter.Protos}}"}, "service": {"name": "greet.v1.Greeter", "host": "127.0.0.1", "port": {{greeter.SecurePort}}{{more}}}, "method": "SayHello", "arguments": {"name": "Ada"}, "tls": true}
            """;
        Assert.Equal("Hello Ada", (await _functions.Find("grpc").OutputAsync(_context, Call("")))["message"].AsString());
        Assert.Equal("Hello Ada, CN=ada", (await _functions.Find("grpc").OutputAsync(_context, Call($", \"authentication\": {Ada}")))["message"].AsString());
        using var stranger = Create(null);
        Assert.Equal((ErrorTypes.Communication, 503), (await stranger.Find("grpc").ErrorAsync(_context, Call("")) is var error ? (error.Type, error.Status) : default));
    }

    [Fact]
    public async Task Messages_go_by_nats_over_tls_with_a_certificate()
    {
        var (certificate, key) = _authority.IssueFiles("CN=127.0.0.1");
        await using var nats = await NatsServer.StartAsync("--tls", "--tlscert", certificate, "--tlskey", key, "--tlscacert", _authority.File, "--tlsverify");
        await using var documents = await DocumentAsync($"{{host: '127.0.0.1:{nats.Port}', protocol: nats}}");
        await _functions.Find("asyncapi").OutputAsync(_context, Publish(documents, Ada));
        Assert.Equal(ErrorTypes.Communication, (await _functions.Find("asyncapi").ErrorAsync(_context, Publish(documents, "null"))).Type);
    }

    [Fact]
    public async Task Messages_come_by_amqp1_over_tls_with_a_certificate()
    {
        using var broker = new Amqp1Double(_authority.Server());
        broker.Say(new Amqp.Message("a"));
        await using var documents = await DocumentAsync($"{{host: 'amqps://127.0.0.1:{broker.Port}', protocol: amqp1}}");
        var output = await _functions.Find("asyncapi").OutputAsync(_context, Consume(documents, Ada));
        Assert.Equal(("a", "CN=ada"), (output[0]["payload"].AsString(), broker.Caller));
        using var stranger = Create(null);
        Assert.Equal(503, (await stranger.Find("asyncapi").ErrorAsync(_context, Publish(documents, Ada))).Status);
    }

    [Fact]
    public async Task Sqs_is_asked_over_tls_where_its_address_says_so()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var documents = await DocumentAsync($"{{host: 'https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}', protocol: sqs}}");
        var seen = SeenAsync(listener, required: false);
        var error = _functions.Find("asyncapi").ErrorAsync(_context, Publish(documents, """{"basic": {"username": "ada", "password": "pass-4711"}}"""));
        Assert.Null(await seen.WaitAsync(Calling.Patience, TestContext.Current.CancellationToken));
        listener.Stop();
        Assert.Equal(503, (await error).Status);
    }

    [Theory]
    [InlineData("kafka-secure")]
    [InlineData("amqps")]
    [InlineData("amqp1s")]
    [InlineData("secure-mqtt")]
    [InlineData("rediss")]
    [InlineData("wss")]
    public async Task A_connection_to_a_broker_is_made_over_tls_with_a_certificate(string protocol)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var documents = await DocumentAsync($"{{host: '127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}', protocol: {protocol}}}");
        var seen = SeenAsync(listener);
        // The other side hangs up when it has seen who calls.
        var error = _functions.Find("asyncapi").ErrorAsync(_context, Publish(documents, Ada));
        Assert.Equal("CN=ada", await seen.WaitAsync(Calling.Patience, TestContext.Current.CancellationToken));
        listener.Stop();
        Assert.Equal(ErrorTypes.Communication, (await error).Type);
    }

    private async Task<string?> SeenAsync(TcpListener listener, bool required = true)
    {
        using var client = await listener.AcceptTcpClientAsync();
        using var secure = new SslStream(client.GetStream());
        await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificate = _authority.Server(),
            ClientCertificateRequired = required,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => !required || certificate is not null,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        });
        return secure.RemoteCertificate?.Subject;
    }

    private const string Ada = """{"certificate": {"use": "ada"}}""";

    private static Task<DocumentDouble> DocumentAsync(string server) => DocumentDouble.StartAsync((_, _) => $$"""
        asyncapi: 3.0.0
        servers: {main: {{server}}}
        channels: {room: {address: rooms} }
        operations: {talk: {action: send, channel: {$ref: '#/channels/room'} } }
        """);

    private static string Publish(DocumentDouble documents, string authentication) =>
        $$"""{"document": {"endpoint": "{{documents.Base}}docs/v3.yaml"}, "operation": "talk", "message": {"payload": {"text": "a"} }, "authentication": {{authentication}} }""";

    private static string Consume(DocumentDouble documents, string authentication) =>
        Publish(documents, authentication).Replace("\"message\": {\"payload\": {\"text\": \"a\"} }", "\"subscription\": {\"consume\": {\"amount\": 1} }", StringComparison.Ordinal);

    private string Get(string path, string? authentication = null) => authentication is null ? $$"""{"method": "get", "endpoint": "{{_service.Base}}{{path}}" }"""
        : $$"""{"method": "get", "endpoint": {"uri": "{{_service.Base}}{{path}}", "authentication": {{authentication}} } }""";

    private static ConnectorFunctions Create(string? authorities) =>
        ConnectorFunctions.Create(new ConnectorSettings { Http = new HttpSettings { AuthoritiesFile = authorities } }, (_, _) => ValueTask.CompletedTask);
}
