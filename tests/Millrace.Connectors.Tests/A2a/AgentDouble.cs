using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Millrace.Jq;
using Millrace.Tests.Doubles;

namespace Millrace.Connectors.Tests.A2a;

/// <summary>An agent as A2A 0.3.0 describes it, small: it counts the words of a message, at once or as a task with a stream.</summary>
internal sealed class AgentDouble : ServiceDouble
{
    public const string Token = "agent-token-1";

    public Uri Card => new(Base, ".well-known/agent-card.json");

    public static async Task<AgentDouble> StartAsync()
    {
        var service = new AgentDouble();
        await service.RunAsync();
        return service;
    }

    protected override void Map(WebApplication app)
    {
        app.MapGet("/.well-known/agent-card.json", () => CardOf("/a2a/v1", "[]"));
        app.MapGet("/closed-card.json", () => CardOf("/closed", """[{"token": []}]"""));
        app.MapGet("/far-card.json", () => CardOf("http://127.0.0.1:9/", "[]"));
        app.MapGet("/new-card.json", () => Results.Text("""{"name": "n", "supportedInterfaces": [{"url": "/a2a/v1", "protocolBinding": "GRPC"}, {"url": "/a2a/v1", "protocolBinding": "JSONRPC"}]}""", "application/json"));
        app.MapGet("/none-card.json", () => Results.Text("""{"name": "n"}""", "application/json"));
        app.MapPost("/closed", (HttpContext http) => http.Request.Headers.Authorization == $"Bearer {Token}" ? AnswerAsync(http) : Refuse(http));
        app.MapPost("/a2a/v1", AnswerAsync);
    }

    private static Task Refuse(HttpContext http)
    {
        http.Response.StatusCode = 401;
        return Task.CompletedTask;
    }

    private static IResult CardOf(string url, string security) => Results.Text($$"""
        {"protocolVersion": "0.3.0", "name": "counter", "url": "{{url}}", "preferredTransport": "JSONRPC", "capabilities": {"streaming": true},
         "securitySchemes": {"token": {"type": "http", "scheme": "bearer"} }, "security": {{security}} }
        """, "application/json");

    private static async Task AnswerAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var request = JsonText.Parse(await reader.ReadToEndAsync());
        var (id, parameters) = (request["id"], request["params"]);
        switch (request["method"].AsString())
        {
            case "message/send":
                await SendAsync(http, Reply(id, Message(parameters["message"])));
                break;
            case "message/stream" when parameters["message"]["parts"][0]["text"].StringOrNull == "break off":
                await EventAsync(http, Reply(id, Status("submitted", false)));
                break;
            case "message/stream" or "tasks/resubscribe":
                if (request["method"].AsString() == "message/stream") await EventAsync(http, Reply(id, Json.Object([new("kind", "task"), new("id", "t1"), new("status", Json.Object("state", "submitted"))])));
                await EventAsync(http, Reply(id, Status("working", false)));
                await EventAsync(http, Reply(id, Status("completed", true)));
                break;
            case "tasks/get" when parameters["id"].StringOrNull == "t1":
                await SendAsync(http, Reply(id, Json.Object([new("kind", "task"), new("id", "t1"), new("status", Json.Object("state", "completed"))])));
                break;
            case "tasks/get":
                await SendAsync(http, Json.Object([new("jsonrpc", "2.0"), new("id", id), new("error", Json.Object("code", -32001, "message", "Task not found"))]));
                break;
            default:
                await SendAsync(http, Reply(id, Json.Object("echo", request)));
                break;
        }
    }

    private static Json Message(Json asked) => Json.Object([new("kind", "message"), new("role", "agent"), new("messageId", $"re-{asked["messageId"].AsString()}"),
        new("parts", Json.Array(Json.Object("kind", "text", "text", $"{asked["parts"][0]["text"].AsString().Split(' ').Length} words")))]);

    private static Json Status(string state, bool final) =>
        Json.Object([new("kind", "status-update"), new("taskId", "t1"), new("status", Json.Object("state", state)), new("final", final)]);

    private static Json Reply(Json id, Json result) => Json.Object([new("jsonrpc", "2.0"), new("id", id), new("result", result)]);

    private static Task SendAsync(HttpContext http, Json message)
    {
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(message.ToString());
    }

    private static async Task EventAsync(HttpContext http, Json message)
    {
        if (!http.Response.HasStarted) http.Response.ContentType = "text/event-stream";
        await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($": still here\ndata: {message}\n\n"));
        await http.Response.Body.FlushAsync();
    }
}
