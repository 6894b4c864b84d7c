using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Primitives;
using Millrace.Connectors.Http;
using Millrace.Connectors.Tls;
using NATS.Client.Core;

namespace Millrace.Connectors.AsyncApi;

/// <summary>
/// NATS without JetStream: who is not connected gets nothing. A server that asks for TLS gets it; the scheme <c>tls</c> insists on it. The operation's binding may name a <c>queue</c>,
/// whose members share what comes.
/// </summary>
internal sealed class NatsBroker(AsyncApiSettings settings, Trust trust) : Broker
{
    private const string ContentType = "Content-Type";

    public override bool HasHeaders => true;

    public override async Task PublishAsync(BrokerPlace place, BrokerMessage message, Redaction redaction, Deadline deadline)
    {
        await using var connection = Connection(place);
        try
        {
            await connection.ConnectAsync().AsTask().WaitAsync(deadline.Token);
            var headers = new NatsHeaders { [ContentType] = message.ContentType };
            foreach (var group in message.Headers.GroupBy(h => h.Key, h => h.Value)) headers[group.Key] = new StringValues([.. group]);
            await connection.PublishAsync(place.Address, message.Payload.ToArray(), headers, cancellationToken: deadline.Token);
            // What was sent before it has been read when it is answered.
            await connection.PingAsync(deadline.Token);
        }
        catch (NatsException e)
        {
            throw Refused(place, e, redaction);
        }
    }

    public override async IAsyncEnumerable<BrokerMessage> ConsumeAsync(BrokerPlace place, Redaction redaction, [EnumeratorCancellation] CancellationToken cancel)
    {
        // It outlives the connection, whose end is told as well.
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using var connection = Connection(place);
        await using var subscription = await SubscribeAsync(connection, place, redaction, lost, cancel);
        while (await NextAsync(subscription.Msgs, place, lost, cancel) is { } message)
        {
            var payload = message.Data ?? [];
            if (payload.Length > settings.MessageBytesMax) throw TooLarge(place, settings.MessageBytesMax);
            var headers = (message.Headers ?? []).Select(h => KeyValuePair.Create(h.Key, h.Value.ToString())).ToList();
            yield return new BrokerMessage(payload, headers.Find(h => h.Key == ContentType).Value ?? "", headers.FindAll(h => h.Key != ContentType));
        }
        throw Ended(place);
    }

    private static async Task<INatsSub<byte[]>> SubscribeAsync(NatsConnection connection, BrokerPlace place, Redaction redaction, CancellationTokenSource lost, CancellationToken cancel)
    {
        try
        {
            await connection.ConnectAsync().AsTask().WaitAsync(cancel);
            var subscription = await connection.SubscribeCoreAsync<byte[]>(place.Address, place.Operation["nats"]["queue"].StringOrNull, cancellationToken: cancel);
            await connection.PingAsync(cancel);
            // What is published while nobody is connected never comes, so a connection that comes back would hide a gap.
            connection.ConnectionDisconnected += async (_, _) => await lost.CancelAsync();
            return subscription;
        }
        catch (NatsException e)
        {
            throw Refused(place, e, redaction);
        }
    }

    private static async Task<NatsMsg<byte[]>?> NextAsync(ChannelReader<NatsMsg<byte[]>> messages, BrokerPlace place, CancellationTokenSource lost, CancellationToken cancel)
    {
        try
        {
            return await messages.ReadAsync(lost.Token);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw Ended(place);
        }
    }

    private NatsConnection Connection(BrokerPlace place) => new(new NatsOpts
    {
        Url = $"{(place.IsSecure ? "tls" : "nats")}://{place.Server.Host}:{place.PortOr(4222, 4222)}",
        Name = $"millrace-{place.ClientId}",
        AuthOpts = place.Credentials is not { } credentials ? NatsAuthOpts.Default
            : credentials.Pair is { } pair ? new NatsAuthOpts { Username = pair.Username, Password = pair.Password } : new NatsAuthOpts { Token = credentials.Token },
        TlsOpts = new NatsTlsOpts
        {
            Mode = place.IsSecure ? TlsMode.Require : TlsMode.Prefer,
            ConfigureClientAuthentication = options =>
            {
                var wanted = trust.OptionsFor(place.Certificate);
                if (wanted.RemoteCertificateValidationCallback is not null) options.RemoteCertificateValidationCallback = wanted.RemoteCertificateValidationCallback;
                if (wanted.ClientCertificateContext is not null) options.ClientCertificateContext = wanted.ClientCertificateContext;
                return ValueTask.CompletedTask;
            },
        },
        HeaderEncoding = Encoding.UTF8,
        ConnectTimeout = settings.TimeLimit,
        MaxReconnectRetry = 0,
        // While what came is not looked at, no more is read.
        SubPendingChannelCapacity = settings.WaitingMax,
        SubPendingChannelFullMode = BoundedChannelFullMode.Wait,
    });

    private static Refusal Refused(BrokerPlace place, NatsException e, Redaction redaction)
    {
        for (Exception? why = e; why is not null; why = why.InnerException)
            if (why.Message.Contains("Authorization Violation", StringComparison.OrdinalIgnoreCase))
                return Refusal.Communication(401, "Credentials refused", $"{redaction.Clean(place.ToString())}: the server takes these credentials for nobody's.");
        return Lost(place, e.InnerException ?? e, redaction);
    }
}
