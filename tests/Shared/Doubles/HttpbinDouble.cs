using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Millrace.Tests.Doubles;

/// <summary>The endpoints of https://httpbin.org that the conformance scenarios name, and the neighbours that tests use.</summary>
internal sealed class HttpbinDouble : ServiceDouble
{
    public const string Host = "httpbin.org";

    public static async Task<HttpbinDouble> StartAsync()
    {
        var service = new HttpbinDouble();
        await service.RunAsync();
        return service;
    }

    protected override void Map(WebApplication app)
    {
        app.MapGet("/basic-auth/{user}/{password}", (string user, string password, HttpRequest request, HttpResponse response) =>
        {
            var wanted = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
            if (request.Headers.Authorization == wanted) return Results.Json(new { authenticated = true, user });
            response.Headers.WWWAuthenticate = "Basic realm=\"Fake Realm\"";
            return Results.Text("", statusCode: 401);
        });
        app.MapGet("/bearer", (HttpRequest request) => request.Headers.Authorization.ToString() is ['B', 'e', 'a', 'r', 'e', 'r', ' ', .. var token]
            ? Results.Json(new { authenticated = true, token })
            : Results.Text("", statusCode: 401));
        app.Map("/anything/{**rest}", Echo);
        app.Map("/anything", Echo);
        app.Map("/status/{code:int}", (int code) => code == 204 ? Results.NoContent() : Results.Text($"status {code}", statusCode: code));
        app.MapGet("/robots.txt", () => Results.Text("User-agent: *\nDisallow: /deny\n", "text/plain"));
        app.MapGet("/xml", () => Results.Text("<slideshow/>", "application/xml"));
        app.MapGet("/bytes", () => Results.Bytes([0, 255, 1, 254], "application/octet-stream"));
        app.MapGet("/broken-json", () => Results.Text("{\"a\": 1,\n oops}", "application/json"));
        app.MapGet("/problem", () => Results.Text("{\"title\": \"Nope\"}", "application/problem+json"));
        app.Map("/redirect/{n:int}", (int n) => Redirect(n <= 1 ? "/anything/end" : $"/redirect/{n - 1}", 302));
        app.Map("/redirect-to", (string url, int code) => Redirect(url, code));
        app.MapGet("/cookies/set", (HttpResponse response) => response.Cookies.Append("session", "abc"));
        app.MapGet("/not-modified", () => Results.StatusCode(304));
    }

    private static Redirection Redirect(string location, int code) => new Redirection(location, code);

    private static async Task<IResult> Echo(HttpRequest request)
    {
        using var reader = new StreamReader(request.Body);
        return Results.Json(new
        {
            method = request.Method,
            url = $"{request.Scheme}://{request.Host}{request.Path}{request.QueryString}",
            args = request.Query.ToDictionary(q => q.Key, q => q.Value.ToArray()),
            headers = request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString()),
            data = await reader.ReadToEndAsync(),
        });
    }

    private sealed class Redirection(string location, int code) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = code;
            httpContext.Response.Headers.Location = location;
            return Task.CompletedTask;
        }
    }
}
