using System.Text;

namespace Millrace.Connectors.Http.Authentication;

/// <summary>
/// How a client says who it is to a token endpoint (RFC 6749, 2.3; OpenID Connect Core, 9). What never changes stands in
/// <see cref="Parameters"/> and <see cref="Authorization"/>; a key signs an assertion anew for each request.
/// </summary>
internal sealed class TokenClient
{
    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private string? Id { get; init; }

    private SigningKey? Key { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Parameters { get; private init; } = [];

    /// <summary>The header of client_secret_basic; null when the client's credentials stand among the parameters.</summary>
    public string? Authorization { get; private init; }

    /// <summary>What tells this client apart for sharing a token; holds secrets.</summary>
    public IEnumerable<string> Identity => [Authorization ?? "", Key?.Secret ?? "", .. Parameters.SelectMany(p => new[] { p.Key, p.Value })];

    /// <param name="endpoint">Whom a signed assertion is for.</param>
    public IEnumerable<KeyValuePair<string, string>> ParametersFor(Uri endpoint, DateTimeOffset now, Redaction redaction) =>
        Key is null ? Parameters : [.. Parameters, .. Assertion(ClientAssertion.Sign(Key, Id!, endpoint, now), redaction)];

    /// <param name="client">id, secret, assertion, authentication (dsl-reference.md); in a secret of the vault also key (PEM) and keyId.</param>
    public static TokenClient Read(Arguments client, Redaction redaction)
    {
        var method = client.Choice("authentication", "client_secret_post", "client_secret_post", "client_secret_basic", "client_secret_jwt", "private_key_jwt", "none");
        if (method == "none") return new TokenClient { Parameters = client.TextOrNull("id") is { } open ? [new("client_id", open)] : [] };
        var id = client.Text("id");
        KeyValuePair<string, string>[] named = [new("client_id", id)];
        switch (method)
        {
            case "client_secret_basic":
                return new TokenClient { Authorization = Basic(id, Hidden(client, "secret", redaction), redaction) };
            case "client_secret_jwt":
                return new TokenClient { Id = id, Key = SigningKey.Shared(Hidden(client, "secret", redaction)), Parameters = named };
            case "private_key_jwt" when client.Has("assertion") || !client.Has("key"):
                return new TokenClient { Parameters = [.. named, .. Assertion(client.Text("assertion"), redaction)] };
            case "private_key_jwt":
                var key = SigningKey.Private(Hidden(client, "key", redaction), client.TextOrNull("keyId"))
                    ?? throw client.Invalid("key", "has to be a private RSA key of 2048 bits or more, or one on a P-256, P-384 or P-521 curve, as PEM without a passphrase.");
                return new TokenClient { Id = id, Key = key, Parameters = named };
            default:
                return new TokenClient { Parameters = client.Has("secret") ? [.. named, new("client_secret", Hidden(client, "secret", redaction))] : named };
        }
    }

    internal static string Hidden(Arguments from, string key, Redaction redaction)
    {
        var value = from.Text(key);
        redaction.Add(value);
        return value;
    }

    /// <summary>RFC 6749, 2.3.1 wants id and secret form-encoded first.</summary>
    private static string Basic(string id, string secret, Redaction redaction)
    {
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(id)}:{Uri.EscapeDataString(secret)}"));
        redaction.Add(encoded);
        return $"Basic {encoded}";
    }

    private static KeyValuePair<string, string>[] Assertion(string jwt, Redaction redaction)
    {
        redaction.Add(jwt);
        return [new("client_assertion_type", AssertionType), new("client_assertion", jwt)];
    }
}
