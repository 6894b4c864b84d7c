using Millrace.Connectors.Http;
using Millrace.Connectors.Http.Authentication;
using Millrace.Connectors.Rpc;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Mcp;

/// <param name="Headers">The author's own.</param>
internal sealed record McpPlace(Uri Address, AuthenticationPolicy? Policy, IReadOnlyList<KeyValuePair<string, string>> Headers);

/// <summary>A server behind one address: each message is a POST, answered by JSON or by a stream of events that is read on where it broke off (MCP, Transports, Streamable HTTP).</summary>
internal sealed class McpHttp(HttpSender sender, RpcSettings settings, McpPlace place, FunctionContext context, Redaction redaction, Deadline deadline) : IMcpWire
{
    private const int ResumesMax = 5;
    private static readonly TimeSpan GoodbyeLimit = TimeSpan.FromSeconds(5);

    private string? _session;
    private string? _version;

    public void Agree(string protocolVersion) => _version = protocolVersion;

    public async Task<Json> AskAsync(Json request, Func<Json, Json?> other, CancellationToken cancel)
    {
        string? last = null;
        for (var opened = 0; ; opened++)
        {
            using var exchange = await OpenAsync(opened == 0 ? Post(request) : Resume(last!));
            if (exchange.Header("Mcp-Session-Id") is { Length: > 0 } session) _session ??= session;
            if (exchange.Head.MediaType != "text/event-stream") return await JsonRpcHttp.WholeAsync(exchange, settings, redaction.Clean(place.Address), redaction, cancel);
            var (response, id) = await FromStreamAsync(exchange, request["id"], other, cancel);
            if (response is { } found) return found;
            last = id ?? last;
            if (last is null || opened >= ResumesMax)
                throw Refusal.Communication(502, "Response incomplete", $"{redaction.Clean(place.Address)} ended its stream before it answered {request["method"].StringOrNull}.");
        }
    }

    public async Task TellAsync(Json notification, CancellationToken cancel)
    {
        using var exchange = await OpenAsync(Post(notification));
    }

    /// <summary>Tells the server that the session is over, for what that is worth: it need not know this.</summary>
    public async Task LeaveAsync()
    {
        if (_session is null) return;
        using var limit = new Deadline(GoodbyeLimit, context.Time, CancellationToken.None);
        try
        {
            (await sender.OpenAsync(Call(HttpMethod.Delete), place.Policy, context, redaction, limit)).Dispose();
        }
        catch (Exception e) when (e is Refusal or OperationCanceledException)
        {
            // It may not let clients end sessions (405), or be gone; either way it ends by itself.
        }
    }

    private Task<HttpExchange> OpenAsync(HttpCall call) => sender.OpenAsync(call, place.Policy, context, redaction, deadline);

    private async Task<(Json? Response, string? LastId)> FromStreamAsync(HttpExchange exchange, Json id, Func<Json, Json?> other, CancellationToken cancel)
    {
        string? last = null;
        try
        {
            await foreach (var found in EventStream.ReadAsync(exchange.Body, settings, redaction.Clean(place.Address), cancel))
            {
                last = found.Id ?? last;
                // An event without data only names a place to go on from.
                if (found.Data.Length == 0) continue;
                var message = JsonRpcHttp.Parse(found, redaction.Clean(place.Address));
                if (message["method"].IsNull && message["id"] == id) return (message, last);
                if (other(message) is { } reply) await TellAsync(reply, cancel);
            }
        }
        catch (IOException) when (last is not null)
        {
            // Broken off; it is read on from there.
        }
        catch (IOException e)
        {
            throw HttpFailure.Of(e, exchange.Head.Request, redaction);
        }
        return (default(Json?), last);
    }

    private HttpCall Post(Json message)
    {
        var bytes = JsonText.ToUtf8(message);
        if (bytes.Length > settings.MessageBytesMax)
            throw Refusal.Configuration("Request too large", $"The request has {bytes.Length} bytes, the limit is {settings.MessageBytesMax}.");
        return Call(HttpMethod.Post).Without("Content-Type").With("Content-Type", HttpBody.Json) with { Body = bytes };
    }

    private HttpCall Resume(string last) => Call(HttpMethod.Get).With("Last-Event-ID", last);

    private HttpCall Call(HttpMethod method)
    {
        var call = new HttpCall { Method = method, Uri = place.Address, Headers = place.Headers };
        if (!call.HasHeader("User-Agent")) call = call.With("User-Agent", "Millrace");
        if (!call.HasHeader("Idempotency-Key")) call = call.With("Idempotency-Key", context.IdempotencyKey);
        call = call.Without("Accept").With("Accept", method == HttpMethod.Get ? "text/event-stream" : "application/json, text/event-stream");
        if (_version is not null) call = call.Without("MCP-Protocol-Version").With("MCP-Protocol-Version", _version);
        return _session is null ? call : call.Without("Mcp-Session-Id").With("Mcp-Session-Id", _session);
    }
}
