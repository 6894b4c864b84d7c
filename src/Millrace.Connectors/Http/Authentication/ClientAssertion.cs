using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Millrace.Jq;

namespace Millrace.Connectors.Http.Authentication;

/// <summary>A JWT by which a client proves that it holds a key (RFC 7523, 3; OpenID Connect Core, 9). Good for a minute and for one request.</summary>
internal static class ClientAssertion
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    public static string Sign(SigningKey key, string clientId, Uri endpoint, DateTimeOffset now)
    {
        var header = new JsonObject.Builder().Set("alg", key.Algorithm).Set("typ", "JWT");
        if (key.Id is { } id) header.Set("kid", id);
        var claims = new JsonObject.Builder()
            .Set("iss", clientId)
            .Set("sub", clientId)
            .Set("aud", endpoint.AbsoluteUri)
            .Set("jti", RandomNumberGenerator.GetHexString(32, lowercase: true))
            .Set("iat", now.ToUnixTimeSeconds())
            .Set("exp", (now + Lifetime).ToUnixTimeSeconds());
        var signed = $"{Encoded(header.Build())}.{Encoded(claims.Build())}";
        return $"{signed}.{Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Encoded(JsonObject value) => Base64Url.EncodeToString(JsonText.ToUtf8(value));
}

/// <summary>A key that signs assertions (RFC 7518, 3.1).</summary>
internal sealed class SigningKey
{
    private const int RsaBitsMin = 2048;

    private SigningKey(string algorithm, string? id, string secret)
    {
        Algorithm = algorithm;
        Id = id;
        Secret = secret;
    }

    public string Algorithm { get; }

    public string? Id { get; }

    /// <summary>What the key was made of.</summary>
    public string Secret { get; }

    /// <summary>The client's secret as the key of an HMAC.</summary>
    public static SigningKey Shared(string secret) => new("HS256", null, secret);

    /// <returns>Null when the text is no private key that can sign.</returns>
    public static SigningKey? Private(string pem, string? id)
    {
        try
        {
            var key = new SigningKey(AlgorithmFor(pem), id, pem);

            // A public key can be read as well, and signs nothing.
            key.Sign([]);
            return key;
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            return null;
        }
    }

    public byte[] Sign(byte[] content)
    {
        if (Algorithm == "HS256") return HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), content);
        if (Algorithm == "RS256")
        {
            using var rsa = RSA.Create();
            rsa.ImportFromPem(Secret);
            return rsa.SignData(content, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        using var curve = ECDsa.Create();
        curve.ImportFromPem(Secret);
        return curve.SignData(content, Algorithm switch { "ES256" => HashAlgorithmName.SHA256, "ES384" => HashAlgorithmName.SHA384, _ => HashAlgorithmName.SHA512 });
    }

    private static string AlgorithmFor(string pem)
    {
        using (var rsa = RSA.Create())
            if (IsOfKind(rsa, pem)) return rsa.KeySize >= RsaBitsMin ? "RS256" : throw new ArgumentException("The key is too short.", nameof(pem));
        using var curve = ECDsa.Create();
        curve.ImportFromPem(pem);
        return curve.KeySize switch { 256 => "ES256", 384 => "ES384", 521 => "ES512", _ => throw new ArgumentException("No algorithm is registered for this curve.", nameof(pem)) };
    }

    private static bool IsOfKind(RSA rsa, string pem)
    {
        try
        {
            rsa.ImportFromPem(pem);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
