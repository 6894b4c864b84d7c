using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Millrace.Bench.Engine;
using Millrace.Tests.Crash;

namespace Millrace.Bench.Http;

/// <summary>The server as a process of its own, over HTTP on the loopback address; client and server share the machine.</summary>
internal static class HttpBench
{
    private const string Shared = "server and client on the same processors, every start durable before its answer";

    public static async Task RunAsync()
    {
        var data = EngineHost.NewFolder();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 256 });
        try
        {
            using var server = await ServerProcess.StartAsync(Path.Combine(AppContext.BaseDirectory, "Millrace.Server.dll"), data, patience.Token);
            http.BaseAddress = server.Address;
            await PushAsync(http, "one", "- one: { set: { done: true } }");
            await PushAsync(http, "ticks", "- rest: { wait: PT3S }\n  - each: { for: { in: '${ [range(100)] }' }, do: [ { rest: { wait: { milliseconds: 50 } } } ] }");
            await StartsAsync(http);
            await FanOutAsync(http, server.Address, patience.Token);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task StartsAsync(HttpClient http)
    {
        const int clients = 64;
        using var stop = new CancellationTokenSource();
        var starts = 0L;
        var times = new List<double>[clients];
        var callers = Enumerable.Range(0, clients).Select(async c =>
        {
            times[c] = [];
            while (!stop.IsCancellationRequested)
            {
                var began = Stopwatch.GetTimestamp();
                await StartAsync(http, "one");
                times[c].Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                Interlocked.Increment(ref starts);
            }
        }).ToArray();
        await Task.Delay(TimeSpan.FromSeconds(3));
        var before = Volatile.Read(ref starts);
        var watch = Stopwatch.StartNew();
        await Task.Delay(TimeSpan.FromSeconds(6));
        var rate = (Volatile.Read(ref starts) - before) / watch.Elapsed.TotalSeconds;
        await stop.CancelAsync();
        await Task.WhenAll(callers);
        var sorted = times.SelectMany(t => t).Order().ToList();
        Figures.Print("http.starts_per_s", rate, "req/s", $"POST /api/v1/runs, {clients} connections; {Shared}");
        Figures.Print("http.start_p50_ms", Figures.Percentile(sorted, 0.5), "ms", "the same requests");
        Figures.Print("http.start_p99_ms", Figures.Percentile(sorted, 0.99), "ms", "the same requests");
    }

    /// <summary>A run whose loop makes a durable record every 50 ms, followed by many clients at once.</summary>
    private static async Task FanOutAsync(HttpClient http, Uri server, CancellationToken cancel)
    {
        const int clients = 1000;
        var run = await StartAsync(http, "ticks");
        var delays = new System.Collections.Concurrent.ConcurrentBag<double>();
        var records = 0L;
        var followers = Enumerable.Range(0, clients).Select(_ => FollowAsync(server, run, delays, () => Interlocked.Increment(ref records), cancel)).ToArray();
        var counts = await Task.WhenAll(followers);
        var sorted = delays.Order().ToList();
        Figures.Print("http.sse_p50_ms", Figures.Percentile(sorted, 0.5), "ms", $"from a record's time to each of {clients:#,0} clients having it, {sorted.Count:#,0} messages");
        Figures.Print("http.sse_p99_ms", Figures.Percentile(sorted, 0.99), "ms", "the same messages");
        if (counts.Distinct().Count() != 1) throw new InvalidOperationException($"Clients saw between {counts.Min()} and {counts.Max()} records.");
    }

    private static async Task<int> FollowAsync(Uri server, string run, System.Collections.Concurrent.ConcurrentBag<double> delays, Action seen, CancellationToken cancel)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Host, server.Port, cancel);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /api/v1/runs/{run}/stream HTTP/1.1\r\nHost: {server.Authority}\r\nAccept: text/event-stream\r\n\r\n"), cancel);
        using var reader = new StreamReader(stream);
        var connected = DateTimeOffset.UtcNow;
        var count = 0;
        while (await reader.ReadLineAsync(cancel) is { } line)
        {
            if (line.StartsWith("event: end", StringComparison.Ordinal)) break;
            if (!line.StartsWith("data: {\"seq\"", StringComparison.Ordinal)) continue;
            var now = DateTimeOffset.UtcNow;
            count++;
            var at = At(line);
            // What had happened before this client came says nothing about the way to it.
            if (at <= connected.AddSeconds(1)) continue;
            delays.Add((now - at).TotalMilliseconds);
            seen();
        }
        return count;
    }

    private static DateTimeOffset At(string line)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(line["data: ".Length..]));
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals("at"u8)) continue;
            reader.Read();
            return reader.GetDateTimeOffset();
        }
        throw new InvalidOperationException($"No time in {line}");
    }

    internal static async Task PushAsync(HttpClient http, string name, string tasks)
    {
        using var content = new StringContent($"document: {{ dsl: 1.0.3, namespace: bench, name: {name}, version: 1.0.0 }}\ndo:\n  {tasks}\n", Encoding.UTF8, "application/yaml");
        using var response = await http.PostAsync(new Uri("api/v1/definitions", UriKind.Relative), content);
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException(await response.Content.ReadAsStringAsync());
    }

    internal static async Task<string> StartAsync(HttpClient http, string name)
    {
        using var content = new StringContent($$$"""{"definition": {"namespace": "bench", "name": "{{{name}}}", "version": "1.0.0"}, "input": {}}""", Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(new Uri("api/v1/runs", UriKind.Relative), content);
        response.EnsureSuccessStatusCode();
        using var run = JsonDocument.Parse(await response.Content.ReadAsStreamAsync());
        return run.RootElement.GetProperty("id").GetString()!;
    }
}
