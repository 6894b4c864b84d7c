using Millrace.Connectors.Rpc;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Mcp;

/// <summary>How messages get to a server and back.</summary>
internal interface IMcpWire
{
    /// <summary>Sends a request and gives its response; what comes in meanwhile is given to <paramref name="other"/>, whose answer, if any, is sent.</summary>
    Task<Json> AskAsync(Json request, Func<Json, Json?> other, CancellationToken cancel);

    Task TellAsync(Json notification, CancellationToken cancel);

    /// <summary>From now on, what both have agreed on.</summary>
    void Agree(string protocolVersion);
}

/// <summary>One session: initialize, initialized, one request (MCP 2025-06-18, Lifecycle). Its client has no capabilities: it answers pings alone.</summary>
internal sealed class McpSession(IMcpWire wire, FunctionContext context)
{
    public const string VersionByDefault = "2025-06-18";

    private static readonly string[] Known = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

    public async Task<Json> RunAsync(McpAsk ask, CancellationToken cancel)
    {
        var hello = new JsonObject.Builder().Set("protocolVersion", ask.ProtocolVersion).Set("capabilities", Json.EmptyObject).Set("clientInfo", ask.Client).Build();
        var welcome = JsonRpc.ResultOf(await wire.AskAsync(JsonRpc.Request(1, "initialize", hello), Other, cancel), "initialize");
        var version = welcome["protocolVersion"].StringOrNull ?? "none";
        if (version != ask.ProtocolVersion && !Known.Contains(version, StringComparer.Ordinal))
            throw Refusal.Runtime("initialize failed", $"The server speaks version {JsonRpc.Shorten(version)} of MCP; asked for was {ask.ProtocolVersion}, known are {string.Join(", ", Known)}.");
        var capability = ask.Method[..ask.Method.IndexOf('/', StringComparison.Ordinal)];
        if (welcome["capabilities"].IsObject && !welcome["capabilities"].AsObject().Has(capability))
            throw Refusal.Runtime($"{ask.Method} failed", $"The server {NameOf(welcome)} has no {capability}.");
        wire.Agree(version);
        await wire.TellAsync(JsonRpc.Notification("notifications/initialized", Json.Null), cancel);
        return JsonRpc.ResultOf(await wire.AskAsync(JsonRpc.Request(2, ask.Method, ask.Parameters), Other, cancel), ask.Method);
    }

    private static string NameOf(Json welcome) => JsonRpc.Shorten(welcome["serverInfo"]["name"].StringOrNull ?? "without a name");

    private Json? Other(Json message)
    {
        var method = message["method"].StringOrNull;
        if (message["id"].IsNull)
        {
            if (method is "notifications/message" or "notifications/progress") context.Live(method["notifications/".Length..], message["params"]);
            return null;
        }
        if (method is null) return null;
        return method == "ping" ? JsonRpc.Reply(message["id"], Json.EmptyObject) : JsonRpc.Failure(message["id"], -32601, $"This client has no {JsonRpc.Shorten(method)}.");
    }
}
