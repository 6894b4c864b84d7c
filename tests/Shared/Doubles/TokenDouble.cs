using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Millrace.Tests.Doubles;

/// <summary>
/// An authority for OAuth 2 and OpenID Connect: <c>/oauth2/token</c>, <c>/realms/mill/protocol/token</c> found through discovery, and <c>/protected</c>, which takes
/// the tokens given out and not revoked. Token requests can be held until <see cref="Release"/>. Client assertions are verified: signature, issuer, subject,
/// audience, time, and that none comes twice.
/// </summary>
internal sealed class TokenDouble : ServiceDouble
{
    public const string ClientId = "mill-client";
    public const string ClientSecret = "mill-secret-0123";
    public const string Username = "miller";
    public const string Password = "grain-and-water";
    public const string RefreshToken = "refresh-token-0";

    private readonly HashSet<string> _good = [];
    private readonly ConcurrentDictionary<string, bool> _assertionsSeen = new(StringComparer.Ordinal);
    private string _refreshToken = RefreshToken;
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _given;

    public int TokensGiven => _given;
    public int? ExpiresIn { get; set; } = 3600;
    public string TokenType { get; set; } = "Bearer";

    /// <summary>The clock assertions are judged by.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>What verifies the assertions of the client; they are refused when there is none.</summary>
    public AsymmetricAlgorithm? ClientKey { get; set; }

    /// <summary>Each use of the refresh token gives another in its place.</summary>
    public bool Rotates { get; set; }

    /// <summary>Who the discovery document says it is of.</summary>
    public string? Issuer { get; set; }

    /// <summary>The header of the last assertion that was taken.</summary>
    public JsonElement AssertionHeader { get; private set; }

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
        foreach (var document in (string[])["openid-configuration", "oauth-authorization-server"])
            app.MapGet($"/realms/mill/.well-known/{document}", () => Results.Json(new { issuer = Issuer ?? $"{Base}realms/mill", token_endpoint = $"{Base}realms/mill/protocol/token" }));
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
        var answer = new Dictionary<string, object> { ["access_token"] = token, ["token_type"] = TokenType };
        if (ExpiresIn is { } seconds) answer["expires_in"] = seconds;
        if (Rotates) answer["refresh_token"] = _refreshToken = $"refresh-token-{number}";
        return Results.Json(answer);
    }

    private static async Task<Dictionary<string, string>> ReadAsync(HttpRequest request)
    {
        if (request.HasFormContentType) return (await request.ReadFormAsync()).ToDictionary(f => f.Key, f => f.Value.ToString());
        return await JsonSerializer.DeserializeAsync<Dictionary<string, string>>(request.Body) ?? [];
    }

    private string? Refusal(HttpRequest request, Dictionary<string, string> sent)
    {
        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClientId}:{ClientSecret}"));
        var known = request.Headers.Authorization == basic
            || sent.GetValueOrDefault("client_id") == ClientId && (sent.GetValueOrDefault("client_secret") == ClientSecret || IsProof(request, sent))
            || sent.GetValueOrDefault("client_id") == "public-client";
        if (!known) return "invalid_client";
        return sent.GetValueOrDefault("grant_type") switch
        {
            "client_credentials" => null,
            "password" => sent.GetValueOrDefault("username") == Username && sent.GetValueOrDefault("password") == Password ? null : "invalid_grant",
            "refresh_token" => sent.GetValueOrDefault("refresh_token") == _refreshToken ? null : "invalid_grant",
            "urn:ietf:params:oauth:grant-type:token-exchange" => sent.ContainsKey("subject_token") && sent.ContainsKey("subject_token_type") ? null : "invalid_request",
            _ => "unsupported_grant_type",
        };
    }

    /// <summary>RFC 7523, 3, as a strict authority takes it.</summary>
    private bool IsProof(HttpRequest request, Dictionary<string, string> sent)
    {
        if (sent.GetValueOrDefault("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") return false;
        if (sent.GetValueOrDefault("client_assertion")?.Split('.') is not [var head, var body, var signature]) return false;
        var header = JsonDocument.Parse(Base64Url.DecodeFromChars(head)).RootElement;
        var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(body)).RootElement;
        if (!IsSigned(header.GetProperty("alg").GetString(), Encoding.ASCII.GetBytes($"{head}.{body}"), Base64Url.DecodeFromChars(signature))) return false;
        AssertionHeader = header;
        var now = Time.GetUtcNow().ToUnixTimeSeconds();
        return claims.GetProperty("iss").GetString() == ClientId && claims.GetProperty("sub").GetString() == ClientId
            && claims.GetProperty("aud").GetString() == $"{request.Scheme}://{request.Host}{request.Path}"
            && claims.GetProperty("iat").GetInt64() <= now && claims.GetProperty("exp").GetInt64() > now && claims.GetProperty("exp").GetInt64() <= now + 300
            && _assertionsSeen.TryAdd(claims.GetProperty("jti").GetString()!, true);
    }

    private bool IsSigned(string? algorithm, byte[] content, byte[] signature) => (algorithm, ClientKey) switch
    {
        ("HS256", null) => CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(Encoding.UTF8.GetBytes(ClientSecret), content), signature),
        ("RS256", RSA rsa) => rsa.VerifyData(content, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        ("ES256", ECDsa { KeySize: 256 } curve) => curve.VerifyData(content, signature, HashAlgorithmName.SHA256),
        ("ES384", ECDsa { KeySize: 384 } curve) => curve.VerifyData(content, signature, HashAlgorithmName.SHA384),
        ("ES512", ECDsa { KeySize: 521 } curve) => curve.VerifyData(content, signature, HashAlgorithmName.SHA512),
        _ => false,
    };
}
