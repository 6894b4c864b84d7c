using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Millrace.Tests.Doubles;

namespace Millrace.Server.Tests.Support;

/// <summary>Serves the texts it is given by their paths, to whoever says the right password where one is set.</summary>
internal sealed class CatalogDouble : ServiceDouble
{
    public ConcurrentDictionary<string, string> Texts { get; } = new(StringComparer.Ordinal);
    public string? Authorization { get; set; }

    public static async Task<CatalogDouble> StartAsync()
    {
        var catalog = new CatalogDouble();
        await catalog.RunAsync();
        return catalog;
    }

    protected override void Map(WebApplication app) => app.Run(async http =>
    {
        if (Authorization is not null && http.Request.Headers.Authorization != Authorization) http.Response.StatusCode = 401;
        else if (Texts.TryGetValue(http.Request.Path, out var text)) await http.Response.WriteAsync(text);
        else http.Response.StatusCode = 404;
    });
}
