using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Millrace.Tests.Doubles;

/// <summary>
/// A service that fails and one that counts: <c>/flaky/{key}?failures=N&amp;status=S</c> answers S (503) N times for each key, then 200;
/// <c>POST /effects/{name}</c> has its effect once for each Idempotency-Key, and says how often it was asked.
/// </summary>
internal sealed class FlakyDouble : ServiceDouble
{
    private readonly ConcurrentDictionary<string, int> _attempts = new();
    private readonly ConcurrentDictionary<(string Name, string Key), int> _effects = new();

    public static async Task<FlakyDouble> StartAsync()
    {
        var service = new FlakyDouble();
        await service.RunAsync();
        return service;
    }

    public int Attempts(string key) => _attempts.GetValueOrDefault(key);

    /// <summary>Effects that really happened under that name.</summary>
    public int Effects(string name) => _effects.Keys.Count(k => k.Name == name);

    protected override void Map(WebApplication app)
    {
        app.Map("/flaky/{key}", (string key, int failures, int? status) =>
        {
            var attempt = _attempts.AddOrUpdate(key, 1, (_, n) => n + 1);
            return attempt > failures
                ? Results.Json(new { key, attempt })
                : Results.Text(string.Create(CultureInfo.InvariantCulture, $"attempt {attempt} fails"), statusCode: status ?? 503);
        });
        app.MapPost("/effects/{name}", (string name, HttpRequest request) =>
        {
            if (request.Headers["Idempotency-Key"].ToString() is not { Length: > 0 } key) return Results.Text("no Idempotency-Key", statusCode: 400);
            var asked = _effects.AddOrUpdate((name, key), 1, (_, n) => n + 1);
            return Results.Json(new { name, asked, repeated = asked > 1 });
        });
    }
}
