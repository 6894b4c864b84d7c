using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Millrace.Tests.Doubles;

/// <summary>One request as it arrived.</summary>
internal sealed record Arrived(string Method, string Path, string Query, IReadOnlyDictionary<string, string> Headers, string Body);

/// <summary>A service on 127.0.0.1 at a free port, which remembers what it was asked. Stopping it ends the requests that still hang.</summary>
internal abstract class ServiceDouble : IAsyncDisposable
{
    private readonly ConcurrentQueue<Arrived> _arrived = new();
    private WebApplication? _app;

    /// <summary>With a slash at the end.</summary>
    public Uri Base { get; private set; } = new("http://127.0.0.1/");

    public IReadOnlyList<Arrived> Arrived => [.. _arrived];

    protected CancellationToken Stopping => _app!.Lifetime.ApplicationStopping;

    public async ValueTask DisposeAsync()
    {
        if (_app is null) return;
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    protected abstract void Map(WebApplication app);

    /// <summary>What the service needs besides routes.</summary>
    protected virtual void Prepare(WebApplicationBuilder builder)
    {
    }

    protected async Task RunAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        Prepare(builder);
        _app = builder.Build();
        _app.Use(RememberAsync);
        Map(_app);
        await _app.StartAsync();
        Base = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/");
    }

    private async Task RememberAsync(HttpContext http, RequestDelegate next)
    {
        http.Request.EnableBuffering();
        using var reader = new StreamReader(http.Request.Body, leaveOpen: true);
        var body = await reader.ReadToEndAsync();
        http.Request.Body.Position = 0;
        var headers = http.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        _arrived.Enqueue(new Arrived(http.Request.Method, http.Request.Path, http.Request.QueryString.Value ?? "", headers, body));
        await next(http);
    }
}
