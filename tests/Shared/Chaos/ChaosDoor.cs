using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Millrace.Tests.Chaos;

/// <summary>How clients of every sort reach both apis, and the answers that none of them should get.</summary>
internal sealed class ChaosDoor(ChaosCluster cluster) : IDisposable
{
    private const int TriesMax = 5;

    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2), PooledConnectionLifetime = TimeSpan.FromSeconds(30) }) { Timeout = TimeSpan.FromSeconds(6) };
    private readonly ConcurrentDictionary<string, int> _surprises = new();

    /// <summary>Some apis are of a build that does not know every route; whoever is told so asks again later.</summary>
    public bool IsMixed { get; set; }

    /// <summary>Answers that no client should get, with how often.</summary>
    public IReadOnlyDictionary<string, int> Surprises => _surprises;

    public async Task<string> GetAsync(string path, CancellationToken cancel) => await _http.GetStringAsync(new Uri(cluster.Api[0].Address, path), cancel);

    /// <summary>Sends something that may be sent again, and of which the answer must be that it was done; a server that has just begun may take its time.</summary>
    public async Task PostAsync(string path, string body, string mediaType, CancellationToken cancel)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                using var content = new StringContent(body, Encoding.UTF8, mediaType);
                using var response = await _http.PostAsync(new Uri(cluster.Api[0].Address, path), content, cancel);
                if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"{path}: {await response.Content.ReadAsStringAsync(cancel)}");
                return;
            }
            catch (TaskCanceledException) when (tries < TriesMax && !cancel.IsCancellationRequested)
            {
                // It took longer than a request may.
            }
        }
    }

    /// <param name="body">Null: it is only read.</param>
    /// <param name="method">Null: POST where there is a body.</param>
    /// <returns>No status where there was no answer.</returns>
    public async Task<(HttpStatusCode? Status, string Text)> AskAsync(string path, string? body, string? key, Random random, CancellationToken cancel, string mediaType = "application/json", HttpMethod? method = null)
    {
        try
        {
            using var request = new HttpRequestMessage(method ?? (body is null ? HttpMethod.Get : HttpMethod.Post), new Uri(cluster.Api[random.Next(cluster.Api.Length)].Address, path));
            if (key is not null) request.Headers.Add("Idempotency-Key", key);
            if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, mediaType);
            using var response = await _http.SendAsync(request, cancel);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(cancel));
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is TaskCanceledException && !cancel.IsCancellationRequested))
        {
            return (null, "");
        }
    }

    /// <summary>Asks for something without a key, until it is so.</summary>
    /// <param name="what">Under which an answer that no client should get is noted.</param>
    /// <returns>How often nobody answered: an api that stood still may carry out later what nobody waits for any more.</returns>
    public async Task<int> WishAsync(string what, string path, Func<string> body, Random random, CancellationToken cancel)
    {
        for (var unanswered = 0; ; unanswered++)
        {
            cancel.ThrowIfCancellationRequested();
            var (status, text) = await AskAsync(path, body(), null, random, cancel);
            // 409: it is so already, as when an earlier attempt was carried out and its answer lost, or the run was faster.
            if (status is HttpStatusCode.Accepted or HttpStatusCode.Conflict) return unanswered;
            await SurprisedAsync(what, status, text, cancel);
        }
    }

    /// <summary>Notes an answer that is neither what was hoped for nor a plea for patience, and lets a little time pass.</summary>
    public async Task SurprisedAsync(string what, HttpStatusCode? status, string text, CancellationToken cancel)
    {
        if (status is { } told && told != HttpStatusCode.ServiceUnavailable && !(IsMixed && told == HttpStatusCode.NotFound))
            _surprises.AddOrUpdate($"{what}: {(int)told} {text[..Math.Min(text.Length, 300)]}", 1, (_, n) => n + 1);
        await Pause.ForAsync(TimeSpan.FromMilliseconds(100), cancel);
        cancel.ThrowIfCancellationRequested();
    }

    public void Dispose() => _http.Dispose();
}
