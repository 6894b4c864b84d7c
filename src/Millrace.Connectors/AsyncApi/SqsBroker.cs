using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using Amazon.Runtime;
using Amazon.SQS;
using Amazon.SQS.Model;
using Millrace.Connectors.Http;
using Millrace.Connectors.Tls;

namespace Millrace.Connectors.AsyncApi;

/// <summary>
/// Amazon SQS, and what speaks its protocol. The channel's binding names the <c>queue</c>, or the operation's, or else the address does; the server's path may name the account
/// whose queue it is. A message is hidden for as long as the queue says and comes again unless it is on disk by then. Headers are attributes of a message. Nothing is taken from
/// the machine's environment: the region is in the server's name, the access key in the task.
/// </summary>
internal sealed partial class SqsBroker(AsyncApiSettings settings, Trust trust) : Broker
{
    private const string ContentType = "Content-Type";
    private const int AttributesMax = 10;
    private const int RetriesMax = 2;

    /// <summary>The longest that the service lets a request wait for messages.</summary>
    private const int WaitSecondsMax = 20;

    /// <summary>What JSON makes of one byte at most, and what stands around a message.</summary>
    private const int EscapeFactor = 6;
    private const int EnvelopeBytesMax = 256 << 10;

    public override bool HasHeaders => true;

    public override async Task PublishAsync(BrokerPlace place, BrokerMessage message, Redaction redaction, Deadline deadline)
    {
        var request = new SendMessageRequest { MessageBody = TextOf(message.Payload), MessageAttributes = AttributesOf(message) };
        using var client = ClientOf(place);
        await AskAsync(place, redaction, async () =>
        {
            request.QueueUrl = await QueueAsync(client, place, deadline.Token);
            if (QueueOf(place).EndsWith(".fifo", StringComparison.Ordinal)) (request.MessageGroupId, request.MessageDeduplicationId) = ("millrace", place.ClientId);
            return await client.SendMessageAsync(request, deadline.Token);
        }, deadline.Token);
    }

    public override async IAsyncEnumerable<BrokerMessage> ConsumeAsync(BrokerPlace place, Redaction redaction, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var client = ClientOf(place);
        var queue = await AskAsync(place, redaction, () => QueueAsync(client, place, cancel), cancel);
        // One at a time: what is received and not looked at would be hidden from others.
        var request = new ReceiveMessageRequest
        {
            QueueUrl = queue,
            MaxNumberOfMessages = 1,
            WaitTimeSeconds = (int)Math.Clamp(settings.TimeLimit.TotalSeconds / 2, 1, WaitSecondsMax),
            MessageAttributeNames = ["All"],
        };
        while (true)
        {
            var answer = await AskAsync(place, redaction, () => client.ReceiveMessageAsync(request, cancel), cancel);
            foreach (var message in answer.Messages ?? [])
            {
                var payload = Encoding.UTF8.GetBytes(message.Body);
                if (payload.Length > settings.MessageBytesMax) throw TooLarge(place, settings.MessageBytesMax);
                var headers = (message.MessageAttributes ?? []).Select(a => KeyValuePair.Create(a.Key, a.Value.StringValue ?? Convert.ToBase64String(a.Value.BinaryValue?.ToArray() ?? []))).ToList();
                yield return new BrokerMessage(payload, headers.Find(h => h.Key == ContentType).Value ?? "", headers.FindAll(h => h.Key != ContentType))
                {
                    Acknowledge = stop => AskAsync(place, redaction, () => client.DeleteMessageAsync(queue, message.ReceiptHandle, stop), stop),
                };
            }
        }
    }

    private AmazonSQSClient ClientOf(BrokerPlace place)
    {
        var (id, secret) = place.Pair ?? throw Refusal.Configuration("Authentication missing", $"{place.Protocol} takes the id of an access key and its secret as a user and a password (basic).");
        var secure = place.IsSecure || IsAmazons(place.Server.Host);
        var config = new AmazonSQSConfig
        {
            // First of all: before it is set, others are looked for where none are to be found.
            ServiceURL = $"{(secure ? "https" : "http")}://{place.Server.Host}{(place.Server.Port > 0 ? $":{place.Server.Port}" : "")}/",
            IgnoreConfiguredEndpointUrls = true,
            AuthenticationRegion = RegionOf(place.Server.Host),
            DefaultConfigurationMode = DefaultConfigurationMode.Standard,
            UseFIPSEndpoint = false,
            UseDualstackEndpoint = false,
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = RetriesMax,
            Timeout = settings.TimeLimit,
            DisableLogging = true,
            HttpClientFactory = new Factory(trust, place, settings),
        };
        return new AmazonSQSClient(new BasicAWSCredentials(id, secret), config);
    }

    private static async Task<string> QueueAsync(AmazonSQSClient client, BrokerPlace place, CancellationToken cancel)
    {
        var account = place.Server.AbsolutePath.Trim('/');
        return account.Length > 0 ? $"{client.Config.ServiceURL}{account}/{QueueOf(place)}" : (await client.GetQueueUrlAsync(QueueOf(place), cancel)).QueueUrl;
    }

    private static string QueueOf(BrokerPlace place) =>
        place.Channel["sqs"]["queue"]["name"].StringOrNull ?? place.Operation["sqs"]["queue"]["name"].StringOrNull ?? place.Address;

    private static bool IsAmazons(string host) => host.EndsWith(".amazonaws.com", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".amazonaws.com.cn", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".api.aws", StringComparison.OrdinalIgnoreCase);

    /// <summary>Servers of others are of no region, and take any.</summary>
    internal static string RegionOf(string host) => Region().Match(host) is { Success: true } found ? found.Groups[1].Value : "us-east-1";

    private static string TextOf(ReadOnlyMemory<byte> payload)
    {
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(payload.Span);
            XmlConvert.VerifyXmlChars(text);
        }
        catch (Exception e) when (e is DecoderFallbackException or XmlException)
        {
            throw Refusal.Configuration("Argument invalid", $"The argument /message/payload is not such that sqs could send it: text of the characters that XML has is. {e.Message}");
        }
        return text.Length > 0 ? text : throw Refusal.Configuration("Argument invalid", "The argument /message/payload is empty; sqs sends one character at least.");
    }

    private static Dictionary<string, MessageAttributeValue> AttributesOf(BrokerMessage message)
    {
        var attributes = new Dictionary<string, MessageAttributeValue>(StringComparer.Ordinal) { [ContentType] = Attribute(message.ContentType) };
        foreach (var (name, value) in message.Headers)
        {
            if (!AttributeName().IsMatch(name)) throw Refusal.Configuration("Argument invalid", $"The argument /message/headers/{name} cannot be sent by sqs: names are letters, digits, '_', '-' and single dots between, and not Amazon's own.");
            if (value.Length == 0) throw Refusal.Configuration("Argument invalid", $"The argument /message/headers/{name} is empty; sqs sends no empty headers.");
            attributes[name] = Attribute(value);
        }
        return attributes.Count <= AttributesMax ? attributes
            : throw Refusal.Configuration("Argument invalid", $"The argument /message/headers has too many members: sqs sends {AttributesMax} headers at most, and {ContentType} is one of them.");
    }

    private static MessageAttributeValue Attribute(string value) => new() { DataType = "String", StringValue = value };

    private static async Task<T> AskAsync<T>(BrokerPlace place, Redaction redaction, Func<Task<T>> ask, CancellationToken cancel)
    {
        try
        {
            return await ask();
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or SocketException or AuthenticationException or TimeoutException
            || e is OperationCanceledException && !cancel.IsCancellationRequested)
        {
            throw Failure(place, e, redaction);
        }
    }

    /// <summary>Codes are Amazon's common errors and those of SQS; whether they end in "Exception" depends on who answers.</summary>
    private static Refusal Failure(BrokerPlace place, Exception e, Redaction redaction)
    {
        if (e is not AmazonServiceException { StatusCode: >= HttpStatusCode.BadRequest, ErrorCode: var code } told) return Lost(place, e.GetBaseException(), redaction);
        var what = $"{redaction.Clean(place.ToString())}: {redaction.Clean(told.Message)}";
        var plain = (code ?? "").Split('.', '#')[^1];
        return (plain.EndsWith("Exception", StringComparison.Ordinal) ? plain[..^"Exception".Length] : plain) switch
        {
            "InvalidClientTokenId" or "UnrecognizedClient" or "InvalidAccessKeyId" or "SignatureDoesNotMatch" or "InvalidSignature" or "IncompleteSignature" or "MissingAuthenticationToken"
                or "ExpiredToken" or "InvalidSecurity" or "AuthFailure" => Refusal.Communication(401, "Credentials refused", what),
            "AccessDenied" or "KmsAccessDenied" or "NotAuthorized" => Refusal.Communication(403, "Access refused", what),
            "QueueDoesNotExist" or "NonExistentQueue" or "QueueDeletedRecently" => Refusal.Communication(404, "Queue not found", what),
            "RequestThrottled" or "Throttling" or "KmsThrottled" or "OverLimit" => Refusal.Communication(429, "Too many requests", what),
            _ => Refusal.Communication((int)told.StatusCode, "Broker refused", what),
        };
    }

    [GeneratedRegex(@"(?:^|\.)sqs(?:-fips)?\.([a-z]+(?:-[a-z]+)+-[0-9]+)\.", RegexOptions.IgnoreCase)]
    private static partial Regex Region();

    [GeneratedRegex(@"^(?!AWS\.|Amazon\.)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", RegexOptions.IgnoreCase)]
    private static partial Regex AttributeName();

    /// <summary>Connections of this call alone, made as every other here: who is trusted is the operator's to say, and answers have a limit.</summary>
    private sealed class Factory(Trust trust, BrokerPlace place, AsyncApiSettings settings) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig)
        {
            var sockets = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ActivityHeadersPropagator = null, ConnectTimeout = settings.TimeLimit, SslOptions = trust.OptionsFor(place.Certificate) };
            return new HttpClient(new Limited(sockets, EnvelopeBytesMax + EscapeFactor * (long)settings.MessageBytesMax)) { Timeout = settings.TimeLimit };
        }

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => true;

        /// <summary>Null: kept by the one client, and gone with it.</summary>
        public override string? GetConfigUniqueString(IClientConfig clientConfig) => null;
    }

    private sealed class Limited(HttpMessageHandler inner, long bytesMax) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
        {
            var response = await base.SendAsync(request, cancel);
            await response.Content.LoadIntoBufferAsync(bytesMax, cancel);
            return response;
        }
    }
}
