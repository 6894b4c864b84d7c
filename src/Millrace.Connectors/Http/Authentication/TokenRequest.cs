using System.Security.Cryptography;
using System.Text;
using Millrace.Jq;

namespace Millrace.Connectors.Http.Authentication;

/// <summary>
/// A token to be asked for by OAuth 2 (RFC 6749; dsl-reference.md, OAUTH2 Authentication and OpenIdConnect Authentication).
/// Grants: client_credentials, password, refresh_token, token exchange (RFC 8693). The grant authorization_code is refused: see
/// docs/decisions/0010-oauth2-grants.md. Clients: see <see cref="TokenClient"/>.
/// </summary>
internal sealed record TokenRequest
{
    public const string RefreshToken = "refresh_token";

    private const string TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    private const string RefreshTokenType = "urn:ietf:params:oauth:token-type:refresh_token";
    private static readonly string[] Discoveries = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

    /// <summary>Where to ask; with <see cref="IsDiscovery"/> the document that names the place.</summary>
    public required Uri Endpoint { get; init; }

    public required bool IsDiscovery { get; init; }

    /// <summary>Who the discovery document has to say it is of (OpenID Connect Discovery, 4.3), unless <see cref="Issuers"/> lists its issuer.</summary>
    public required string Authority { get; init; }

    /// <summary>Parameters of the request in the order in which they are sent, without the client's; secrets included.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Parameters { get; init; }

    public required TokenClient Client { get; init; }

    public bool AsJson { get; init; }

    public IReadOnlyList<string> Issuers { get; init; } = [];

    /// <summary>Equal for requests that may share a token: everything that is sent counts, also the secrets, so a wrong secret never gets a right one's token.</summary>
    public string CacheKey(Guid workspace)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in (IEnumerable<string>)[workspace.ToString(), Endpoint.AbsoluteUri, AsJson ? "json" : "form", .. Client.Identity,
            "", .. Parameters.SelectMany(p => new[] { p.Key, p.Value }), "", .. Issuers])
        {
            hash.AppendData(Encoding.UTF8.GetBytes(part));
            hash.AppendData([0]);
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    public static TokenRequest Read(string kind, Arguments scheme, Json? input, Redaction redaction)
    {
        var authority = UriTemplate.Expand(scheme.Text("authority"), input, scheme.PointerTo("authority")).TrimEnd('/');
        var given = kind == "oauth2" && scheme.MemberOrNull("endpoints") is { } endpoints && endpoints.TextOrNull("token") is { } token
            ? UriTemplate.Expand(token, input, endpoints.PointerTo("token"))
            : null;
        var document = Array.Find(Discoveries, d => authority.EndsWith(d, StringComparison.Ordinal));
        var discovers = kind == "oidc" || document is not null && given is null;
        var encoding = scheme.MemberOrNull("request")?.Choice("encoding", HttpBody.Form, HttpBody.Form, HttpBody.Json) ?? HttpBody.Form;
        return new TokenRequest
        {
            Endpoint = HttpAddress.Parse(
                !discovers ? Under(authority, given ?? "/oauth2/token") : document is not null ? authority : authority + Discoveries[0],
                scheme.PointerTo("authority")),
            IsDiscovery = discovers,
            Authority = document is null ? authority : authority[..^document.Length],
            Parameters = ParametersOf(scheme, redaction),
            Client = TokenClient.Read(scheme.MemberOrNull("client") ?? new Arguments(Json.EmptyObject, scheme.PointerTo("client")), redaction),
            AsJson = encoding == HttpBody.Json,
            Issuers = scheme.TextsOrEmpty("issuers"),
        };
    }

    private static string Under(string authority, string path) =>
        Uri.TryCreate(path, UriKind.Absolute, out _) && path.Contains("://", StringComparison.Ordinal) ? path : $"{authority}/{path.TrimStart('/')}";

    private static List<KeyValuePair<string, string>> ParametersOf(Arguments scheme, Redaction redaction)
    {
        var grant = scheme.Text("grant");
        List<KeyValuePair<string, string>> parameters = [new("grant_type", grant)];
        switch (grant)
        {
            case "client_credentials":
                break;
            case "password":
                parameters.Add(new("username", scheme.Text("username")));
                parameters.Add(new("password", TokenClient.Hidden(scheme, "password", redaction)));
                break;
            case RefreshToken:
                var subject = scheme.Member("subject");
                subject.Choice("type", "", RefreshTokenType);
                parameters.Add(new(RefreshToken, TokenClient.Hidden(subject, "token", redaction)));
                break;
            case TokenExchange:
                Party(scheme.Member("subject"), "subject", parameters, redaction);
                if (scheme.MemberOrNull("actor") is { } actor) Party(actor, "actor", parameters, redaction);
                break;
            default:
                throw Refusal.Configuration("Grant unsupported",
                    $"The grant at {scheme.PointerTo("grant")} is not supported without a person; supported are client_credentials, password, {RefreshToken} and {TokenExchange}.");
        }
        Add(parameters, "scope", scheme.TextsOrEmpty("scopes"));
        Add(parameters, "audience", scheme.TextsOrEmpty("audiences"));
        return parameters;
    }

    private static void Party(Arguments token, string name, List<KeyValuePair<string, string>> parameters, Redaction redaction)
    {
        parameters.Add(new($"{name}_token", TokenClient.Hidden(token, "token", redaction)));
        parameters.Add(new($"{name}_token_type", token.Text("type")));
    }

    private static void Add(List<KeyValuePair<string, string>> parameters, string name, IReadOnlyList<string> values)
    {
        if (values.Count > 0) parameters.Add(new(name, string.Join(' ', values)));
    }
}
