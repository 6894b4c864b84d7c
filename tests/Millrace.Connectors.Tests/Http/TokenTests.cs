using System.Security.Cryptography;
using Millrace.Jq;
using Millrace.Tests.Doubles;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.Http;

public sealed class TokenTests : IAsyncLifetime
{
    private readonly ManualTime _time = new();
    private readonly ConnectorFunctions _functions = ConnectorFunctions.Create(new ConnectorSettings(), (_, _) => ValueTask.CompletedTask);
    private FakeFunctionContext _context = null!;
    private TokenDouble _authority = null!;

    private static string Client => $$"""{"id": "{{TokenDouble.ClientId}}", "secret": "{{TokenDouble.ClientSecret}}"}""";

    public async ValueTask InitializeAsync()
    {
        _context = new FakeFunctionContext { Clock = _time };
        _authority = await TokenDouble.StartAsync();
        _authority.Time = _time;
    }

    public async ValueTask DisposeAsync()
    {
        _functions.Dispose();
        await _authority.DisposeAsync();
    }

    [Theory]
    [InlineData("client_secret_post")]
    [InlineData("client_secret_basic")]
    public async Task Client_credentials_get_a_token(string method)
    {
        await CallAsync(OAuth($$"""{"id": "{{TokenDouble.ClientId}}", "secret": "{{TokenDouble.ClientSecret}}", "authentication": "{{method}}"}""", """, "scopes": ["a", "b"], "audiences": ["mill"]"""));
        var asked = Assert.Single(_authority.Arrived, a => a.Path == "/oauth2/token");
        Assert.Contains("scope=a%20b", asked.Body, StringComparison.Ordinal);
        Assert.Contains("audience=mill", asked.Body, StringComparison.Ordinal);
        Assert.Equal(method == "client_secret_basic", asked.Headers.ContainsKey("Authorization"));
        Assert.Equal(method == "client_secret_post", asked.Body.Contains("client_secret=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_client_without_secret_gets_a_token() =>
        await CallAsync(OAuth("""{"id": "public-client", "authentication": "none"}"""));

    [Fact]
    public async Task A_client_proves_its_secret_by_a_signature()
    {
        const string Proof = $$"""{"id": "{{TokenDouble.ClientId}}", "secret": "{{TokenDouble.ClientSecret}}", "authentication": "client_secret_jwt"}""";
        await CallAsync(OAuth(Proof));
        Assert.DoesNotContain(TokenDouble.ClientSecret, _authority.Arrived[0].Body, StringComparison.Ordinal);
        await CallAsync(OAuth(Proof));
        Assert.Equal(1, _authority.TokensGiven);
    }

    [Fact]
    public async Task A_wrong_secret_signs_nothing_that_is_taken()
    {
        var error = await ErrorAsync(OAuth($$"""{"id": "{{TokenDouble.ClientId}}", "secret": "wrong-secret-9", "authentication": "client_secret_jwt"}"""));
        Assert.Equal((ErrorTypes.Authentication, 401), (error.Type, error.Status));
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("ES256")]
    [InlineData("ES384")]
    [InlineData("ES512")]
    public async Task A_private_key_in_a_secret_signs_an_assertion_for_each_request(string algorithm)
    {
        using var key = KeyFor(algorithm);
        _authority.ClientKey = key;
        HoldKey(key.ExportPkcs8PrivateKeyPem(), "key-1");
        await CallAsync("""{"oauth2": {"use": "mill"}}""");
        _time.Advance(TimeSpan.FromHours(2));
        await CallAsync("""{"oauth2": {"use": "mill"}}""");
        Assert.Equal(2, _authority.TokensGiven);
        Assert.Equal((algorithm, "key-1"), (_authority.AssertionHeader.GetProperty("alg").GetString(), _authority.AssertionHeader.GetProperty("kid").GetString()));
    }

    [Fact]
    public async Task Another_private_key_is_refused_by_the_authority()
    {
        using var right = RSA.Create(2048);
        using var wrong = RSA.Create(2048);
        _authority.ClientKey = right;
        HoldKey(wrong.ExportPkcs8PrivateKeyPem());
        Assert.Equal(ErrorTypes.Authentication, (await ErrorAsync("""{"oauth2": {"use": "mill"}}""")).Type);
    }

    [Theory]
    [InlineData("no key at all")]
    [InlineData("public")]
    [InlineData("short")]
    public async Task What_is_no_private_key_is_refused_without_being_shown(string kind)
    {
        using var rsa = RSA.Create(kind == "short" ? 1024 : 2048);
        var text = kind switch { "public" => rsa.ExportSubjectPublicKeyInfoPem(), "short" => rsa.ExportPkcs8PrivateKeyPem(), _ => kind };
        HoldKey(text);
        var error = await ErrorAsync("""{"oauth2": {"use": "mill"}}""");
        Assert.Contains("/secrets/mill/client/key", error.Detail);
        Assert.DoesNotContain(text, error.ToString(), StringComparison.Ordinal);
        Assert.Empty(_authority.Arrived);
    }

    [Fact]
    public async Task An_assertion_that_was_signed_elsewhere_is_sent_as_it_is()
    {
        await ErrorAsync(OAuth($$"""{"id": "{{TokenDouble.ClientId}}", "assertion": "ey.J.x", "authentication": "private_key_jwt"}"""));
        Assert.Contains("client_assertion=ey.J.x", _authority.Arrived[0].Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refresh_token_gets_a_token() =>
        await CallAsync(Refreshing(TokenDouble.RefreshToken));

    [Fact]
    public async Task A_refresh_token_that_was_replaced_is_not_shown_again()
    {
        _authority.Rotates = true;
        await CallAsync(Refreshing(TokenDouble.RefreshToken));
        _time.Advance(TimeSpan.FromHours(2));
        await CallAsync(Refreshing(TokenDouble.RefreshToken));
        Assert.Equal(["refresh-token-0", "refresh-token-1"], _authority.Arrived.Where(a => a.Path == "/oauth2/token").Select(a => a.Body[a.Body.IndexOf("refresh-token", StringComparison.Ordinal)..][..15]));
    }

    [Fact]
    public async Task Callers_at_the_same_time_use_a_refresh_token_once()
    {
        await using var authority = await TokenDouble.StartAsync(held: true);
        authority.Rotates = true;
        var calls = Enumerable.Range(0, 20).Select(_ => CallAsync(Refreshing(TokenDouble.RefreshToken, authority), authority)).ToArray();
        await authority.Asked.WaitAsync(Calling.Patience);
        authority.Release();
        await Task.WhenAll(calls);
        Assert.Equal(1, authority.TokenRequests);
    }

    [Fact]
    public async Task A_refresh_token_that_is_no_longer_good_is_an_authentication_error_that_does_not_show_it()
    {
        var error = await ErrorAsync(Refreshing("refresh-token-revoked"));
        Assert.Equal((ErrorTypes.Authentication, 401), (error.Type, error.Status));
        Assert.Contains("invalid_grant", error.Detail);
        Assert.DoesNotContain("refresh-token-revoked", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_a_refresh_token_is_refreshed() =>
        Assert.Contains("subject/type", (await ErrorAsync(OAuth(Client, """, "subject": {"token": "other", "type": "urn:ietf:params:oauth:token-type:jwt"}""", grant: "refresh_token"))).Detail);

    [Fact]
    public async Task A_password_gets_a_token() =>
        await CallAsync(OAuth(Client, $$""", "username": "{{TokenDouble.Username}}", "password": "{{TokenDouble.Password}}" """, grant: "password"));

    [Fact]
    public async Task A_token_is_exchanged_for_another() =>
        await CallAsync(OAuth(Client, """, "subject": {"token": "other", "type": "urn:ietf:params:oauth:token-type:jwt"}""", grant: "urn:ietf:params:oauth:grant-type:token-exchange"));

    [Fact]
    public async Task The_request_is_json_when_its_encoding_says_so()
    {
        await CallAsync(OAuth(Client, """, "request": {"encoding": "application/json"}"""));
        Assert.Equal(TokenDouble.ClientId, JsonText.Parse(_authority.Arrived[0].Body)["client_id"].AsString());
    }

    [Fact]
    public async Task The_endpoint_for_tokens_can_be_another()
    {
        await CallAsync(OAuth(Client, """, "endpoints": {"token": "/custom/token"}"""));
        Assert.Equal("/custom/token", _authority.Arrived[0].Path);
    }

    [Fact]
    public async Task The_endpoint_for_tokens_may_be_a_template()
    {
        await _functions.Find("http").OutputAsync(_context, Arguments(OAuth(Client, """, "endpoints": {"token": "/{realm}/token"}"""), _authority).Insert(1, """ "input": {"realm": "custom"}, """));
        Assert.Equal("/custom/token", _authority.Arrived[0].Path);
    }

    [Theory]
    [InlineData("openid-configuration")]
    [InlineData("oauth-authorization-server")]
    public async Task OAuth_finds_the_endpoint_by_discovery_where_its_authority_is_a_discovery_document(string document)
    {
        await CallAsync(Oidc($"realms/mill/.well-known/{document}").Replace("oidc", "oauth2", StringComparison.Ordinal));
        Assert.Equal("/realms/mill/protocol/token", _authority.Arrived[1].Path);
    }

    [Fact]
    public async Task A_discovery_document_of_another_issuer_is_refused_unless_the_author_lists_it()
    {
        _authority.Issuer = "https://mill.example";
        var error = await ErrorAsync(Oidc("realms/mill"));
        Assert.Equal((ErrorTypes.Authentication, "/realms/mill/.well-known/openid-configuration"), (error.Type, Assert.Single(_authority.Arrived).Path));
        await CallAsync(Oidc("realms/mill").Replace("\"grant\"", $"\"issuers\": [\"https://mill.example\", \"{_authority.Base}realms/mill\"], \"grant\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_assertion_is_for_the_endpoint_that_discovery_named()
    {
        await CallAsync(Oidc("realms/mill").Replace("\"secret\"", "\"authentication\": \"client_secret_jwt\", \"secret\"", StringComparison.Ordinal));
        Assert.Equal(1, _authority.TokensGiven);
    }

    [Theory]
    [InlineData("realms/mill")]
    [InlineData("realms/mill/.well-known/openid-configuration")]
    public async Task OpenId_Connect_finds_the_endpoint_by_discovery(string authority)
    {
        await CallAsync(Oidc(authority));
        Assert.Equal(["/realms/mill/.well-known/openid-configuration", "/realms/mill/protocol/token", "/protected"], _authority.Arrived.Select(a => a.Path));
    }

    [Fact]
    public async Task An_authority_without_discovery_is_an_authentication_error()
    {
        var error = await ErrorAsync(Oidc("realms/none"));
        Assert.Equal((ErrorTypes.Authentication, 401), (error.Type, error.Status));
    }

    [Fact]
    public async Task A_secret_holds_the_whole_configuration()
    {
        _context.Secrets["mill"] = JsonText.Parse($$"""{"authority": "{{_authority.Base}}", "grant": "client_credentials", "client": {{Client}}}""");
        await CallAsync("""{"oauth2": {"use": "mill"}}""");
    }

    [Fact]
    public async Task A_token_is_kept_until_shortly_before_it_expires()
    {
        await CallAsync(OAuth(Client));
        _time.Advance(TimeSpan.FromSeconds(3600 - 31));
        await CallAsync(OAuth(Client));
        Assert.Equal(1, _authority.TokensGiven);
        _time.Advance(TimeSpan.FromSeconds(1));
        await CallAsync(OAuth(Client));
        Assert.Equal(2, _authority.TokensGiven);
    }

    [Fact]
    public async Task Callers_at_the_same_time_share_one_request_for_a_token()
    {
        await using var authority = await TokenDouble.StartAsync(held: true);
        var calls = Enumerable.Range(0, 20).Select(_ => CallAsync(OAuth(Client, authority: authority), authority)).ToArray();
        await authority.Asked.WaitAsync(Calling.Patience);
        authority.Release();
        await Task.WhenAll(calls);
        Assert.Equal((1, 20), (authority.TokenRequests, authority.Arrived.Count(a => a.Path == "/protected")));
    }

    [Fact]
    public async Task A_caller_who_gives_up_does_not_end_the_others_request()
    {
        await using var authority = await TokenDouble.StartAsync(held: true);
        using var cancel = new CancellationTokenSource();
        var http = _functions.Find("http");
        var first = http.InvokeAsync(_context, JsonText.Parse(Arguments(OAuth(Client, authority: authority), authority)), cancel.Token).AsTask();
        await authority.Asked.WaitAsync(Calling.Patience);
        var second = CallAsync(OAuth(Client, authority: authority), authority);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Calling.Patience));
        authority.Release();
        await second;
        Assert.Equal(1, authority.TokenRequests);
    }

    [Fact]
    public async Task A_wrong_secret_does_not_get_the_token_of_the_right_one()
    {
        await CallAsync(OAuth(Client));
        var error = await ErrorAsync(OAuth($$"""{"id": "{{TokenDouble.ClientId}}", "secret": "wrong-secret-9"}"""));
        Assert.Equal((ErrorTypes.Authentication, 401), (error.Type, error.Status));
        Assert.Contains("invalid_client", error.Detail);
    }

    [Fact]
    public async Task Another_workspace_asks_for_its_own_token()
    {
        await CallAsync(OAuth(Client));
        _context = new FakeFunctionContext { Clock = _time };
        await CallAsync(OAuth(Client));
        Assert.Equal(2, _authority.TokensGiven);
    }

    [Fact]
    public async Task A_refusal_is_not_kept()
    {
        var wrong = OAuth("""{"id": "nobody", "secret": "wrong-secret-9"}""");
        await ErrorAsync(wrong);
        await ErrorAsync(wrong);
        Assert.Equal(2, _authority.TokenRequests);
    }

    [Fact]
    public async Task A_kept_token_that_was_revoked_is_asked_for_anew()
    {
        await CallAsync(OAuth(Client));
        _authority.RevokeAll();
        await CallAsync(OAuth(Client));
        Assert.Equal(2, _authority.TokensGiven);
    }

    [Fact]
    public async Task A_new_token_that_is_refused_is_not_asked_for_again()
    {
        _authority.RefuseAll = true;
        var error = await ErrorAsync(OAuth(Client));
        Assert.Equal((ErrorTypes.Communication, 401), (error.Type, error.Status));
        Assert.Equal(["/oauth2/token", "/protected"], _authority.Arrived.Select(a => a.Path));
    }

    [Fact]
    public async Task Secrets_never_stand_in_an_error()
    {
        var error = await ErrorAsync(OAuth("""{"id": "nobody", "secret": "wrong-secret-9"}"""));
        Assert.DoesNotContain("wrong-secret-9", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_grant_that_needs_a_person_is_refused() =>
        Assert.Equal("Grant unsupported", (await ErrorAsync(OAuth(Client, grant: "authorization_code"))).Title);

    [Fact]
    public async Task A_way_of_authenticating_the_client_that_is_not_known_is_refused() =>
        Assert.Contains("/client/authentication has to be one of", (await ErrorAsync(OAuth("""{"id": "a", "authentication": "tls_client_auth"}"""))).Detail);

    [Fact]
    public async Task The_issuer_of_a_token_is_checked()
    {
        await CallAsync(OAuth(Client, $$""", "issuers": ["{{_authority.Base}}realms/mill"]"""));
        var error = await ErrorAsync(OAuth(Client, """, "issuers": ["https://other.example"]"""));
        Assert.Equal(ErrorTypes.Authentication, error.Type);
        Assert.Contains("issuer", error.Detail);
    }

    [Fact]
    public async Task A_token_of_another_type_is_refused()
    {
        _authority.TokenType = "mac";
        Assert.Equal(ErrorTypes.Authentication, (await ErrorAsync(OAuth(Client))).Type);
    }

    private string OAuth(string client, string more = "", string grant = "client_credentials", TokenDouble? authority = null) =>
        $$$"""{"oauth2": {"authority": "{{{(authority ?? _authority).Base}}}", "grant": "{{{grant}}}", "client": {{{client}}} {{{more}}} }}""";

    private string Refreshing(string token, TokenDouble? authority = null) =>
        OAuth(Client, $$""", "subject": {"token": "{{token}}", "type": "urn:ietf:params:oauth:token-type:refresh_token"}""", "refresh_token", authority);

    private void HoldKey(string pem, string? id = null) => _context.Secrets["mill"] = Json.Object("authority", _authority.Base.AbsoluteUri).AsObject()
        .With("grant", "client_credentials")
        .With("client", Json.Object("id", TokenDouble.ClientId).AsObject().With("authentication", "private_key_jwt").With("key", pem).With("keyId", id is null ? Json.Null : id));

    private static AsymmetricAlgorithm KeyFor(string algorithm) => algorithm switch
    {
        "RS256" => RSA.Create(2048),
        "ES256" => ECDsa.Create(ECCurve.NamedCurves.nistP256),
        "ES384" => ECDsa.Create(ECCurve.NamedCurves.nistP384),
        _ => ECDsa.Create(ECCurve.NamedCurves.nistP521),
    };

    private string Oidc(string authority) =>
        $$$"""{"oidc": {"authority": "{{{_authority.Base}}}{{{authority}}}", "grant": "client_credentials", "client": {{{Client}}} }}""";

    private static string Arguments(string authentication, TokenDouble authority) =>
        $$$"""{"method": "get", "endpoint": {"uri": "{{{authority.Base}}}protected", "authentication": {{{authentication}}} }}""";

    private async Task CallAsync(string authentication, TokenDouble? authority = null) =>
        Assert.True((await _functions.Find("http").OutputAsync(_context, Arguments(authentication, authority ?? _authority)))["welcome"].IsTruthy);

    private Task<WorkflowError> ErrorAsync(string authentication) =>
        _functions.Find("http").ErrorAsync(_context, Arguments(authentication, _authority));
}
