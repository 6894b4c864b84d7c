using Millrace.Connectors.Http;
using Millrace.Engine.Functions;

namespace Millrace.Connectors.AsyncApi;

/// <summary>Publishes by a request; nothing can be subscribed to, since nobody would know where to send it.</summary>
internal sealed class HttpBroker(HttpPool pool) : Broker
{
    public override bool HasHeaders => true;

    public override async Task PublishAsync(BrokerPlace place, BrokerMessage message, Redaction redaction, Deadline deadline)
    {
        var call = new HttpCall
        {
            Method = HttpMethod.Parse(place.Operation["http"]["method"].StringOrNull ?? "POST"),
            Uri = new Uri($"{place.Server.AbsoluteUri.TrimEnd('/')}/{place.Address.TrimStart('/')}"),
            Headers = [.. message.Headers, new("Content-Type", message.ContentType), new("User-Agent", "Millrace"), new("Idempotency-Key", place.ClientId)],
            Certificate = place.Certificate,
            Body = message.Payload.ToArray(),
        };
        var answer = await pool.SendAsync(call, place.Credentials?.Authorization, redaction, deadline);
        if (!answer.IsSuccess)
            throw Refusal.Communication(answer.Status, redaction.Clean(answer.Reason), $"{call.Method} {redaction.Clean(call.Uri)} answered {answer.Status} {redaction.Clean(answer.Reason)}.");
    }

    public override IAsyncEnumerable<BrokerMessage> ConsumeAsync(BrokerPlace place, Redaction redaction, CancellationToken cancel) =>
        throw Refusal.Configuration("Protocol cannot subscribe", $"{place}: nothing can be subscribed to by http; let the sender post CloudEvents to this server, and listen for them.");
}
