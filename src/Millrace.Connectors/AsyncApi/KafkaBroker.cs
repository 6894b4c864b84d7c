using System.Runtime.CompilerServices;
using System.Text;
using Confluent.Kafka;
using Millrace.Connectors.Http;
using Millrace.Connectors.Tls;

namespace Millrace.Connectors.AsyncApi;

/// <summary>
/// Kafka, acknowledged by all replicas. A subscription reads every partition of the topic from where it began on; how far it has come is kept under a group of its own, so
/// that an attempt after a crash goes on there. The channel's binding may name another <c>topic</c>, the operation's a <c>groupId</c>, whose place counts then.
/// </summary>
internal sealed class KafkaBroker(AsyncApiSettings settings, Trust trust) : Broker
{
    private const string ContentType = "content-type";

    public override bool HasHeaders => true;

    public override async Task PublishAsync(BrokerPlace place, BrokerMessage message, Redaction redaction, Deadline deadline)
    {
        var failed = new TaskCompletionSource<Error>(TaskCreationOptions.RunContinuationsAsynchronously);
        var config = Of(place, new ProducerConfig { Acks = Acks.All, LingerMs = 0, MessageTimeoutMs = (int)settings.TimeLimit.TotalMilliseconds, MessageMaxBytes = settings.MessageBytesMax + 4096 });
        using var producer = new ProducerBuilder<Null, byte[]>(config).SetErrorHandler((_, e) => Note(failed, e)).SetLogHandler(static (_, _) => { }).Build();
        var headers = new Headers { { ContentType, Encoding.UTF8.GetBytes(message.ContentType) } };
        foreach (var (name, value) in message.Headers) headers.Add(name, Encoding.UTF8.GetBytes(value));
        try
        {
            var produced = producer.ProduceAsync(TopicOf(place), new Message<Null, byte[]> { Value = message.Payload.ToArray(), Headers = headers }, deadline.Token);
            if (await Task.WhenAny(produced, failed.Task) == failed.Task) throw Refused(place, await failed.Task, redaction);
            await produced;
        }
        catch (KafkaException e)
        {
            throw Refused(place, e.Error, redaction);
        }
    }

    public override async IAsyncEnumerable<BrokerMessage> ConsumeAsync(BrokerPlace place, Redaction redaction, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var failing = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var failed = new TaskCompletionSource<Error>(TaskCreationOptions.RunContinuationsAsynchronously);
        var config = Of(place, new ConsumerConfig
        {
            GroupId = place.Operation["kafka"]["groupId"].StringOrNull ?? $"millrace-{place.ClientId}",
            EnableAutoCommit = false,
            AllowAutoCreateTopics = true,
            QueuedMinMessages = settings.WaitingMax,
            FetchMaxBytes = Math.Max(settings.MessageBytesMax, 1 << 20),
        });
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(config).SetErrorHandler((_, e) =>
        {
            Note(failed, e);
            if (failed.Task.IsCompleted) failing.Cancel();
        }).SetLogHandler(static (_, _) => { }).Build();
        await OnThreadAsync(place, redaction, failed, () => Begin(consumer, place), failing.Token);
        while (true)
        {
            var read = await OnThreadAsync(place, redaction, failed, () => consumer.Consume(failing.Token), failing.Token);
            if (read.Message is not { } message) continue;
            if (message.Value?.Length > settings.MessageBytesMax) throw TooLarge(place, settings.MessageBytesMax);
            var headers = (message.Headers ?? []).Select(h => KeyValuePair.Create(h.Key, Encoding.UTF8.GetString(h.GetValueBytes() ?? []))).ToList();
            yield return new BrokerMessage(message.Value ?? [], headers.Find(h => h.Key == ContentType).Value ?? "", headers.FindAll(h => h.Key != ContentType))
            {
                Acknowledge = stop => OnThreadAsync(place, redaction, failed, () => Commit(consumer, read), stop),
            };
        }
    }

    /// <summary>Every partition from where the group has come to; from its end where it has not begun, which is kept at once.</summary>
    private bool Begin(IConsumer<Ignore, byte[]> consumer, BrokerPlace place)
    {
        var name = TopicOf(place);
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var topic = admin.GetMetadata(name, settings.TimeLimit).Topics.Single(t => t.Topic == name);
        if (topic.Error.IsError) throw new KafkaException(topic.Error);
        var known = consumer.Committed(topic.Partitions.Select(p => new TopicPartition(name, p.PartitionId)), settings.TimeLimit);
        var starts = known.Select(k => k.Offset.IsSpecial ? new TopicPartitionOffset(k.TopicPartition, consumer.QueryWatermarkOffsets(k.TopicPartition, settings.TimeLimit).High) : k).ToList();
        if (known.Exists(k => k.Offset.IsSpecial)) consumer.Commit(starts);
        consumer.Assign(starts);
        return true;
    }

    private static bool Commit(IConsumer<Ignore, byte[]> consumer, ConsumeResult<Ignore, byte[]> read)
    {
        consumer.Commit(read);
        return true;
    }

    /// <summary>The library waits on the thread that calls it; while it does, it has one of its own.</summary>
    private static async Task<T> OnThreadAsync<T>(BrokerPlace place, Redaction redaction, TaskCompletionSource<Error> failed, Func<T> work, CancellationToken cancel)
    {
        try
        {
            return await Task.Factory.StartNew(work, cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        catch (KafkaException e)
        {
            throw Refused(place, e.Error, redaction);
        }
        catch (OperationCanceledException) when (failed.Task.IsCompletedSuccessfully)
        {
            throw Refused(place, await failed.Task, redaction);
        }
    }

    private T Of<T>(BrokerPlace place, T config) where T : ClientConfig
    {
        config.BootstrapServers = $"{place.Server.Host}:{place.PortOr(9092, 9093)}";
        config.ClientId = $"millrace-{place.ClientId}";
        config.SocketTimeoutMs = (int)settings.TimeLimit.TotalMilliseconds;
        var pair = place.Pair;
        config.SecurityProtocol = (place.IsSecure, pair) switch
        {
            (true, null) => SecurityProtocol.Ssl,
            (true, _) => SecurityProtocol.SaslSsl,
            (false, null) => SecurityProtocol.Plaintext,
            _ => SecurityProtocol.SaslPlaintext,
        };
        if (pair is { } credentials) (config.SaslMechanism, config.SaslUsername, config.SaslPassword) = (SaslMechanism.Plain, credentials.Username, credentials.Password);
        if (!place.IsSecure) return config;
        if (trust.ToPem() is { } authorities) config.SslCaPem = authorities;
        if (place.Certificate is { } own) (config.SslCertificatePem, config.SslKeyPem, config.SslKeyPassword) = (own.Pem, own.Key, own.Passphrase);
        return config;
    }

    private static string TopicOf(BrokerPlace place) => place.Channel["kafka"]["topic"].StringOrNull ?? place.Address;

    /// <summary>The library tries again by itself; of these nothing would come.</summary>
    private static void Note(TaskCompletionSource<Error> failed, Error error)
    {
        if (error.IsFatal || error.Code is ErrorCode.Local_AllBrokersDown or ErrorCode.Local_Authentication or ErrorCode.SaslAuthenticationFailed or ErrorCode.Local_Ssl) failed.TrySetResult(error);
    }

    private static Refusal Refused(BrokerPlace place, Error error, Redaction redaction)
    {
        var what = $"{redaction.Clean(place.ToString())}: {redaction.Clean(error.Reason)}";
        return error.Code switch
        {
            ErrorCode.Local_Authentication or ErrorCode.SaslAuthenticationFailed => Refusal.Communication(401, "Credentials refused", what),
            ErrorCode.TopicAuthorizationFailed or ErrorCode.GroupAuthorizationFailed => Refusal.Communication(403, "Access refused", what),
            ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic or ErrorCode.Local_UnknownPartition => Refusal.Communication(404, "Topic not found", what),
            ErrorCode.MsgSizeTooLarge => Refusal.Communication(413, "Message too large", what),
            _ => Refusal.Communication(503, "Connection failed", what),
        };
    }
}
