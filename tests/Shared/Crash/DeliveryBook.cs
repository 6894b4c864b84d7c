using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Millrace.Tests.Crash;

/// <summary>An event as it was delivered.</summary>
internal sealed record Delivery(string Source, string Id, string Type);

/// <summary>Who gets a workspace's events: writes down what comes, in its order, and now and then is not there.</summary>
internal sealed class DeliveryBook
{
    /// <summary>One of so many is refused; whoever sends it waits a second.</summary>
    private const int RefusedOneOf = 300;

    private readonly ConcurrentDictionary<string, ConcurrentQueue<Delivery>> _came = new();
    private int _requests;

    /// <summary>Deliveries that were taken, repeated ones too.</summary>
    public int Count => _came.Values.Sum(q => q.Count);

    public IReadOnlyCollection<Delivery> To(string sink) => _came.TryGetValue(sink, out var came) ? came : [];

    /// <summary>Whole, or with its attributes as headers.</summary>
    /// <returns>False when it is refused.</returns>
    public async Task<bool> TakeAsync(string sink, HttpRequest request)
    {
        if (Interlocked.Increment(ref _requests) % RefusedOneOf == 0) return false;
        string Header(string name) => Uri.UnescapeDataString(request.Headers[$"ce-{name}"].ToString());
        var came = request.Headers.ContainsKey("ce-id") ? new Delivery(Header("source"), Header("id"), Header("type")) : await ReadAsync(request);
        _came.GetOrAdd(sink, _ => new ConcurrentQueue<Delivery>()).Enqueue(came);
        return true;
    }

    private static async Task<Delivery> ReadAsync(HttpRequest request)
    {
        using var e = await JsonDocument.ParseAsync(request.Body);
        string Text(string name) => e.RootElement.GetProperty(name).GetString()!;
        return new Delivery(Text("source"), Text("id"), Text("type"));
    }
}
