using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Millrace.Platform.Http;

/// <summary>Headers on every answer, refusals included, that keep a browser from running what is only data.</summary>
internal static class SecurityHeaders
{
    /// <summary>For what runs produced: whatever it claims to be, it may do nothing.</summary>
    public const string Sandboxed = "default-src 'none'; sandbox";

    private static readonly (string Name, StringValues Value)[] Headers =
    [
        // The web app runs its own scripts only. Inline styles are allowed because the graph places its nodes by them.
        ("Content-Security-Policy", "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
            + "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    ];

    public static Task SetAsync(HttpContext context, RequestDelegate next)
    {
        // At the start of the answer, because a refusal clears what was set before.
        context.Response.OnStarting(static state =>
        {
            var headers = ((HttpContext)state).Response.Headers;
            foreach (var (name, value) in Headers) headers.TryAdd(name, value);
            return Task.CompletedTask;
        }, context);
        return next(context);
    }
}
