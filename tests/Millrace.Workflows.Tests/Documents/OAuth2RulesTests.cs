using Millrace.Workflows.Documents;

namespace Millrace.Workflows.Tests.Documents;

public sealed class OAuth2RulesTests
{
    private const string Client = "client: {id: mill, secret: s}";
    private const string Token = "subject: {token: '${ $secrets.t }', type: 'urn:ietf:params:oauth:token-type:refresh_token'}";
    private const string Exchange = "grant: 'urn:ietf:params:oauth:grant-type:token-exchange'";

    [Theory]
    [InlineData("grant: client_credentials, " + Client)]
    [InlineData("grant: client_credentials, client: {id: mill}")]
    [InlineData("grant: client_credentials, client: {authentication: none}")]
    [InlineData("grant: client_credentials, client: {id: mill, secret: s, authentication: client_secret_jwt}")]
    [InlineData("grant: client_credentials, client: {id: mill, assertion: a, authentication: private_key_jwt}")]
    [InlineData("grant: password, username: u, password: p, " + Client)]
    [InlineData("grant: refresh_token, " + Token + ", " + Client)]
    [InlineData(Exchange + ", subject: {token: t, type: jwt}, actor: {token: t, type: jwt}, " + Client)]
    public void What_a_grant_and_its_client_need_is_enough(string parameters)
    {
        var result = Load("oauth2", parameters);
        Assert.Empty(result.Diagnostics);
        Assert.True(result.IsExecutable);
    }

    [Theory]
    [InlineData("grant: password, username: u, " + Client, "", "'password'")]
    [InlineData("grant: password, password: p, " + Client, "", "'username'")]
    [InlineData("grant: refresh_token, " + Client, "", "'subject'")]
    [InlineData("grant: refresh_token, subject: {token: t, type: jwt}, " + Client, "/subject/type", "refresh token")]
    [InlineData(Exchange + ", " + Client, "", "'subject'")]
    [InlineData("grant: client_credentials", "", "'client'")]
    [InlineData("grant: client_credentials, client: {secret: s}", "/client", "'id'")]
    [InlineData("grant: client_credentials, client: {id: mill, authentication: client_secret_basic}", "/client", "'secret'")]
    [InlineData("grant: client_credentials, client: {id: mill, authentication: client_secret_jwt}", "/client", "'secret'")]
    [InlineData("grant: client_credentials, client: {id: mill, secret: s, authentication: private_key_jwt}", "/client", "'assertion'")]
    public void What_is_missing_is_named_where_it_belongs(string parameters, string place, string named)
    {
        foreach (var scheme in (string[])["oauth2", "oidc"])
        {
            var found = Assert.Single(Load(scheme, parameters).Diagnostics);
            Assert.Equal(($"/use/authentications/mine/{scheme}{place}", 5), (found.Pointer, found.Line));
            Assert.Contains(named, found.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_grant_whose_code_the_language_cannot_carry_is_refused_when_the_document_is_loaded()
    {
        var result = Load("oauth2", "grant: authorization_code, " + Client);
        var found = Assert.Single(result.Diagnostics);
        Assert.Equal(("workflow.unsupported", "/use/authentications/mine/oauth2/grant"), (found.Code, found.Pointer));
        Assert.False(result.IsExecutable);
    }

    [Fact]
    public void What_a_secret_holds_is_left_to_the_call() =>
        Assert.Empty(WorkflowLoader.Load(Head + "use:\n  secrets: [s]\n  authentications: {mine: {oauth2: {use: s}}}\n" + Call).Diagnostics);

    private const string Head = "document: {dsl: 1.0.3, namespace: test, name: w, version: 0.1.0}\n";
    private const string Call = "do: [{a: {call: http, with: {method: get, endpoint: {uri: 'https://example.com', authentication: {use: mine}}}}}]\n";

    private static LoadResult Load(string scheme, string parameters) => WorkflowLoader.Load(
        Head + $"use:\n  secrets: [t]\n  authentications:\n    mine: {{{scheme}: {{authority: 'https://example.com', {parameters}}}}}\n" + Call);
}
