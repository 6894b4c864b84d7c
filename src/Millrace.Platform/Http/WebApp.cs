using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;

namespace Millrace.Platform.Http;

/// <summary>Serves the built web app: hashed assets for ever, its page under every address that is no API.</summary>
internal static class WebApp
{
    private static readonly string[] OtherRoots = ["/api", "/health", "/openapi"];

    /// <param name="root">The folder that the build wrote; the web app is absent when there is none.</param>
    public static void UseWebApp(this IApplicationBuilder app, string? root)
    {
        if (root is null || !Directory.Exists(root)) return;
        var files = new PhysicalFileProvider(Path.GetFullPath(root));
        app.UseDefaultFiles(new DefaultFilesOptions { FileProvider = files });
        app.UseStaticFiles(new StaticFileOptions { FileProvider = files, OnPrepareResponse = Cache });
        app.Use((context, next) => IsPage(context) ? SendPageAsync(context, files) : next(context));
    }

    private static void Cache(StaticFileResponseContext file) =>
        file.Context.Response.Headers.CacheControl = file.Context.Request.Path.StartsWithSegments("/assets") ? "public, max-age=31536000, immutable" : "no-cache";

    /// <summary>An address of the web app's own: a browser asks for a page, and no route and no file answers.</summary>
    private static bool IsPage(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method) && context.GetEndpoint() is null && !Path.HasExtension(context.Request.Path)
        && !OtherRoots.Any(r => context.Request.Path.StartsWithSegments(r))
        && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    private static async Task SendPageAsync(HttpContext context, PhysicalFileProvider files)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";
        await context.Response.SendFileAsync(files.GetFileInfo("index.html"));
    }
}
