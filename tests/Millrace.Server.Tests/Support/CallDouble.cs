using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Millrace.Tests.Doubles;

namespace Millrace.Server.Tests.Support;

/// <summary>A service that answers everything with <c>{}</c> (and <c>/fails</c> with 500), and a collector that keeps what OTLP sends it.</summary>
internal sealed class CallDouble : ServiceDouble
{
    private readonly ConcurrentQueue<(string Path, string? Type, byte[] Body)> _sent = new();
    private readonly SemaphoreSlim _news = new(0);

    public static async Task<CallDouble> StartAsync()
    {
        var service = new CallDouble();
        await service.RunAsync();
        return service;
    }

    /// <summary>What was sent to a path so far.</summary>
    public IEnumerable<byte[]> Sent(string path) => _sent.Where(s => s.Path == path).Select(s => s.Body);

    /// <summary>The first body sent to a path that holds all of these.</summary>
    public async Task<(string? Type, byte[] Body)> SentAsync(string path, params byte[][] parts)
    {
        while (true)
        {
            foreach (var sent in _sent)
                if (sent.Path == path && parts.All(p => sent.Body.AsSpan().IndexOf(p) >= 0)) return (sent.Type, sent.Body);
            Assert.True(await _news.WaitAsync(TestServer.Patience), $"{path} never got {string.Join(", ", parts.Select(p => System.Text.Encoding.UTF8.GetString(p)))}");
        }
    }

    protected override void Map(WebApplication app) => app.MapFallback(async context =>
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        _sent.Enqueue((context.Request.Path, context.Request.ContentType, body.ToArray()));
        _news.Release();
        context.Response.StatusCode = context.Request.Path == "/fails" ? 500 : 200;
        if (!context.Request.Path.StartsWithSegments("/v1")) await context.Response.WriteAsJsonAsync(new object());
    });
}
