using Microsoft.AspNetCore.Http;

namespace Millrace.Platform.Http;

/// <summary>
/// While there is no login, the only guard is that requests come from this machine and were meant for it. A web page
/// elsewhere can make a browser on this machine send requests here: by a name of its own that resolves to 127.0.0.1
/// (DNS rebinding; the Host header betrays it) or by a cross-origin request (the Origin header betrays it).
/// </summary>
internal static class LocalOnly
{
    public static bool IsLocalName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host is "127.0.0.1" or "[::1]";

    public static async Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        if (!IsLocalName(request.Host.Host))
        {
            await ProblemHandler.WriteAsync(context, Refusal(421, "request.host_refused", "Host", $"This server answers to localhost, 127.0.0.1 and [::1], not to '{request.Host.Host}'."));
            return;
        }
        await CheckOriginAsync(context, next);
    }

    /// <summary>Where other machines may ask, pages of other origins still may not.</summary>
    public static async Task CheckOriginAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        if (!IsRead(request.Method) && !IsOwnOrigin(request))
        {
            await ProblemHandler.WriteAsync(context, Refusal(403, "request.origin_refused", "Origin", "Requests that change something are not taken from pages of other origins."));
            return;
        }
        await next(context);
    }

    private static bool IsRead(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);

    /// <summary>
    /// Programs send neither header. Browsers say by Sec-Fetch-Site, which no page can forge, where a request comes from; a page
    /// behind a proxy on this machine is same-origin to them though the Host header differs. Older ones send the Origin alone.
    /// </summary>
    private static bool IsOwnOrigin(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"] is [var site]) return site is "same-origin" or "none";
        var origins = request.Headers.Origin;
        if (origins.Count == 0) return true;
        return origins.Count == 1 && Uri.TryCreate(origins[0], UriKind.Absolute, out var origin)
            && origin.Scheme == request.Scheme && string.Equals(origin.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }

    private static Problem Refusal(int status, string code, string header, string detail) =>
        new(status, code, "The request was refused.", detail, [new ProblemError { Code = code, Message = detail, Parameter = header }]);
}
