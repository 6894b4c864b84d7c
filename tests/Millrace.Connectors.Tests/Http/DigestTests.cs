using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Millrace.Tests.Doubles;

namespace Millrace.Connectors.Tests.Http;

public sealed class DigestTests : IAsyncLifetime
{
    private readonly FakeFunctionContext _context = new();
    private DigestDouble _server = null!;
    private ConnectorFunctions _functions = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await DigestDouble.StartAsync();
        _functions = ConnectorFunctions.Create(new ConnectorSettings(), (_, _) => ValueTask.CompletedTask);
    }

    public async ValueTask DisposeAsync()
    {
        _functions.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("MD5")]
    [InlineData("SHA-256")]
    [InlineData("MD5-sess")]
    [InlineData("old")]
    public async Task A_challenge_is_answered(string algorithm) =>
        Assert.Equal("welcome", (await _functions.Find("http").OutputAsync(_context, Get($"{algorithm}?q=a b", "secret-4711"))).AsString());

    [Fact]
    public async Task A_challenge_that_is_known_is_answered_at_once()
    {
        for (var i = 0; i < 3; i++) await _functions.Find("http").OutputAsync(_context, Get("SHA-256", "secret-4711"));
        Assert.Equal(4, _server.Arrived.Count);
        Assert.Contains("nc=00000003", _server.Arrived[^1].Headers["Authorization"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_is_refused_after_one_answer()
    {
        Assert.Equal(401, (await _functions.Find("http").ErrorAsync(_context, Get("MD5", "wrong-pass"))).Status);
        Assert.Equal(2, _server.Arrived.Count);
    }

    private string Get(string path, string password) =>
        $"{{\"method\": \"get\", \"endpoint\": {{\"uri\": \"{_server.Base}{path}\", \"authentication\": {{\"digest\": {{\"username\": \"ada\", \"password\": \"{password}\"}}}}}}}}";

    /// <summary>A server that checks digests as RFC 7616 says, written apart from what answers it.</summary>
    private sealed class DigestDouble : ServiceDouble
    {
        public static async Task<DigestDouble> StartAsync()
        {
            var service = new DigestDouble();
            await service.RunAsync();
            return service;
        }

        protected override void Map(WebApplication app) => app.MapGet("/{algorithm}", (string algorithm, HttpContext http) =>
        {
            if (http.Request.Headers.Authorization.ToString() is { Length: > 0 } header && Right(algorithm, header, http.Request)) return Results.Text("welcome");
            http.Response.Headers.WWWAuthenticate = algorithm == "old" ? "Digest realm=\"r \\\"1\\\"\", nonce=\"n1\""
                : $"Basic realm=\"x\", Digest realm=\"r \\\"1\\\"\", nonce=\"n1\", qop=\"auth, auth-int\", algorithm={algorithm}, opaque=\"o=,1\"";
            return Results.Unauthorized();
        });

        [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5351", Justification = "What is tested is what many servers ask for.")]
        private static bool Right(string algorithm, string header, HttpRequest request)
        {
            string Part(string name) => System.Text.RegularExpressions.Regex.Match(header, $"[ ,]{name}=(?:\"((?:[^\"\\\\]|\\\\.)*)\"|([^, ]+))") is { Success: true } m
                ? System.Text.RegularExpressions.Regex.Unescape(m.Groups[1].Success ? m.Groups[1].Value : m.Groups[2].Value) : "";
            string Hash(string text) => Convert.ToHexStringLower(algorithm.StartsWith("SHA", StringComparison.Ordinal) ? SHA256.HashData(Encoding.UTF8.GetBytes(text)) : MD5.HashData(Encoding.UTF8.GetBytes(text)));
            var target = request.Path.ToUriComponent() + request.QueryString.ToUriComponent();
            var first = Hash("ada:r \"1\":secret-4711");
            if (algorithm.EndsWith("-sess", StringComparison.Ordinal)) first = Hash($"{first}:n1:{Part("cnonce")}");
            var second = Hash($"{request.Method}:{target}");
            var wanted = algorithm == "old" ? Hash($"{first}:n1:{second}") : Hash($"{first}:n1:{Part("nc")}:{Part("cnonce")}:auth:{second}");
            return Part("response") == wanted && Part("uri") == target && Part("username") == "ada" && (algorithm == "old" || Part("opaque") == "o=,1");
        }
    }
}
