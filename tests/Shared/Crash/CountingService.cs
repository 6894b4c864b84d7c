using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Tests.Chaos;

namespace Millrace.Tests.Crash;

/// <summary>The world outside: records effects by idempotency key, as a payment service would. It survives what the server does not.</summary>
internal sealed class CountingService : IAsyncDisposable
{
    /// <summary>How long somebody is busy at a line.</summary>
    private static readonly TimeSpan ServiceTime = TimeSpan.FromMilliseconds(80);

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, string> _recorded = new();
    private readonly ConcurrentQueue<string> _order = new();
    private readonly ConcurrentDictionary<string, bool> _refused = new();
    private readonly ConcurrentDictionary<string, string> _broken = new();
    private int _attempts;
    private int _contradictions;

    private CountingService(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = null!;

    /// <summary>Where gRPC is spoken: over HTTP/2 without TLS.</summary>
    public Uri RpcAddress { get; private set; } = null!;

    /// <summary>Idempotency key to what was recorded under it, once.</summary>
    public IReadOnlyDictionary<string, string> Recorded => _recorded;

    /// <summary>Effects in the order in which they were recorded.</summary>
    public IReadOnlyCollection<string> Order => _order;

    /// <summary>Requests that came, repeated ones too.</summary>
    public int Attempts => Volatile.Read(ref _attempts);

    /// <summary>Requests whose key had been used for another effect.</summary>
    public int Contradictions => Volatile.Read(ref _contradictions);

    public BusyLines Lines { get; } = new();

    /// <summary>Events that were sent to it.</summary>
    public DeliveryBook Deliveries { get; } = new();

    /// <summary>Called for each request, with its number, before it is answered.</summary>
    public Action<int> Arrived { get; set; } = _ => { };

    /// <param name="address">Where it is reached; null: on the loopback address.</param>
    public static async Task<CountingService> StartAsync(string? address = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var ip = address is null ? IPAddress.Loopback : IPAddress.Parse(address);
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.Listen(ip, 0);
            k.Listen(ip, 0, l => l.Protocols = HttpProtocols.Http2);
        });
        var app = builder.Build();
        var service = new CountingService(app);
        app.MapPost("/effects/{effect}", (string effect, HttpRequest request) =>
        {
            service.Arrived(Interlocked.Increment(ref service._attempts));
            return service.Record(effect, request);
        });
        // Not ready at first: the first request for each effect is refused and records nothing.
        app.MapPost("/shaky/{effect}", (string effect, HttpRequest request) =>
        {
            service.Arrived(Interlocked.Increment(ref service._attempts));
            return service._refused.TryAdd(effect, true) ? Results.StatusCode(StatusCodes.Status503ServiceUnavailable) : service.Record(effect, request);
        });
        // Never for the key that asks first.
        app.MapPost("/broken/{effect}", (string effect, HttpRequest request) =>
        {
            service.Arrived(Interlocked.Increment(ref service._attempts));
            var key = request.Headers["Idempotency-Key"].ToString();
            return service._broken.GetOrAdd(effect, key) == key ? Results.StatusCode(StatusCodes.Status503ServiceUnavailable) : service.Record(effect, request);
        });
        app.MapPost("/refused/{effect}", () =>
        {
            service.Arrived(Interlocked.Increment(ref service._attempts));
            return Results.StatusCode(StatusCodes.Status422UnprocessableEntity);
        });
        app.MapPost("/sink/{name}", async (string name, HttpRequest request) => Results.StatusCode(await service.Deliveries.TakeAsync(name, request) ? 204 : 503));
        service.MapLines(app);
        new ProtocolDoors((effect, key) =>
        {
            service.Arrived(Interlocked.Increment(ref service._attempts));
            return service.Record(effect, key);
        }).Map(app);
        await app.StartAsync();
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a)).ToList();
        (service.Address, service.RpcAddress) = (addresses[0], addresses[1]);
        return service;
    }

    private void MapLines(WebApplication app)
    {
        app.MapPost("/busy/{line}/{most}/{effect}", async (string line, int most, string effect, HttpRequest request) =>
        {
            Arrived(Interlocked.Increment(ref _attempts));
            Lines.Enter(line, effect, most);
            // Whoever hangs up is served to the end all the same.
            await Pause.ForAsync(ServiceTime, CancellationToken.None);
            Lines.Leave(line, effect);
            return Record(effect, request);
        });
        app.MapPost("/enter/{line}/{most}/{who}/{effect}", (string line, int most, string who, string effect, HttpRequest request) =>
        {
            Arrived(Interlocked.Increment(ref _attempts));
            Lines.Enter(line, who, most);
            return Record(effect, request);
        });
        app.MapPost("/leave/{line}/{most}/{who}/{effect}", (string line, int most, string who, string effect, HttpRequest request) =>
        {
            Arrived(Interlocked.Increment(ref _attempts));
            Lines.Leave(line, who);
            return Record(effect, request);
        });
    }

    private IResult Record(string effect, HttpRequest request)
    {
        var key = request.Headers["Idempotency-Key"].ToString();
        return Results.Json(new { key, recorded = Record(effect, key) });
    }

    private string Record(string effect, string key)
    {
        if (_recorded.TryAdd(key, effect)) _order.Enqueue(effect);
        var recorded = _recorded[key];
        if (recorded != effect) Interlocked.Increment(ref _contradictions);
        return recorded;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
