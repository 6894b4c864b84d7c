using Millrace.Jq;

namespace Millrace.Workflows.Tests.Kernel;

/// <summary>dsl.md, Authorization Descriptor.</summary>
public sealed class AuthorizationTests
{
    private static string Call(string authentication) => $$"""
        - get:
            call: http
            with: { method: get, endpoint: { uri: 'https://x.test', authentication: {{authentication}} }, headers: { X-Who: '${ "\($authorization.scheme) \($authorization.parameter)" }' } }
            output: { as: '${ $authorization }' }
        """;

    [Theory]
    [InlineData("{ basic: { username: me, password: '${ .word }' } }", "Basic bWU6c2VjcmV0", "Basic")]
    [InlineData("{ bearer: { token: abc } }", "Bearer abc", "Bearer")]
    [InlineData("{ use: known }", "Bearer from-the-vault", "Bearer")]
    public void The_definition_of_a_call_reads_who_it_is_and_what_is_kept_reads_no_credential(string authentication, string header, string scheme)
    {
        var run = KernelRun.Of(Call(authentication), Json.Object("word", "secret"), "use: { secrets: [token], authentications: { known: { bearer: { use: token } } } }",
            secrets: new() { ["token"] = "from-the-vault" });
        Assert.Equal(header, run.Calls[0]["headers"]["X-Who"].AsString());
        Assert.Equal($$"""{"scheme":"{{scheme}}","parameter":"***"}""", run.State.Output.ToString());
    }

    [Fact]
    public void Without_an_authentication_it_is_null()
    {
        var run = KernelRun.Of("- get: { call: http, with: { method: get, endpoint: 'https://x.test' }, output: { as: '${ [$authorization] }' } }");
        Assert.Equal("[null]", run.State.Output.ToString());
    }
}
