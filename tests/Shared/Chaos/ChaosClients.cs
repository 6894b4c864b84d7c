using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Threading.Channels;

namespace Millrace.Tests.Chaos;

/// <summary>
/// Careful clients of both apis: they ask until they are answered, a start always under its key, and take every answer at its word.
/// </summary>
internal sealed class ChaosClients : IDisposable
{
    private const int AtOnce = 24;

    /// <summary>How often a sender looks, every two seconds, whether a wish of which nothing was heard has been carried out.</summary>
    private const int LooksMax = 10;

    private readonly ChaosDoor _door;
    private readonly IReadOnlyList<ChaosKind> _kinds;
    private readonly int _runs;
    private readonly TimeSpan _within;
    private readonly int _seed;
    private readonly int _first;
    private readonly ConcurrentDictionary<int, string> _acknowledged = new();
    private readonly ConcurrentBag<Task> _wishes = [];
    private int _next = -1;

    /// <param name="kinds">What the runs do, one kind after another.</param>
    /// <param name="first">The number of the first run.</param>
    public ChaosClients(ChaosCluster cluster, IReadOnlyList<ChaosKind> kinds, int runs, TimeSpan within, int seed, int first = 0)
    {
        (_kinds, _runs, _within, _seed, _first) = (kinds, runs, within, seed, first);
        _door = new ChaosDoor(cluster);
        (Voters, Holders) = (new ChaosVoters(_door), new ChaosHolds(_door, seed));
    }

    public ChaosVoters Voters { get; }
    public ChaosHolds Holders { get; }

    /// <summary>Number of a run to the id it was acknowledged with.</summary>
    public IReadOnlyDictionary<int, string> Acknowledged => _acknowledged;

    /// <summary>Answers that no client should get, with how often.</summary>
    public IReadOnlyDictionary<string, int> Surprises => _door.Surprises;

    /// <summary>Some of the runs that were started, for those who follow.</summary>
    public Channel<string> Started { get; } = Channel.CreateBounded<string>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropNewest });

    /// <summary>Some apis are of a build that does not know every route.</summary>
    public bool IsMixed { set => _door.IsMixed = value; }

    public IEnumerable<int> Numbers => Enumerable.Range(_first, _runs);

    public ChaosKind Of(int number) => _kinds[number % _kinds.Count];

    public async Task PushAsync(Uri outside, CancellationToken cancel)
    {
        foreach (var kind in _kinds.Prepend(ChaosWork.Child).Prepend(ChaosWork.SlowChild))
            await _door.PostAsync("api/v1/definitions", kind.Document(outside), "application/yaml", cancel);
    }

    /// <summary>Starts all runs, spread over the time there is, and carries out what is wished of them.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var holding = _kinds.Any(k => k.IsHeld) ? Holders.RunAsync(enough.Token, cancel) : Task.CompletedTask;
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async client =>
        {
            var random = new Random(_seed * 31 + 100 + client);
            while (!cancel.IsCancellationRequested && Interlocked.Increment(ref _next) is var next && next < _runs)
            {
                var number = _first + next;
                await Pause.ForAsync(_within * next / _runs - System.Diagnostics.Stopwatch.GetElapsedTime(began), cancel);
                var id = await StartAsync(number, random, cancel);
                Started.Writer.TryWrite(id);
                var kind = Of(number);
                if (kind.Ask is { } ask) _wishes.Add(Voters.DecideAsync(number, id, ask, random.Next(), cancel));
                if (kind.IsPaused) _wishes.Add(PauseAsync(id, random.Between(0, 1), random.Between(0.2, 2), random.Next(), cancel));
                else if (kind.IsListening) _wishes.Add(TellAsync(number, random.Between(0, 2), random.Next(), cancel));
                else if (kind.IsWithdrawn) _wishes.Add(CancelAsync(id, random.Between(0, 1), random.Next(), cancel));
            }
        }));
        Started.Writer.TryComplete();
        await enough.CancelAsync();
        await holding;
        await Task.WhenAll(_wishes);
    }

    public Task<string> GetAsync(string path, CancellationToken cancel) => _door.GetAsync(path, cancel);

    public void Dispose() => _door.Dispose();

    private async Task<string> StartAsync(int number, Random random, CancellationToken cancel)
    {
        var body = $$$"""{"definition": {"namespace": "chaos", "name": "{{{Of(number).Name}}}", "version": "1.0.0"}, "input": {{{InputOf(number)}}}}""";
        while (true)
        {
            var (status, text) = await _door.AskAsync("api/v1/runs", body, string.Create(CultureInfo.InvariantCulture, $"chaos-{number}"), random, cancel);
            if (status is HttpStatusCode.Created or HttpStatusCode.OK)
            {
                var id = JsonDocument.Parse(text).RootElement.GetProperty("id").GetString()!;
                _acknowledged[number] = id;
                return id;
            }
            await _door.SurprisedAsync("start", status, text, cancel);
        }
    }

    private string InputOf(int number) => $$"""{"n": "r{{number}}", "line": "{{LineOf(number)}}", "trio": "{{TrioOf(number)}}"}""";

    private string LineOf(int number) => string.Create(CultureInfo.InvariantCulture, $"k{number / _kinds.Count % 3}");

    /// <summary>The key that a run shares with the two others of its kind that come next to it.</summary>
    public string TrioOf(int number) => string.Create(CultureInfo.InvariantCulture, $"t{number / _kinds.Count / 3}");

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
            var (status, text) = await _door.AskAsync("api/v1/events", body, null, random, cancel, "application/cloudevents+json");
            if (status is { } told && (int)told is >= 200 and < 300) return;
            await _door.SurprisedAsync("event", status, text, cancel);
        }
    }

    /// <returns>How often nobody answered.</returns>
    private async Task<int> WishAsync(string id, string wish, Random random, CancellationToken cancel)
    {
        for (var unanswered = 0; ; unanswered++)
        {
            cancel.ThrowIfCancellationRequested();
            var (status, text) = await _door.AskAsync($"api/v1/runs/{id}/{wish}", "{}", null, random, cancel);
            // 409: an earlier attempt was carried out and its answer lost, or the run was faster.
            if (status is HttpStatusCode.Accepted or HttpStatusCode.Conflict) return unanswered;
            await _door.SurprisedAsync(wish, status, text, cancel);
        }
    }
}
