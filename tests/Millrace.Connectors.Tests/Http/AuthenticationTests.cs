using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.Http;

public sealed class AuthenticationTests(HttpFixture fixture) : IClassFixture<HttpFixture>
{
    private readonly FakeFunctionContext _context = new();

    [Fact]
    public async Task Basic_credentials_are_sent()
    {
        var output = await fixture.Http.OutputAsync(_context, """
            {"method": "get", "input": {"username": "serverless-workflow", "password": "conformance-test"},
             "endpoint": {"uri": "https://httpbin.org/basic-auth/{username}/{password}",
                          "authentication": {"basic": {"username": "serverless-workflow", "password": "conformance-test"}}}}
            """);
        Assert.True(output["authenticated"].IsTruthy);
    }

    [Theory]
    [InlineData("""{"basic": {"use": "login"}}""", """{"username": "a", "password": "b-c-d-e"}""", "basic-auth/a/b-c-d-e")]
    [InlineData("""{"bearer": {"use": "login"}}""", """{"token": "t-o-k-e-n"}""", "bearer")]
    [InlineData("""{"bearer": {"use": "login"}}""", "\"t-o-k-e-n\"", "bearer")]
    public async Task Credentials_come_from_a_secret(string authentication, string secret, string path)
    {
        _context.Secrets["login"] = JsonText.Parse(secret);
        Assert.True((await fixture.Http.OutputAsync(_context, Get(path, authentication)))["authenticated"].IsTruthy);
    }

    [Theory]
    [InlineData("basic")]
    [InlineData("bearer")]
    [InlineData("oauth2")]
    [InlineData("oidc")]
    public async Task A_secret_that_is_not_there_is_an_authorization_error(string kind)
    {
        var error = await fixture.Http.ErrorAsync(_context, Get("bearer", $$$"""{"{{{kind}}}": {"use": "nowhere"}}"""));
        Assert.Equal((ErrorTypes.Authorization, 403), (error.Type, error.Status));
        Assert.Contains("'nowhere'", error.Detail);
    }

    [Fact]
    public async Task A_secret_of_the_wrong_shape_is_named_without_its_content()
    {
        _context.Secrets["login"] = Json.Object("username", "top-secret-user");
        var error = await fixture.Http.ErrorAsync(_context, Get("bearer", """{"basic": {"use": "login"}}"""));
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains("/secrets/login/password", error.Detail);
        Assert.DoesNotContain("top-secret-user", error.Detail);
    }

    [Theory]
    [InlineData("""{"kerberos": {}}""", "'kerberos'")]
    [InlineData("{}", "empty")]
    [InlineData("""{"use": "somebody"}""", "'somebody'")]
    public async Task A_policy_that_is_not_supported_is_named(string authentication, string named)
    {
        var error = await fixture.Http.ErrorAsync(_context, Get("bearer", authentication));
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains(named, error.Detail);
    }

    [Fact]
    public async Task Credentials_are_left_out_of_the_response_output()
    {
        var output = await fixture.Http.OutputAsync(_context,
            """{"method": "get", "output": "response", "endpoint": {"uri": "https://httpbin.org/bearer?t=tok-98765", "authentication": {"bearer": {"token": "tok-98765"}}}}""");
        Assert.DoesNotContain("tok-98765", output["request"].ToString(), StringComparison.Ordinal);
        Assert.True(output["request"]["headers"]["Authorization"].IsNull);
    }

    [Fact]
    public async Task Credentials_never_stand_in_an_error()
    {
        var error = await fixture.Http.ErrorAsync(_context, """
            {"method": "get", "endpoint": {"uri": "https://httpbin.org/basic-auth/other/pa%2Fss-word", "authentication": {"basic": {"username": "me", "password": "pa/ss-word"}}}}
            """);
        Assert.Equal(401, error.Status);
        Assert.DoesNotContain("ss-word", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bearer_token_with_a_line_break_is_refused() =>
        Assert.Equal(ErrorTypes.Configuration, (await fixture.Http.ErrorAsync(_context, Get("bearer", """{"bearer": {"token": "a\r\nX: 1"}}"""))).Type);

    private static string Get(string path, string authentication) =>
        $$$"""{"method": "get", "endpoint": {"uri": "https://httpbin.org/{{{path}}}", "authentication": {{{authentication}}} }}""";
}
