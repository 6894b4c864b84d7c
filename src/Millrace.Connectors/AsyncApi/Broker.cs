using Millrace.Connectors.Http;
using Millrace.Connectors.Tls;
using Millrace.Jq;

namespace Millrace.Connectors.AsyncApi;

/// <param name="Server">With the scheme of the protocol, host, port, and the path if any.</param>
/// <param name="Address">The channel's: a topic, a subject, a path.</param>
/// <param name="ClientId">The same in every attempt at the step.</param>
internal sealed record BrokerPlace(string Protocol, Uri Server, string Address, Credentials? Credentials, string ClientId)
{
    /// <summary>What the document says of the channel, and of the operation, for each protocol.</summary>
    public Json Channel { get; init; }

    public Json Operation { get; init; }

    /// <summary>What the connection is made with, where that says who calls.</summary>
    public ClientCertificate? Certificate { get; init; }

    /// <summary>Cancelled when the attempt is cut off: another one goes on with what the broker keeps for it.</summary>
    public CancellationToken CutOff { get; init; }

    public bool IsSecure => Server.Scheme is "https" or "wss" or "mqtts" or "secure-mqtt" or "rediss" or "amqps" or "amqp1s" or "kafka-secure" or "tls";

    /// <summary>User and password, for protocols that know no other credentials.</summary>
    /// <exception cref="Refusal">They are of another kind.</exception>
    public (string Username, string Password)? Pair => Credentials is not { } credentials ? null : credentials.Pair
        ?? throw Refusal.Configuration("Authentication unsupported", $"{Protocol} takes a user and a password (basic), or a certificate.");

    public int PortOr(int plain, int secure) => Server.IsDefaultPort || Server.Port < 0 ? IsSecure ? secure : plain : Server.Port;

    public override string ToString() => $"{Address} at {Server.Scheme}://{Server.Authority}";
}

/// <param name="Authorization">Value of an Authorization header.</param>
internal sealed record Credentials(string Authorization)
{
    /// <summary>Of bearer authentication.</summary>
    public string? Token => Authorization.StartsWith("Bearer ", StringComparison.Ordinal) ? Authorization["Bearer ".Length..] : null;

    /// <summary>Of basic authentication.</summary>
    public (string Username, string Password)? Pair
    {
        get
        {
            if (!Authorization.StartsWith("Basic ", StringComparison.Ordinal)) return null;
            var text = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(Authorization["Basic ".Length..]));
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            return (text[..colon], text[(colon + 1)..]);
        }
    }
}

/// <param name="Headers">Names and their texts.</param>
internal sealed record BrokerMessage(ReadOnlyMemory<byte> Payload, string ContentType, IReadOnlyList<KeyValuePair<string, string>> Headers)
{
    /// <summary>Tells the broker that the message need not be sent again; null where there is nobody to tell.</summary>
    public Func<CancellationToken, Task>? Acknowledge { get; init; }
}

/// <summary>Speaks one protocol. A message that was not acknowledged comes again where the protocol can do that.</summary>
internal abstract class Broker
{
    /// <summary>Names of the protocol's headers, if messages have any.</summary>
    public abstract bool HasHeaders { get; }

    /// <exception cref="Refusal">Nobody there, or the message was not taken: a communication error.</exception>
    public abstract Task PublishAsync(BrokerPlace place, BrokerMessage message, Redaction redaction, Deadline deadline);

    /// <summary>Gives messages as they come, until it is cancelled or the connection ends.</summary>
    /// <exception cref="Refusal">Nobody there, or the connection was lost: a communication error.</exception>
    public abstract IAsyncEnumerable<BrokerMessage> ConsumeAsync(BrokerPlace place, Redaction redaction, CancellationToken cancel);

    /// <summary>How long leaving may take, and what a broker keeps for an attempt that was cut off, in seconds.</summary>
    protected static readonly TimeSpan LeaveLimit = TimeSpan.FromSeconds(5);

    protected const int SessionSeconds = 86_400;

    protected static Refusal Lost(BrokerPlace place, Exception why, Redaction redaction) =>
        Refusal.Communication(503, "Connection failed", $"{redaction.Clean(place.ToString())}: {redaction.Clean(why.Message)}");

    protected static Refusal Ended(BrokerPlace place) => Refusal.Communication(502, "Connection ended", $"{place}: the connection was closed.");

    protected static Refusal TooLarge(BrokerPlace place, int max) => Refusal.Communication(502, "Message too large", $"{place}: a message has more than {max} bytes.");
}
