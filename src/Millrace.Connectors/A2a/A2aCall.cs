using Millrace.Connectors.Http;
using Millrace.Connectors.Rpc;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.A2a;

/// <summary>Requests to one agent.</summary>
internal sealed class A2aCall(HttpSender sender, RpcSettings settings, Agent agent, FunctionContext context, Redaction redaction, Deadline deadline)
{
    private string Whose => redaction.Clean(agent.Address);

    public async Task<Json> AskAsync(Json request, CancellationToken cancel)
    {
        using var exchange = await OpenAsync(request, "application/json");
        return await JsonRpcHttp.WholeAsync(exchange, settings, Whose, redaction, cancel);
    }

    /// <returns>False when the stream broke off before it was at its end.</returns>
    public async Task<bool> StreamAsync(Json request, Action<Json> take, CancellationToken cancel)
    {
        using var exchange = await OpenAsync(request, "text/event-stream, application/json");
        if (exchange.Head.MediaType != "text/event-stream")
        {
            take(await JsonRpcHttp.WholeAsync(exchange, settings, Whose, redaction, cancel));
            return true;
        }
        var open = true;
        try
        {
            await foreach (var found in EventStream.ReadAsync(exchange.Body, settings, Whose, cancel))
            {
                if (found.Data.Length == 0) continue;
                var response = JsonRpcHttp.Parse(found, Whose);
                take(response);
                if (IsLast(response["result"])) return true;
                open = IsOpen(response["result"]);
            }
            return !open;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public Refusal Broken(string method) => Refusal.Communication(502, "Response incomplete", $"{Whose} ended its stream before {method} was finished.");

    /// <summary>A status that says so, or a message instead of a task (A2A 0.3.0, 7.2).</summary>
    private static bool IsLast(Json result) => result["final"] is { IsBoolean: true } final && final.AsBoolean() || result["kind"].StringOrNull == "message";

    /// <summary>What more has to follow: a task that goes on, or a piece of it.</summary>
    private static bool IsOpen(Json result) => result["kind"].StringOrNull switch
    {
        "status-update" or "artifact-update" => true,
        "task" => result["status"]["state"].StringOrNull is "submitted" or "working",
        _ => false,
    };

    private Task<HttpExchange> OpenAsync(Json request, string accept)
    {
        var bytes = JsonText.ToUtf8(request);
        if (bytes.Length > settings.MessageBytesMax)
            throw Refusal.Configuration("Request too large", $"The request has {bytes.Length} bytes, the limit is {settings.MessageBytesMax}.");
        var call = new HttpCall
        {
            Method = HttpMethod.Post,
            Uri = agent.Address,
            Headers = [new("Content-Type", HttpBody.Json), new("Accept", accept), new("User-Agent", "Millrace"), new("Idempotency-Key", context.IdempotencyKey)],
            Body = bytes,
        };
        return sender.OpenAsync(call, agent.Policy, context, redaction, deadline);
    }
}
