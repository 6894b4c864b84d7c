using System.Buffers;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Millrace.Connectors.Http;
using Millrace.Connectors.Tls;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Millrace.Connectors.AsyncApi;

/// <summary>
/// MQTT 3.1.1 and, as <c>mqtt5</c>, 5.0, at least once (QoS 1). A subscription has a session of its own that outlives a crash for a day: what comes meanwhile waits
/// at the broker. It ends with the subscription.
/// </summary>
internal sealed class MqttBroker(AsyncApiSettings settings, Trust trust, MqttProtocolVersion version) : Broker
{
    public override bool HasHeaders => version == MqttProtocolVersion.V500;

    public override async Task PublishAsync(BrokerPlace place, BrokerMessage message, Redaction redaction, Deadline deadline)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        try
        {
            await client.ConnectAsync(OptionsOf(place, subscribes: false), deadline.Token);
            var built = new MqttApplicationMessageBuilder().WithTopic(place.Address).WithPayload(message.Payload.ToArray()).WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce);
            if (HasHeaders)
            {
                built.WithContentType(message.ContentType);
                foreach (var (name, value) in message.Headers) built.WithUserProperty(name, System.Text.Encoding.UTF8.GetBytes(value));
            }
            var answer = await client.PublishAsync(built.Build(), deadline.Token);
            if (!answer.IsSuccess) throw Refusal.Communication(502, "Message refused", $"{place}: {answer.ReasonCode}");
            await client.DisconnectAsync(cancellationToken: deadline.Token);
        }
        catch (MqttCommunicationException e)
        {
            throw Lost(place, e, redaction);
        }
    }

    public override async IAsyncEnumerable<BrokerMessage> ConsumeAsync(BrokerPlace place, Redaction redaction, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        var came = Channel.CreateBounded<BrokerMessage>(settings.WaitingMax);
        client.ApplicationMessageReceivedAsync += async e =>
        {
            e.AutoAcknowledge = false;
            var headers = e.ApplicationMessage.UserProperties?.Select(p => KeyValuePair.Create(p.Name, System.Text.Encoding.UTF8.GetString(p.ValueBuffer.Span))).ToList() ?? [];
            await came.Writer.WriteAsync(new BrokerMessage(e.ApplicationMessage.Payload.ToArray(), e.ApplicationMessage.ContentType ?? "", headers) { Acknowledge = e.AcknowledgeAsync }, cancel);
        };
        client.DisconnectedAsync += e =>
        {
            came.Writer.TryComplete(e.Exception is { } why ? Lost(place, why, redaction) : Ended(place));
            return Task.CompletedTask;
        };
        try
        {
            await client.ConnectAsync(OptionsOf(place, subscribes: true), cancel);
            var answer = await client.SubscribeAsync(place.Address, MqttQualityOfServiceLevel.AtLeastOnce, cancel);
            if (answer.Items.FirstOrDefault(i => i.ResultCode > MqttClientSubscribeResultCode.GrantedQoS2) is { } no)
                throw Refusal.Communication(403, "Subscription refused", $"{place}: {no.ResultCode}");
        }
        catch (MqttCommunicationException e)
        {
            throw Lost(place, e, redaction);
        }
        try
        {
            await foreach (var message in came.Reader.ReadAllAsync(cancel))
            {
                if (message.Payload.Length > settings.MessageBytesMax) throw TooLarge(place, settings.MessageBytesMax);
                yield return message;
            }
        }
        finally
        {
            await LeaveAsync(client, place);
        }
    }

    /// <summary>A subscription that has ended takes its session along; one that was cut off, by a crash or a draining worker, keeps it for who goes on.</summary>
    private static async Task LeaveAsync(IMqttClient client, BrokerPlace place)
    {
        if (place.CutOff.IsCancellationRequested || !client.IsConnected) return;
        using var limit = new CancellationTokenSource(LeaveLimit);
        try
        {
            await client.UnsubscribeAsync(place.Address, limit.Token);
            await client.DisconnectAsync(MqttClientDisconnectOptionsReason.NormalDisconnection, sessionExpiryInterval: 0, cancellationToken: limit.Token);
        }
        catch (Exception e) when (e is MqttCommunicationException or OperationCanceledException)
        {
            // The broker forgets the session after its time.
        }
    }

    private MqttClientOptions OptionsOf(BrokerPlace place, bool subscribes)
    {
        var options = new MqttClientOptionsBuilder().WithProtocolVersion(version).WithTcpServer(place.Server.Host, place.PortOr(1883, 8883))
            .WithClientId($"millrace-{place.ClientId}{(subscribes ? "" : "-p")}").WithTimeout(settings.TimeLimit);
        if (place.IsSecure) options.WithTlsOptions(o => Secure(o.UseTls(), place.Certificate));
        if (place.Pair is { } pair) options.WithCredentials(pair.Username, pair.Password);
        if (!subscribes) return options.WithCleanSession().Build();
        options.WithCleanSession(false);
        if (version == MqttProtocolVersion.V500) options.WithSessionExpiryInterval(SessionSeconds).WithMaximumPacketSize((uint)settings.MessageBytesMax + 4096).WithReceiveMaximum((ushort)settings.WaitingMax);
        return options.Build();
    }

    private void Secure(MqttClientTlsOptionsBuilder tls, ClientCertificate? certificate)
    {
        if (trust.Callback is { } trusts) tls.WithCertificateValidationHandler(e => trusts(this, e.Certificate, e.Chain, e.SslPolicyErrors));
        if (certificate is not null) tls.WithClientCertificates([certificate.Own]);
    }
}
