using System.Collections;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Text;
using System.Threading.Channels;
using Amqp;
using Amqp.Framing;
using Amqp.Sasl;
using Amqp.Types;
using Millrace.Connectors.Http;
using Millrace.Connectors.Tls;
using Millrace.Jq;

namespace Millrace.Connectors.AsyncApi;

/// <summary>
/// AMQP 1.0 (ISO/IEC 19464). The channel's address is a node's, written as the broker names its own: a queue, a topic, an exchange with a key. A message is asked for when it is
/// wanted (a credit of one), so that none is held back from others. What a queue has not seen accepted stays there; of a topic the broker keeps what comes for a link that was
/// cut off, known by container and name, for a day, if it keeps anything. A link that ends takes that along.
/// </summary>
internal sealed class Amqp1Broker(AsyncApiSettings settings, Trust trust) : Broker
{
    /// <summary>That a terminus is kept, not what was settled on it (1.0, 3.5.5).</summary>
    private const uint Configuration = 1;

    /// <summary>What headers and properties may add to a payload.</summary>
    private const ulong OverheadBytesMax = 64 << 10;

    public override bool HasHeaders => true;

    public override async Task PublishAsync(BrokerPlace place, BrokerMessage message, Redaction redaction, Deadline deadline)
    {
        var sent = new Message
        {
            Header = new Header { Durable = true },
            Properties = new Properties { MessageId = place.ClientId, ContentType = message.ContentType },
            ApplicationProperties = new ApplicationProperties(),
            BodySection = new Data { Binary = message.Payload.ToArray() },
        };
        foreach (var (name, value) in message.Headers) sent.ApplicationProperties[name] = value;
        try
        {
            await using var line = await OpenAsync($"millrace-{place.ClientId}-p", place, redaction, deadline.Token);
            var sender = new SenderLink(line.Session, $"millrace-{place.ClientId}", new Attach { Source = new Source(), Target = new Target { Address = place.Address, Durable = Configuration } }, line.OnAttached);
            await line.AttachAsync(sender, deadline.Token);
            await line.UnlessEndedAsync(sender.SendAsync(sent, settings.TimeLimit), deadline.Token);
        }
        catch (Exception e) when (IsBrokers(e, deadline.Token))
        {
            throw Failure(place, e, redaction);
        }
    }

    public override async IAsyncEnumerable<BrokerMessage> ConsumeAsync(BrokerPlace place, Redaction redaction, [EnumeratorCancellation] CancellationToken cancel)
    {
        var came = Channel.CreateUnbounded<Message>();
        await using var line = await SubscribeAsync(place, came, redaction, cancel);
        var receiver = (ReceiverLink)line.Link!;
        try
        {
            while (true)
            {
                var message = await NextAsync(line, came.Reader, place, redaction, cancel);
                var payload = PayloadOf(message);
                if (payload.Length > settings.MessageBytesMax) throw TooLarge(place, settings.MessageBytesMax);
                var headers = message.ApplicationProperties?.Map.Select(p => KeyValuePair.Create(TextOf(p.Key), TextOf(p.Value))).ToList() ?? [];
                yield return new BrokerMessage(payload, message.Properties?.ContentType ?? "", headers) { Acknowledge = _ => Accept(receiver, message, place, redaction) };
            }
        }
        finally
        {
            if (!place.CutOff.IsCancellationRequested) await line.EndLinkAsync();
        }
    }

    private async Task<Line> SubscribeAsync(BrokerPlace place, Channel<Message> came, Redaction redaction, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(settings.TimeLimit);
        Line? line = null;
        try
        {
            line = await OpenAsync($"millrace-{place.ClientId}", place, redaction, limit.Token);
            var attach = new Attach
            {
                Source = new Source { Address = place.Address, Durable = Configuration, ExpiryPolicy = new Symbol("link-detach"), Timeout = SessionSeconds },
                Target = new Target(),
                MaxMessageSize = (ulong)settings.MessageBytesMax + OverheadBytesMax,
            };
            var receiver = new ReceiverLink(line.Session, $"millrace-{place.ClientId}", attach, line.OnAttached);
            receiver.Start(0, (_, message) => came.Writer.TryWrite(message));
            await line.AttachAsync(receiver, limit.Token);
            return line;
        }
        catch (Exception e)
        {
            if (line is not null) await line.DisposeAsync();
            if (e is OperationCanceledException && cancel.IsCancellationRequested) throw;
            throw IsBrokers(e, CancellationToken.None) ? Failure(place, e, redaction) : e;
        }
    }

    private static async Task<Message> NextAsync(Line line, ChannelReader<Message> came, BrokerPlace place, Redaction redaction, CancellationToken cancel)
    {
        try
        {
            cancel.ThrowIfCancellationRequested();
            line.Ask();
            var next = came.ReadAsync(cancel).AsTask();
            await line.UnlessEndedAsync(next, cancel);
            return await next;
        }
        catch (Exception e) when (IsBrokers(e, cancel))
        {
            throw Failure(place, e, redaction);
        }
    }

    private static Task Accept(ReceiverLink receiver, Message message, BrokerPlace place, Redaction redaction)
    {
        try
        {
            receiver.Accept(message);
            return Task.CompletedTask;
        }
        catch (Exception e) when (IsBrokers(e, CancellationToken.None))
        {
            throw Failure(place, e, redaction);
        }
    }

    private async Task<Line> OpenAsync(string container, BrokerPlace place, Redaction redaction, CancellationToken cancel)
    {
        var pair = place.Pair;
        var transport = new Amqp1Transport(place, trust, settings, cancel);
        var factory = new ConnectionFactory([transport]);
        factory.AMQP.ContainerId = container;
        factory.AMQP.IdleTimeout = (int)settings.TimeLimit.TotalMilliseconds;
        factory.SASL.Profile = place is { IsSecure: true, Certificate: not null } ? SaslProfile.External : SaslProfile.Anonymous;
        var line = new Line(transport);
        try
        {
            await line.ConnectAsync(factory, new Address(place.Server.Host, place.PortOr(5672, 5671), pair?.Username, pair?.Password, "/", Amqp1Transport.Scheme), cancel);
            return line;
        }
        catch (Exception e)
        {
            await line.DisposeAsync();
            // One that takes no callers of this kind offers no mechanism for them.
            throw e is AmqpException { Error: { } error } && ((string)error.Condition is ErrorCode.UnauthorizedAccess or ErrorCode.NotImplemented)
                ? Refusal.Communication(401, "Credentials refused", $"{redaction.Clean(place.ToString())}: the broker takes these credentials for nobody's, or wants others.") : e;
        }
    }

    private static byte[] PayloadOf(Message message)
    {
        if (message.BodySection is DataList list) return [.. Enumerable.Range(0, list.Count).SelectMany(i => list[i].Binary)];
        return message.Body switch
        {
            null => [],
            byte[] bytes => bytes,
            string text => Encoding.UTF8.GetBytes(text),
            var value => JsonText.ToUtf8(JsonOf(value)),
        };
    }

    /// <summary>A body that is a value of AMQP's own types (1.0, part 1).</summary>
    private static Json JsonOf(object? value) => value switch
    {
        null => Json.Null,
        bool truth => truth,
        long whole => whole,
        byte or sbyte or short or ushort or int or uint => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        float or double => Convert.ToDouble(value, CultureInfo.InvariantCulture),
        byte[] bytes => Convert.ToBase64String(bytes),
        Map map => JsonObject.Of([.. map.Select(m => KeyValuePair.Create(TextOf(m.Key), JsonOf(m.Value)))]),
        IList items => JsonArray.Of(items.Cast<object?>().Select(JsonOf).ToList()),
        _ => TextOf(value),
    };

    private static string TextOf(object? value) => value switch
    {
        byte[] bytes => Convert.ToBase64String(bytes),
        DateTime time => time.ToString("O", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>The library also says that something was cancelled when the other side hung up.</summary>
    private static bool IsBrokers(Exception e, CancellationToken cancel) =>
        e is AmqpException or IOException or SocketException or AuthenticationException or ObjectDisposedException or TimeoutException || e is OperationCanceledException && !cancel.IsCancellationRequested;

    private static Refusal Failure(BrokerPlace place, Exception e, Redaction redaction)
    {
        if (e is not AmqpException { Error: { } error }) return Lost(place, e is OperationCanceledException ? new TimeoutException("nothing answered in time.") : e, redaction);
        var what = $"{redaction.Clean(place.ToString())}: {redaction.Clean(error.Description ?? (string)error.Condition)}";
        return (string)error.Condition switch
        {
            ErrorCode.UnauthorizedAccess or ErrorCode.NotAllowed => Refusal.Communication(403, "Access refused", what),
            ErrorCode.NotFound or ErrorCode.ResourceDeleted => Refusal.Communication(404, "Address not found", what),
            ErrorCode.MessageSizeExceeded => Refusal.Communication(413, "Message too large", what),
            ErrorCode.ConnectionForced or ErrorCode.DetachForced or ErrorCode.MessageReleased or ErrorCode.ResourceLocked or ErrorCode.Stolen => Refusal.Communication(503, "Connection failed", what),
            _ => Refusal.Communication(502, "Broker refused", what),
        };
    }

    /// <summary>A connection, its session, and one link.</summary>
    private sealed class Line(Amqp1Transport transport) : IAsyncDisposable
    {
        private readonly TaskCompletionSource _attached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<Error?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Connection? _connection;

        public Session Session { get; private set; } = null!;

        public Link? Link { get; private set; }

        public async Task ConnectAsync(ConnectionFactory factory, Address address, CancellationToken cancel)
        {
            _connection = await factory.CreateAsync(address, cancel).WaitAsync(cancel);
            _connection.AddClosedCallback(OnEnded);
            Session = new Session(_connection);
            Session.AddClosedCallback(OnEnded);
        }

        /// <summary>A link that is refused is attached to nothing first, and ended with the reason then.</summary>
        public void OnAttached(ILink link, Attach answer)
        {
            if ((link is ReceiverLink ? answer.Source : answer.Target) is not null) _attached.TrySetResult();
        }

        public Task AttachAsync(Link link, CancellationToken cancel)
        {
            Link = link;
            link.AddClosedCallback(OnEnded);
            return UnlessEndedAsync(_attached.Task, cancel);
        }

        /// <summary>One message.</summary>
        public void Ask()
        {
            transport.Grant();
            ((ReceiverLink)Link!).SetCredit(1, CreditMode.Manual);
        }

        /// <exception cref="AmqpException">The connection, the session or the link ended before.</exception>
        public async Task UnlessEndedAsync(Task work, CancellationToken cancel)
        {
            await Task.WhenAny(work, _ended.Task).WaitAsync(cancel);
            if (!work.IsCompleted) throw new AmqpException(await _ended.Task ?? new Error(ErrorCode.DetachForced) { Description = "the other side ended it." });
            await work;
        }

        /// <summary>What the broker keeps for the link goes with it.</summary>
        public Task EndLinkAsync() => CloseAsync(Link);

        public async ValueTask DisposeAsync()
        {
            await CloseAsync(_connection);
            // Otherwise one that does not answer keeps it.
            transport.Dispose();
        }

        private void OnEnded(IAmqpObject sender, Error? why) => _ended.TrySetResult(why);

        private static async Task CloseAsync(AmqpObject? part)
        {
            if (part is null or { IsClosed: true }) return;
            try
            {
                await part.CloseAsync(LeaveLimit, null);
            }
            catch (Exception e) when (IsBrokers(e, CancellationToken.None))
            {
                // It is closed by the other side, or is so when its time is over.
            }
        }
    }
}
