using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Millrace.Tests.Crash;

/// <summary>The ways besides plain requests in which an effect is asked for outside: what an OpenAPI or AsyncAPI document describes, a tool of an MCP server, an A2A agent, a gRPC method, and whoever wants an OAuth 2 token.</summary>
/// <param name="record">Records an effect under a key, and says what the key stands for.</param>
internal sealed class ProtocolDoors(Func<string, string, string> record)
{
    /// <summary>Short: a token that is kept is asked for again and again, or refused where the clock of whoever keeps it went back.</summary>
    private const int TokenSeconds = 40;

    private readonly ConcurrentDictionary<string, DateTimeOffset> _tokens = new();

    public void Map(WebApplication app)
    {
        app.MapGet("/openapi.json", () => Results.Text("""
            {"openapi": "3.0.3", "info": {"title": "Effects", "version": "1"}, "servers": [{"url": "/effects"}],
             "paths": {"/{effect}": {"post": {"operationId": "record", "parameters": [{"name": "effect", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {"description": "Recorded"}}}}}}
            """, "application/json"));
        app.MapGet("/asyncapi.json", (HttpRequest request) => Results.Text($$$"""
            {"asyncapi": "3.0.0", "info": {"title": "Effects", "version": "1"}, "servers": {"web": {"host": "{{{request.Host}}}", "protocol": "http"} },
             "channels": {"told": {"address": "told"} }, "operations": {"tell": {"action": "receive", "channel": {"$ref": "#/channels/told"} } } }
            """, "application/json"));
        app.MapGet("/effects.proto", () => Results.Text("""
            syntax = "proto3";
            package chaos.v1;
            service Effects { rpc Record (Effect) returns (Effect); }
            message Effect { string name = 1; }
            """, "text/plain"));
        app.MapPost("/told", async (HttpRequest request) => Results.Text(record((await BodyAsync(request)).GetProperty("effect").GetString()!, KeyOf(request))));
        app.MapPost("/mcp", async (HttpRequest request) => Mcp(await BodyAsync(request), KeyOf(request)));
        app.MapPost("/a2a", async (HttpRequest request) => A2a(await BodyAsync(request), KeyOf(request)));
        app.MapPost("/chaos.v1.Effects/Record", RpcAsync);
        app.MapPost("/oauth2/token", Token);
        app.MapPost("/guarded/{effect}", (string effect, HttpRequest request) =>
            _tokens.TryGetValue(request.Headers.Authorization.ToString(), out var until) && until > DateTimeOffset.UtcNow ? Results.Text(record(effect, KeyOf(request))) : Results.Unauthorized());
    }

    private IResult Token()
    {
        var token = Guid.NewGuid().ToString("N");
        // A little longer than it says: whoever was halted with it in the hand is served.
        _tokens[$"Bearer {token}"] = DateTimeOffset.UtcNow.AddSeconds(1.5 * TokenSeconds);
        return Results.Json(new { access_token = token, token_type = "Bearer", expires_in = TokenSeconds });
    }

    private IResult Mcp(JsonElement message, string key) => message.GetProperty("method").GetString() switch
    {
        "initialize" => Reply(message, new { protocolVersion = message.GetProperty("params").GetProperty("protocolVersion").GetString(), capabilities = new { tools = new { } }, serverInfo = new { name = "effects", version = "1" } }),
        "tools/call" => Reply(message, new { content = new[] { new { type = "text", text = record(message.GetProperty("params").GetProperty("arguments").GetProperty("effect").GetString()!, key) } } }),
        _ => Results.Accepted(),
    };

    private IResult A2a(JsonElement message, string key)
    {
        var said = message.GetProperty("params").GetProperty("message").GetProperty("parts")[0].GetProperty("text").GetString()!;
        return Reply(message, new { kind = "message", messageId = key, role = "agent", parts = new[] { new { kind = "text", text = record(said, key) } } });
    }

    /// <summary>One message of one text, and back (gRPC over HTTP/2: five bytes before each message, the status behind the body).</summary>
    private async Task RpcAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        // The prefix, the field's tag, its length in one byte, and the text.
        var message = body.ToArray()[5..];
        record(Encoding.UTF8.GetString(message, 2, message[1]), http.Request.Headers["idempotency-key"].ToString());
        http.Response.ContentType = "application/grpc";
        await http.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, (byte)message.Length }.Concat(message).ToArray());
        http.Response.AppendTrailer("grpc-status", "0");
    }

    private static IResult Reply(JsonElement request, object result) => Results.Json(new { jsonrpc = "2.0", id = request.GetProperty("id"), result });

    private static string KeyOf(HttpRequest request) => request.Headers["Idempotency-Key"].ToString();

    private static async Task<JsonElement> BodyAsync(HttpRequest request) => (await JsonDocument.ParseAsync(request.Body)).RootElement;
}
