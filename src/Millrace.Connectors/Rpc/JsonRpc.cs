using Millrace.Jq;

namespace Millrace.Connectors.Rpc;

/// <summary>Messages of JSON-RPC 2.0.</summary>
internal static class JsonRpc
{
    private const int DetailCharsMax = 2000;

    public static Json Request(Json id, string method, Json parameters)
    {
        var request = new JsonObject.Builder().Set("jsonrpc", "2.0").Set("id", id).Set("method", method);
        if (!parameters.IsNull) request.Set("params", parameters);
        return request.Build();
    }

    public static Json Notification(string method, Json parameters)
    {
        var notification = new JsonObject.Builder().Set("jsonrpc", "2.0").Set("method", method);
        if (!parameters.IsNull) notification.Set("params", parameters);
        return notification.Build();
    }

    public static Json Reply(Json id, Json result) => new JsonObject.Builder().Set("jsonrpc", "2.0").Set("id", id).Set("result", result).Build();

    public static Json Failure(Json id, int code, string message) =>
        new JsonObject.Builder().Set("jsonrpc", "2.0").Set("id", id).Set("error", Json.Object("code", code, "message", message)).Build();

    /// <summary>The result of a response.</summary>
    /// <exception cref="Refusal">A runtime error (dsl-reference.md, MCP Call and A2A Call), or a communication error for what is no response.</exception>
    public static Json ResultOf(Json response, string what)
    {
        var error = response["error"];
        if (error.IsObject)
        {
            var said = error["message"].StringOrNull is { Length: > 0 } message ? message : "no message";
            var data = error["data"].IsNull ? "" : $" {error["data"]}";
            throw Refusal.Runtime($"{what} failed", Shorten($"{said} (code {error["code"]}){data}"));
        }
        return response.AsObject().TryGet("result", out var result) ? result
            : throw Refusal.Communication(502, "Response invalid", $"The answer to {what} has neither a result nor an error.");
    }

    /// <exception cref="Refusal">The text is no JSON object.</exception>
    public static Json Parse(ReadOnlySpan<byte> text, string whose)
    {
        try
        {
            var message = JsonText.Parse(text);
            return message.IsObject ? message : throw Refusal.Communication(502, "Response invalid", $"{whose} answered with JSON that is no object.");
        }
        catch (JsonTextException e)
        {
            throw Refusal.Communication(502, "Response invalid", $"{whose} answered with what is no JSON, at line {e.Line}, column {e.Column}.");
        }
    }

    public static string Shorten(string text) => text.Length <= DetailCharsMax ? text : $"{text[..DetailCharsMax]}…";
}
