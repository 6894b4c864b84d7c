using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Millrace.Connectors.Http;
using Millrace.Connectors.Tls;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Waiting = System.Threading.Channels.Channel;

namespace Millrace.Connectors.AsyncApi;

/// <summary>
/// AMQP 0-9-1. The channel's binding says where messages go: <c>is: queue</c>, or an <c>exchange</c> with the address as the routing key; without a binding the address is a queue's
/// name. Exchanges and queues of the document have to be there. What comes to an exchange waits in a queue of the subscription's own, which outlives a crash for a day and
/// ends with the subscription.
/// </summary>
internal sealed class AmqpBroker(AsyncApiSettings settings, Trust trust) : Broker
{
    public override bool HasHeaders => true;

    public override async Task PublishAsync(BrokerPlace place, BrokerMessage message, Redaction redaction, Deadline deadline)
    {
        var route = Route.Of(place);
        try
        {
            await using var connection = await OpenAsync(place, deadline.Token);
            await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), deadline.Token);
            var properties = new BasicProperties
            {
                ContentType = message.ContentType,
                MessageId = place.ClientId,
                DeliveryMode = place.Operation["amqp"]["deliveryMode"] is { IsNumber: true } mode && mode.AsNumber() == 1 ? DeliveryModes.Transient : DeliveryModes.Persistent,
                Headers = message.Headers.GroupBy(h => h.Key, h => h.Value).ToDictionary(h => h.Key, h => (object?)h.Last()),
            };
            // Nobody need listen to an exchange; a queue has to be there.
            await channel.BasicPublishAsync(route.Exchange, route.Key, mandatory: route.IsQueue, properties, message.Payload, deadline.Token);
        }
        catch (Exception e) when (IsBrokers(e))
        {
            throw Failure(place, e, redaction);
        }
    }

    public override async IAsyncEnumerable<BrokerMessage> ConsumeAsync(BrokerPlace place, Redaction redaction, [EnumeratorCancellation] CancellationToken cancel)
    {
        var route = Route.Of(place);
        var came = Waiting.CreateUnbounded<BrokerMessage>();
        await using var held = await SubscribeAsync(place, route, came.Writer, redaction, cancel);
        try
        {
            await foreach (var message in came.Reader.ReadAllAsync(cancel)) yield return message;
        }
        finally
        {
            if (!place.CutOff.IsCancellationRequested && !route.IsQueue) await LeaveAsync(held.Channel, QueueOf(place));
        }
    }

    private async Task<Held> SubscribeAsync(BrokerPlace place, Route route, ChannelWriter<BrokerMessage> came, Redaction redaction, CancellationToken cancel)
    {
        IConnection? connection = null;
        try
        {
            connection = await OpenAsync(place, cancel);
            var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
            var queue = route.IsQueue ? route.Key : QueueOf(place);
            if (!route.IsQueue)
            {
                await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-expires"] = SessionSeconds * 1000 }, cancellationToken: cancel);
                await channel.QueueBindAsync(queue, route.Exchange, route.Key, cancellationToken: cancel);
            }
            // No more is sent than may wait here.
            await channel.BasicQosAsync(0, (ushort)Math.Min(settings.WaitingMax, ushort.MaxValue), global: false, cancel);
            var consumer = new AsyncEventingBasicConsumer(channel);
            consumer.ReceivedAsync += (_, e) =>
            {
                came.TryWrite(MessageOf(e, channel));
                return Task.CompletedTask;
            };
            consumer.UnregisteredAsync += (_, _) => Complete(came, Ended(place));
            channel.ChannelShutdownAsync += (_, e) => Complete(came, Lost(place, new IOException(e.ReplyText), redaction));
            await channel.BasicConsumeAsync(queue, autoAck: false, consumer, cancel);
            return new Held(connection, channel);
        }
        catch (Exception e)
        {
            if (connection is not null) await connection.DisposeAsync();
            throw IsBrokers(e) ? Failure(place, e, redaction) : e;
        }
    }

    private static BrokerMessage MessageOf(BasicDeliverEventArgs e, IChannel channel)
    {
        var headers = (e.BasicProperties.Headers ?? new Dictionary<string, object?>())
            .Select(h => KeyValuePair.Create(h.Key, h.Value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : Convert.ToString(h.Value, System.Globalization.CultureInfo.InvariantCulture) ?? "")).ToList();
        return new BrokerMessage(e.Body.ToArray(), e.BasicProperties.ContentType ?? "", headers) { Acknowledge = cancel => channel.BasicAckAsync(e.DeliveryTag, false, cancel).AsTask() };
    }

    private async Task<IConnection> OpenAsync(BrokerPlace place, CancellationToken cancel)
    {
        var path = Uri.UnescapeDataString(place.Server.AbsolutePath.TrimStart('/'));
        var binding = place.Channel["amqp"];
        var factory = new ConnectionFactory
        {
            HostName = place.Server.Host,
            Port = place.PortOr(5672, 5671),
            VirtualHost = path.Length > 0 ? path : binding["queue"]["vhost"].StringOrNull ?? binding["exchange"]["vhost"].StringOrNull ?? "/",
            ClientProvidedName = $"millrace-{place.ClientId}",
            RequestedConnectionTimeout = settings.TimeLimit,
            MaxInboundMessageBodySize = (uint)settings.MessageBytesMax,
            // A connection that comes back has a new channel, on which nothing that came before can be acknowledged.
            AutomaticRecoveryEnabled = false,
        };
        if (place.Pair is { } pair) (factory.UserName, factory.Password) = pair;
        if (place.IsSecure) factory.Ssl = new SslOption(place.Server.Host, enabled: true) { CertificateValidationCallback = trust.Callback };
        if (place is { IsSecure: true, Certificate: { } certificate })
        {
            factory.Ssl.Certs = [certificate.Own];
            factory.AuthMechanisms = [new ExternalMechanismFactory()];
        }
        return await factory.CreateConnectionAsync(cancel);
    }

    private static async Task LeaveAsync(IChannel channel, string queue)
    {
        using var limit = new CancellationTokenSource(LeaveLimit);
        try
        {
            await channel.QueueDeleteAsync(queue, false, false, cancellationToken: limit.Token);
        }
        catch (Exception e) when (IsBrokers(e) || e is OperationCanceledException)
        {
            // The broker drops the queue after its time.
        }
    }

    private static Task Complete(ChannelWriter<BrokerMessage> came, Refusal why)
    {
        came.TryComplete(why);
        return Task.CompletedTask;
    }

    private static string QueueOf(BrokerPlace place) => $"millrace-{place.ClientId}";

    private static bool IsBrokers(Exception e) => e is RabbitMQClientException or IOException or System.Net.Sockets.SocketException or ObjectDisposedException;

    private static Refusal Failure(BrokerPlace place, Exception e, Redaction redaction)
    {
        for (var why = e; why is not null; why = why.InnerException)
        {
            switch (why)
            {
                case AuthenticationFailureException or PossibleAuthenticationFailureException:
                    return Refusal.Communication(401, "Credentials refused", $"{redaction.Clean(place.ToString())}: the broker takes these credentials for nobody's.");
                case PublishException { IsReturn: true }:
                    return Refusal.Communication(404, "Queue not found", $"{redaction.Clean(place.ToString())}: there is no such queue.");
                case OperationInterruptedException { ShutdownReason: { ReplyCode: >= 400 and < 600 } reason }:
                    return Refusal.Communication(reason.ReplyCode, "Broker refused", $"{redaction.Clean(place.ToString())}: {redaction.Clean(reason.ReplyText)}");
            }
        }
        return Lost(place, e.InnerException ?? e, redaction);
    }

    /// <summary>Closes what a subscription holds.</summary>
    private sealed record Held(IConnection Connection, IChannel Channel) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Channel.DisposeAsync();
            await Connection.DisposeAsync();
        }
    }

    /// <param name="Exchange">Empty: the one that every queue is bound to by its name.</param>
    /// <param name="Key">The routing key, or the queue's name.</param>
    private readonly record struct Route(string Exchange, string Key)
    {
        public bool IsQueue => Exchange.Length == 0;

        public static Route Of(BrokerPlace place)
        {
            var binding = place.Channel["amqp"];
            var exchange = binding["is"].StringOrNull == "queue" ? "" : binding["exchange"]["name"].StringOrNull ?? "";
            return exchange.Length > 0 ? new(exchange, place.Address) : new("", binding["queue"]["name"].StringOrNull ?? place.Address);
        }
    }
}
