using System.Security.Cryptography;
using System.Text;
using Millrace.Jq;

namespace Millrace.Connectors.Http.Authentication;

/// <summary>
/// A token to be asked for by OAuth 2 (RFC 6749; dsl-reference.md, OAUTH2 Authentication and OpenIdConnect Authentication).
/// Grants: client_credentials, password, token exchange (RFC 8693). Clients: client_secret_post (default), client_secret_basic,
/// private_key_jwt with a ready assertion (RFC 7523), none.
/// </summary>
internal sealed record TokenRequest
{
    private const string TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    private const string Discovery = "/.well-known/openid-configuration";

    /// <summary>Where to ask; for OpenID Connect the discovery document that names it.</summary>
    public required Uri Endpoint { get; init; }

    public required bool IsDiscovery { get; init; }

    /// <summary>Parameters of the request in the order in which they are sent; secrets included.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Parameters { get; init; }

    /// <summary>Basic authentication of the client; null when its credentials stand among the parameters.</summary>
    public string? Authorization { get; init; }

    public bool AsJson { get; init; }

    public IReadOnlyList<string> Issuers { get; init; } = [];

    /// <summary>Equal for requests that may share a token: everything that is sent counts, also the secrets, so a wrong secret never gets a right one's token.</summary>
    public string CacheKey(Guid workspace)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in (IEnumerable<string>)[workspace.ToString(), Endpoint.AbsoluteUri, Authorization ?? "", AsJson ? "json" : "form",
            .. Parameters.SelectMany(p => new[] { p.Key, p.Value }), .. Issuers])
        {
            hash.AppendData(Encoding.UTF8.GetBytes(part));
            hash.AppendData([0]);
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    public static TokenRequest Read(string kind, Arguments scheme, Json? input, Redaction redaction)
    {
        var authority = UriTemplate.Expand(scheme.Text("authority"), input, scheme.PointerTo("authority")).TrimEnd('/');
        var discovers = kind == "oidc";
        var path = discovers
            ? (authority.EndsWith(Discovery, StringComparison.Ordinal) ? "" : Discovery)
            : scheme.MemberOrNull("endpoints")?.TextOrNull("token") ?? "/oauth2/token";
        var address = Uri.TryCreate(path, UriKind.Absolute, out _) && path.Contains("://", StringComparison.Ordinal) ? path
            : path.Length == 0 ? authority : $"{authority}/{path.TrimStart('/')}";
        var parameters = new List<KeyValuePair<string, string>>();
        Grant(scheme, parameters, redaction);
        Add(parameters, "scope", scheme.TextsOrEmpty("scopes"));
        Add(parameters, "audience", scheme.TextsOrEmpty("audiences"));
        var authorization = Client(scheme, parameters, redaction);
        var encoding = scheme.MemberOrNull("request")?.Choice("encoding", HttpBody.Form, HttpBody.Form, HttpBody.Json) ?? HttpBody.Form;
        return new TokenRequest
        {
            Endpoint = HttpAddress.Parse(address, scheme.PointerTo("authority")),
            IsDiscovery = discovers,
            Parameters = parameters,
            Authorization = authorization,
            AsJson = encoding == HttpBody.Json,
            Issuers = scheme.TextsOrEmpty("issuers"),
        };
    }

    private static void Grant(Arguments scheme, List<KeyValuePair<string, string>> parameters, Redaction redaction)
    {
        var grant = scheme.Text("grant");
        parameters.Add(new("grant_type", grant));
        switch (grant)
        {
            case "client_credentials":
                break;
            case "password":
                parameters.Add(new("username", scheme.Text("username")));
                parameters.Add(new("password", Hidden(scheme, "password", redaction)));
                break;
            case TokenExchange:
                Party(scheme.Member("subject"), "subject", parameters, redaction);
                if (scheme.MemberOrNull("actor") is { } actor) Party(actor, "actor", parameters, redaction);
                break;
            default:
                throw Refusal.Configuration("Grant unsupported", $"The grant at {scheme.PointerTo("grant")} is not supported without a person; supported are client_credentials, password and {TokenExchange}.");
        }
    }

    private static void Party(Arguments token, string name, List<KeyValuePair<string, string>> parameters, Redaction redaction)
    {
        parameters.Add(new($"{name}_token", Hidden(token, "token", redaction)));
        parameters.Add(new($"{name}_token_type", token.Text("type")));
    }

    /// <returns>The Authorization header for client_secret_basic, where RFC 6749, 2.3.1 wants id and secret form-encoded first.</returns>
    private static string? Client(Arguments scheme, List<KeyValuePair<string, string>> parameters, Redaction redaction)
    {
        var given = scheme.MemberOrNull("client");
        var client = given ?? new Arguments(Json.EmptyObject, scheme.PointerTo("client"));
        var method = client.TextOrNull("authentication") ?? "client_secret_post";
        switch (method)
        {
            case "none":
                if (client.TextOrNull("id") is { } id) parameters.Add(new("client_id", id));
                return null;
            case "client_secret_post":
                parameters.Add(new("client_id", client.Text("id")));
                if (client.Has("secret")) parameters.Add(new("client_secret", Hidden(client, "secret", redaction)));
                return null;
            case "client_secret_basic":
                var pair = $"{Uri.EscapeDataString(client.Text("id"))}:{Uri.EscapeDataString(Hidden(client, "secret", redaction))}";
                var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(pair));
                redaction.Add(encoded);
                return $"Basic {encoded}";
            case "private_key_jwt":
                parameters.Add(new("client_id", client.Text("id")));
                parameters.Add(new("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
                parameters.Add(new("client_assertion", Hidden(client, "assertion", redaction)));
                return null;
            default:
                throw Refusal.Configuration("Client authentication unsupported",
                    $"The client authentication at {client.PointerTo("authentication")} is not supported; supported are client_secret_post, client_secret_basic, private_key_jwt and none.");
        }
    }

    private static string Hidden(Arguments from, string key, Redaction redaction)
    {
        var value = from.Text(key);
        redaction.Add(value);
        return value;
    }

    private static void Add(List<KeyValuePair<string, string>> parameters, string name, IReadOnlyList<string> values)
    {
        if (values.Count > 0) parameters.Add(new(name, string.Join(' ', values)));
    }
}
