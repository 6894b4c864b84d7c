using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Millrace.Tests.Doubles;

/// <summary>
/// An authority for OAuth 2 and OpenID Connect: <c>/oauth2/token</c>, <c>/realms/mill/protocol/token</c> found through discovery, and <c>/protected</c>, which takes
/// the tokens given out and not revoked. Token requests can be held until <see cref="Release"/>.
/// </summary>
internal sealed class TokenDouble : ServiceDouble
{
    public const string ClientId = "mill-client";
    public const string ClientSecret = "mill-secret-0123";
    public const string Username = "miller";
    public const string Password = "grain-and-water";

    private readonly HashSet<string> _good = [];
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _given;

    public int TokensGiven => _given;
    public int? ExpiresIn { get; set; } = 3600;
    public string TokenType { get; set; } = "Bearer";

    /// <summary>The resource takes no token at all.</summary>
    public bool RefuseAll { get; set; }

    /// <summary>Completes when the first request for a token has arrived.</summary>
    public Task Asked => _asked.Task;

    public int TokenRequests => Arrived.Count(a => a.Path.EndsWith("/token", StringComparison.Ordinal));

    public static async Task<TokenDouble> StartAsync(bool held = false)
    {
        var service = new TokenDouble();
        if (!held) service._gate.SetResult();
        await service.RunAsync();
        return service;
    }

    public void Release() => _gate.TrySetResult();

    public void Hold() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void RevokeAll()
    {
        lock (_good) _good.Clear();
    }

    protected override void Map(WebApplication app)
    {
        app.MapPost("/oauth2/token", GiveAsync);
        app.MapPost("/custom/token", GiveAsync);
        app.MapPost("/realms/mill/protocol/token", GiveAsync);
        app.MapGet("/realms/mill/.well-known/openid-configuration", () => Results.Json(new { issuer = $"{Base}realms/mill", token_endpoint = $"{Base}realms/mill/protocol/token" }));
        app.MapGet("/protected", (HttpRequest request) =>
        {
            lock (_good) return !RefuseAll && _good.Contains(request.Headers.Authorization.ToString()) ? Results.Json(new { welcome = true }) : Results.Text("", statusCode: 401);
        });
    }

    private async Task<IResult> GiveAsync(HttpRequest request)
    {
        _asked.TrySetResult();
        await _gate.Task.WaitAsync(Stopping);
        var sent = await ReadAsync(request);
        if (Refusal(request, sent) is { } code)
            return Results.Json(new { error = code, error_description = $"secret was {sent.GetValueOrDefault("client_secret")}" }, statusCode: code == "invalid_client" ? 401 : 400);
        var number = Interlocked.Increment(ref _given).ToString(CultureInfo.InvariantCulture);
        var token = $"eyJhbGciOiJub25lIn0.{Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(new { iss = $"{Base}realms/mill", n = number })).TrimEnd('=')}.c2ln";
        lock (_good) _good.Add($"Bearer {token}");
        return ExpiresIn is { } seconds
            ? Results.Json(new { access_token = token, token_type = TokenType, expires_in = seconds })
            : Results.Json(new { access_token = token, token_type = TokenType });
    }

    private static async Task<Dictionary<string, string>> ReadAsync(HttpRequest request)
    {
        if (request.HasFormContentType) return (await request.ReadFormAsync()).ToDictionary(f => f.Key, f => f.Value.ToString());
        return await JsonSerializer.DeserializeAsync<Dictionary<string, string>>(request.Body) ?? [];
    }

    private static string? Refusal(HttpRequest request, Dictionary<string, string> sent)
    {
        var basic = "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{ClientId}:{ClientSecret}"));
        var known = request.Headers.Authorization == basic
            || sent.GetValueOrDefault("client_id") == ClientId && (sent.GetValueOrDefault("client_secret") == ClientSecret || sent.ContainsKey("client_assertion"))
            || sent.GetValueOrDefault("client_id") == "public-client";
        if (!known) return "invalid_client";
        return sent.GetValueOrDefault("grant_type") switch
        {
            "client_credentials" => null,
            "password" => sent.GetValueOrDefault("username") == Username && sent.GetValueOrDefault("password") == Password ? null : "invalid_grant",
            "urn:ietf:params:oauth:grant-type:token-exchange" => sent.ContainsKey("subject_token") && sent.ContainsKey("subject_token_type") ? null : "invalid_request",
            _ => "unsupported_grant_type",
        };
    }
}
