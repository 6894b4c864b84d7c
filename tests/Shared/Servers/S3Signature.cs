using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Millrace.Tests.Servers;

/// <summary>
/// Signature Version 4 as the side that verifies computes it (Amazon S3 API Reference, "Authenticating Requests"), in the header or
/// in the query.
/// </summary>
internal static class S3Signature
{
    /// <returns>Null when the request is signed with the key, otherwise the code of the error.</returns>
    public static string? Refusal(HttpRequest request, string accessKey, string secretKey)
    {
        var inQuery = request.Query.ContainsKey("X-Amz-Signature");
        var fields = inQuery
            ? new Dictionary<string, string>
            {
                ["Credential"] = request.Query["X-Amz-Credential"]!,
                ["SignedHeaders"] = request.Query["X-Amz-SignedHeaders"]!,
                ["Signature"] = request.Query["X-Amz-Signature"]!,
            }
            : request.Headers.Authorization.ToString().Replace("AWS4-HMAC-SHA256 ", "", StringComparison.Ordinal)
                .Split(',', StringSplitOptions.TrimEntries).Select(f => f.Split('=', 2)).ToDictionary(f => f[0], f => f[^1]);
        if (!fields.TryGetValue("Credential", out var credential)) return "AccessDenied";
        var scope = credential.Split('/');
        if (scope[0] != accessKey) return "InvalidAccessKeyId";

        var headers = fields["SignedHeaders"].Split(';');
        var canonical = string.Join('\n',
        [
            request.Method,
            RawTarget(request).Split('?')[0],
            string.Join('&', Parameters(request).Where(p => !p.StartsWith("X-Amz-Signature=", StringComparison.Ordinal)).Select(p => p.Contains('=', StringComparison.Ordinal) ? p : p + "=").Order(StringComparer.Ordinal)),
            .. headers.Select(h => $"{h}:{request.Headers[h].ToString().Trim()}"),
            "",
            fields["SignedHeaders"],
            inQuery ? "UNSIGNED-PAYLOAD" : request.Headers["x-amz-content-sha256"].ToString(),
        ]);
        var date = inQuery ? request.Query["X-Amz-Date"].ToString() : request.Headers["x-amz-date"].ToString();
        var toSign = $"AWS4-HMAC-SHA256\n{date}\n{string.Join('/', scope[1..])}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = scope[1..].Aggregate(Encoding.UTF8.GetBytes("AWS4" + secretKey), (k, part) => HMACSHA256.HashData(k, Encoding.UTF8.GetBytes(part)));
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(toSign))) == fields["Signature"] ? null : "SignatureDoesNotMatch";
    }

    public static string RawTarget(HttpRequest request) => request.HttpContext.Features.Get<IHttpRequestFeature>()!.RawTarget;

    public static string[] Parameters(HttpRequest request) =>
        RawTarget(request).Split('?', 2) is [_, { Length: > 0 } query] ? query.Split('&') : [];
}
