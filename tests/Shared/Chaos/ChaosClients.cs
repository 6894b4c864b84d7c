using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace Millrace.Tests.Chaos;

/// <summary>
/// Careful clients of both apis: they ask until they are answered, a start always under its key, and take every answer at its word.
/// </summary>
internal sealed class ChaosClients(ChaosCluster cluster, int runs, TimeSpan within, int seed) : IDisposable
{
    private const int AtOnce = 24;

    /// <summary>How often a sender looks, every two seconds, whether a wish of which nothing was heard has been carried out.</summary>
    private const int LooksMax = 10;

    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2), PooledConnectionLifetime = TimeSpan.FromSeconds(30) }) { Timeout = TimeSpan.FromSeconds(6) };
    private readonly ConcurrentDictionary<int, string> _acknowledged = new();
    private readonly ConcurrentBag<Task> _wishes = [];
    private readonly ConcurrentDictionary<string, int> _surprises = new();
    private int _next = -1;

    /// <summary>Number of a run to the id it was acknowledged with.</summary>
    public IReadOnlyDictionary<int, string> Acknowledged => _acknowledged;

    /// <summary>Answers that no client should get, with how often.</summary>
    public IReadOnlyDictionary<string, int> Surprises => _surprises;

    /// <summary>Some of the runs that were started, for those who follow.</summary>
    public Channel<string> Started { get; } = Channel.CreateBounded<string>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropNewest });

    public async Task PushAsync(Uri outside, CancellationToken cancel)
    {
        var documents = ChaosWork.Kinds.Select(k => (k.Name, k.Tasks)).Prepend(("child", ChaosWork.Child)).Prepend(("slow", ChaosWork.SlowChild));
        foreach (var (name, tasks) in documents)
        {
            using var content = new StringContent(ChaosWork.Document(name, tasks, outside), Encoding.UTF8, "application/yaml");
            using var response = await _http.PostAsync(new Uri(cluster.Api[0].Address, "api/v1/definitions"), content, cancel);
            if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"{name}: {await response.Content.ReadAsStringAsync(cancel)}");
        }
    }

    /// <summary>Starts all runs, spread over the time there is, and carries out what is wished of them.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async client =>
        {
            var random = new Random(seed * 31 + 100 + client);
            while (!cancel.IsCancellationRequested && Interlocked.Increment(ref _next) is var number && number < runs)
            {
                await Pause.ForAsync(within * number / runs - System.Diagnostics.Stopwatch.GetElapsedTime(began), cancel);
                var id = await StartAsync(number, random, cancel);
                Started.Writer.TryWrite(id);
                var kind = ChaosWork.Of(number);
                if (kind.IsPaused) _wishes.Add(PauseAsync(id, random.Between(0, 1), random.Between(0.2, 2), random.Next(), cancel));
                else if (kind.IsListening) _wishes.Add(TellAsync(number, random.Between(0, 2), random.Next(), cancel));
                else if (kind.IsCancelled) _wishes.Add(CancelAsync(id, random.Between(0, 1), random.Next(), cancel));
            }
        }));
        Started.Writer.TryComplete();
        await Task.WhenAll(_wishes);
    }

    public async Task<string> GetAsync(string path, CancellationToken cancel) => await _http.GetStringAsync(new Uri(cluster.Api[0].Address, path), cancel);

    public void Dispose() => _http.Dispose();

    private async Task<string> StartAsync(int number, Random random, CancellationToken cancel)
    {
        var body = $$$"""{"definition": {"namespace": "chaos", "name": "{{{ChaosWork.Of(number).Name}}}", "version": "1.0.0"}, "input": {"n": "r{{{number}}}"}}""";
        while (true)
        {
            var (status, text) = await AskAsync("api/v1/runs", body, string.Create(CultureInfo.InvariantCulture, $"chaos-{number}"), random, cancel);
            if (status is HttpStatusCode.Created or HttpStatusCode.OK)
            {
                var id = JsonDocument.Parse(text).RootElement.GetProperty("id").GetString()!;
                _acknowledged[number] = id;
                return id;
            }
            await SurprisedAsync("start", status, text, cancel);
        }
    }

    private async Task CancelAsync(string id, TimeSpan after, int seed, CancellationToken cancel)
    {
        await Pause.ForAsync(after, cancel);
        await WishAsync(id, "cancellation", new Random(seed), cancel);
    }

    private async Task PauseAsync(string id, TimeSpan after, TimeSpan length, int seed, CancellationToken cancel)
    {
        var random = new Random(seed);
        await Pause.ForAsync(after, cancel);
        var unanswered = await WishAsync(id, "suspension", random, cancel);
        await Pause.ForAsync(length, cancel);
        await WishAsync(id, "resumption", random, cancel);
        // An api that stood still carries out later what nobody waits for any more: a wish has no key, so its sender looks after it.
        for (var looks = 0; unanswered > 0 && looks < LooksMax; looks++)
        {
            await Pause.ForAsync(TimeSpan.FromSeconds(2), cancel);
            await WishAsync(id, "resumption", random, cancel);
        }
    }

    /// <summary>Sends the event that a run waits for, always under the same id.</summary>
    private async Task TellAsync(int number, TimeSpan after, int seed, CancellationToken cancel)
    {
        var random = new Random(seed);
        await Pause.ForAsync(after, cancel);
        var body = string.Create(CultureInfo.InvariantCulture, $$"""{"specversion": "1.0", "id": "told-{{number}}", "source": "https://chaos.example", "type": "{{ChaosKind.EventType}}", "subject": "r{{number}}"}""");
        while (!cancel.IsCancellationRequested)
        {
            var (status, text) = await AskAsync("api/v1/events", body, null, random, cancel, "application/cloudevents+json");
            if (status is { } told && (int)told is >= 200 and < 300) return;
            await SurprisedAsync("event", status, text, cancel);
        }
    }

    /// <returns>How often nobody answered.</returns>
    private async Task<int> WishAsync(string id, string wish, Random random, CancellationToken cancel)
    {
        for (var unanswered = 0; ; unanswered++)
        {
            cancel.ThrowIfCancellationRequested();
            var (status, text) = await AskAsync($"api/v1/runs/{id}/{wish}", "{}", null, random, cancel);
            // 409: an earlier attempt was carried out and its answer lost, or the run was faster.
            if (status is HttpStatusCode.Accepted or HttpStatusCode.Conflict) return unanswered;
            await SurprisedAsync(wish, status, text, cancel);
        }
    }

    /// <returns>No status where there was no answer.</returns>
    private async Task<(HttpStatusCode? Status, string Text)> AskAsync(string path, string body, string? key, Random random, CancellationToken cancel, string mediaType = "application/json")
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(cluster.Api[random.Next(cluster.Api.Length)].Address, path));
            if (key is not null) request.Headers.Add("Idempotency-Key", key);
            request.Content = new StringContent(body, Encoding.UTF8, mediaType);
            using var response = await _http.SendAsync(request, cancel);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(cancel));
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is TaskCanceledException && !cancel.IsCancellationRequested))
        {
            return (null, "");
        }
    }

    private async Task SurprisedAsync(string what, HttpStatusCode? status, string text, CancellationToken cancel)
    {
        if (status is { } told && told != HttpStatusCode.ServiceUnavailable)
            _surprises.AddOrUpdate($"{what}: {(int)told} {text[..Math.Min(text.Length, 300)]}", 1, (_, n) => n + 1);
        await Pause.ForAsync(TimeSpan.FromMilliseconds(100), cancel);
        cancel.ThrowIfCancellationRequested();
    }
}
