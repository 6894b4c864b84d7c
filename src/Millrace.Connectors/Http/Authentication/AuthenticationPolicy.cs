using System.Security.Cryptography;
using System.Text;
using Millrace.Connectors.Tls;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Http.Authentication;

/// <summary>How a call says who it is (dsl-reference.md, Authentication), with its secrets resolved.</summary>
internal abstract record AuthenticationPolicy
{
    private static readonly string[] Supported = ["basic", "bearer", "digest", "certificate", "oauth2", "oidc"];

    /// <summary>The Authorization header's value is known at once.</summary>
    public sealed record Fixed(string Authorization) : AuthenticationPolicy;

    /// <summary>Each request is answered for by what the server asks (RFC 7616).</summary>
    public sealed record Digest(string Username, string Password) : AuthenticationPolicy;

    /// <summary>The connection itself says who it is.</summary>
    public sealed record Certificate(ClientCertificate Own) : AuthenticationPolicy;

    /// <summary>A token has to be asked for.</summary>
    public sealed record Token(TokenRequest Request) : AuthenticationPolicy;

    /// <summary>What the connection has to be made with; null when it needs nothing.</summary>
    public static ClientCertificate? CertificateOf(AuthenticationPolicy? policy) => (policy as Certificate)?.Own;

    /// <summary>Tells apart who is somebody else, without holding a secret.</summary>
    public string Identity(Guid workspace) => this switch
    {
        Token token => token.Request.CacheKey(workspace),
        Fixed ready => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(ready.Authorization))),
        Digest digest => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{workspace} {digest.Username}\0{digest.Password}"))),
        Certificate certificate => $"{workspace} {certificate.Own.Identity}",
        _ => throw new InvalidOperationException("There are four kinds of policies."),
    };

    /// <param name="policy">The evaluated <c>authentication</c> object: one of basic, bearer, digest, certificate, oauth2, oidc; each inline, or <c>{use: secret}</c>.</param>
    /// <param name="input">For the authority's URI template.</param>
    /// <exception cref="Refusal">The policy is of no supported kind or incomplete, or its secret is not there.</exception>
    public static AuthenticationPolicy Read(Arguments policy, Json? input, FunctionContext context, Redaction redaction)
    {
        if (policy.TextOrNull("use") is { } name)
            throw Refusal.Configuration("Authentication unknown", $"The authentication policy '{name}' is not defined under use.authentications.");
        var kind = Supported.FirstOrDefault(policy.Has)
            ?? throw Refusal.Configuration("Authentication unsupported",
                $"The authentication at {policy.Pointer} is {(policy.Value.AsObject().Count == 0 ? "empty" : $"'{policy.Value.AsObject().Members[0].Key}'")}; supported are {string.Join(", ", Supported)}.");
        var scheme = Resolve(kind, policy, context);
        switch (kind)
        {
            case "basic":
                var (username, password) = (scheme.Text("username"), scheme.Text("password"));
                redaction.Add(password);
                var pair = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{password}"));
                redaction.Add(pair);
                return new Fixed($"Basic {pair}");
            case "digest":
                redaction.Add(scheme.Text("password"));
                return new Digest(scheme.Text("username"), scheme.Text("password"));
            case "certificate":
                return new Certificate(ClientCertificate.Read(scheme, redaction));
            case "bearer":
                var token = Credential(scheme, "token");
                redaction.Add(token);
                return new Fixed($"Bearer {token}");
            default:
                return new Token(TokenRequest.Read(kind, scheme, input, redaction));
        }
    }

    private static Arguments Resolve(string kind, Arguments policy, FunctionContext context)
    {
        var inline = policy.Member(kind);
        if (inline.TextOrNull("use") is not { } name) return inline;
        var secret = context.Secret(name)
            ?? throw Refusal.Authorization($"The secret '{name}' is not available: it has to stand under use.secrets and in the vault of the workspace.");
        if (kind == "bearer" && secret.IsString) secret = Json.Object("token", secret);
        if (kind == "certificate" && secret.IsString) secret = Json.Object("certificate", secret);
        if (!secret.IsObject)
            throw Refusal.Configuration("Secret invalid", $"The secret '{name}' has to be an object with the members of {kind} authentication.");
        return new Arguments(secret, $"/secrets/{name}");
    }

    /// <summary>A value that goes into a header as it is.</summary>
    private static string Credential(Arguments scheme, string key)
    {
        var value = scheme.Text(key);
        return value.Length > 0 && value.All(c => c is > ' ' and < '\x7f') ? value
            : throw scheme.Invalid(key, "has to be visible ASCII characters without spaces.");
    }
}
