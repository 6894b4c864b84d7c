using Millrace.Connectors.Http;
using Millrace.Connectors.Http.Authentication;
using Millrace.Connectors.Rpc;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.A2a;

/// <param name="Policy">That of the card's endpoint: the language has no other place for it.</param>
internal sealed record Agent(Uri Address, AuthenticationPolicy? Policy);

/// <summary>
/// Reads the cards of agents (A2A 0.3.0, 5.5; 1.0, 4.4.1). The authentication with which the card is read is that of the agent, as long as it lives at the same
/// origin; elsewhere it would be given to somebody it was not meant for.
/// </summary>
internal sealed class AgentCards(HttpSender sender, RpcSettings settings)
{
    private const int KeptMax = 64;
    private const int CardBytesMax = 1 << 20;

    private readonly KeptResources<Json> _kept = new(KeptMax, TimeSpan.FromMinutes(5));

    /// <exception cref="Refusal">The card cannot be read, is none, or its agent cannot be called so.</exception>
    public async Task<Agent> FindAsync(Arguments resource, Json? input, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        var (address, policy) = ExternalResource.Locate(resource, input, context, redaction, sender.ReadsFiles);
        var card = await _kept.FindAsync(address, policy, context, async () =>
        {
            var answer = await ExternalResource.FetchAsync(address, policy, sender, context, redaction, cancel);
            if (answer.Content.Length > Math.Min(CardBytesMax, settings.MessageBytesMax)) throw Invalid(address, redaction, $"it has more than {CardBytesMax} bytes");
            return JsonRpc.Parse(answer.Content.Span, redaction.Clean(address));
        });
        var url = UrlOf(card) ?? throw Invalid(address, redaction, "it names no address at which the agent speaks JSON-RPC");
        if (!Uri.TryCreate(address, url, out var agent) || agent.Scheme is not ("http" or "https") || agent.UserInfo.Length > 0)
            throw Invalid(address, redaction, "the address of its agent is no http or https URI");
        var same = agent.Scheme == address.Scheme && agent.Authority == address.Authority;
        if (Wants(card) is { } wanted && policy is null)
            throw Refusal.Configuration("Authentication missing", $"The agent of {redaction.Clean(address)} wants authentication ({wanted}); it belongs under agentCard.endpoint.authentication.");
        if (policy is not null && !same)
            throw Refusal.Configuration("Agent elsewhere",
                $"The card {redaction.Clean(address)} is of an agent at {redaction.Clean(agent)}, another origin, so the card's authentication is not sent there. Call it by 'server' with an authentication of its own.");
        return new Agent(agent, policy);
    }

    /// <summary>Of the card's own interface, or of another one that it lists (0.3.0: additionalInterfaces, transport; 1.0: supportedInterfaces, protocolBinding).</summary>
    private static string? UrlOf(Json card)
    {
        if ((card["preferredTransport"].StringOrNull ?? "JSONRPC") == "JSONRPC" && card["url"].StringOrNull is { } own) return own;
        foreach (var list in (Json[])[card["supportedInterfaces"], card["additionalInterfaces"]])
            foreach (var one in list.ArrayOrNull ?? JsonArray.Empty)
                if ((one["protocolBinding"].StringOrNull ?? one["transport"].StringOrNull) == "JSONRPC") return one["url"].StringOrNull;
        return null;
    }

    /// <summary>The schemes without one of which the agent cannot be called; null when it can.</summary>
    private static string? Wants(Json card)
    {
        var wanted = card["security"].ArrayOrNull;
        if (wanted is null || wanted.Count == 0 || wanted.Any(w => w.ObjectOrNull is { Count: 0 })) return null;
        return string.Join(", or ", wanted.Select(w => string.Join(" and ", (w.ObjectOrNull ?? JsonObject.Empty).Select(s => JsonRpc.Shorten(s.Key)))).Take(10));
    }

    private static Refusal Invalid(Uri address, Redaction redaction, string why) =>
        Refusal.Configuration("Agent card invalid", $"The agent card {redaction.Clean(address)} cannot be used: {why}.");
}
