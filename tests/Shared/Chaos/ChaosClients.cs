using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Millrace.Tests.Crash;

namespace Millrace.Tests.Chaos;

/// <summary>
/// Careful clients of both apis: they ask until they are answered, a start always under its key, and take every answer at its word.
/// </summary>
internal sealed class ChaosClients : IDisposable
{
    private const int AtOnce = 24;

    /// <summary>So many runs of a kind come one after another, and share a key where it has one: kinds are many, and those that wait for one another have to meet.</summary>
    private const int OfKindAtOnce = 3;

    /// <summary>How often a sender looks, every two seconds, whether a wish of which nothing was heard has been carried out.</summary>
    private const int LooksMax = 10;

    private readonly ChaosDoor _door;
    private readonly IReadOnlyList<ChaosKind> _kinds;
    private readonly int _runs;
    private readonly TimeSpan _within;
    private readonly int _seed;
    private readonly int _first;
    private readonly ConcurrentDictionary<int, string> _acknowledged = new();
    private readonly ConcurrentDictionary<int, bool> _ordered = new();
    private readonly ConcurrentBag<Task> _wishes = [];
    private int _next = -1;

    /// <param name="kinds">What the runs do, one kind after another.</param>
    /// <param name="first">The number of the first run.</param>
    public ChaosClients(ChaosCluster cluster, IReadOnlyList<ChaosKind> kinds, int runs, TimeSpan within, int seed, int first = 0)
    {
        (_kinds, _runs, _within, _seed, _first) = (kinds, runs, within, seed, first);
        _door = new ChaosDoor(cluster);
        (Voters, Holders, Sequels) = (new ChaosVoters(_door), new ChaosHolds(_door, seed), new ChaosSequels(_door));
    }

    public ChaosVoters Voters { get; }
    public ChaosHolds Holders { get; }
    public ChaosSequels Sequels { get; }

    /// <summary>How others reach the apis.</summary>
    public ChaosDoor Door => _door;

    /// <summary>Number of a run to the id it was acknowledged with.</summary>
    public IReadOnlyDictionary<int, string> Acknowledged => _acknowledged;

    /// <summary>Numbers of runs whose event was acknowledged.</summary>
    public IReadOnlyCollection<int> Ordered => [.. _ordered.Keys];

    /// <summary>Answers that no client should get, with how often.</summary>
    public IReadOnlyDictionary<string, int> Surprises => _door.Surprises;

    /// <summary>Some of the runs that were started, for those who follow.</summary>
    public Channel<string> Started { get; } = Channel.CreateBounded<string>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropNewest });

    /// <summary>Some apis are of a build that does not know every route.</summary>
    public bool IsMixed { set => _door.IsMixed = value; }

    public IEnumerable<int> Numbers => Enumerable.Range(_first, _runs);

    public ChaosKind Of(int number) => _kinds[number / OfKindAtOnce % _kinds.Count];

    public async Task PushAsync(CountingService outside, CancellationToken cancel)
    {
        // Children that none of the runs has are of builds that may be older than what they do.
        foreach (var kind in ChaosWork.Children.Where(c => _kinds.Any(k => k.Tasks.Contains($"name: {c.Name},", StringComparison.Ordinal))).Concat(_kinds))
            foreach (var document in kind.Documents(outside)) await _door.PostAsync("api/v1/definitions", document, "application/yaml", cancel);
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
                var kind = Of(number);
                if (kind.IsBegunByEvent)
                {
                    await OrderAsync(number, random, cancel);
                    continue;
                }
                var id = await StartAsync(number, random, cancel);
                if (!kind.IsNotFollowed) Started.Writer.TryWrite(id);
                if (kind.Sequel != ChaosSequel.None) _wishes.Add(Sequels.FollowAsync(kind, number, id, random.Next(), cancel));
                if (kind.Ask is { } ask) _wishes.Add(Voters.DecideAsync(number, id, ask, random.Next(), cancel));
                if (kind.IsPaused) _wishes.Add(PauseAsync(id, random.Between(0, 1), random.Between(0.2, 2), random.Next(), cancel));
                else if (kind.Told.Length > 0) _wishes.Add(TellAsync(number, random.Between(0, 2), random.Next(), cancel));
                else if (kind.IsWithdrawn) _wishes.Add(CancelAsync(id, random.Between(0, 1), random.Next(), cancel));
            }
        }));
        Started.Writer.TryComplete();
        await enough.CancelAsync();
        var bulks = new[]
        {
            Sequels.BulkAsync("bulked", "retry", ChaosKind.Faulted, RunsFor(ChaosSequel.BulkRetry), new Random(_seed * 31 + 500), cancel),
            Sequels.BulkAsync("swept", "cancel", null, RunsFor(ChaosSequel.BulkCancel), new Random(_seed * 31 + 501), cancel),
            Sequels.BulkAsync("copied", "fork", ChaosKind.Completed, RunsFor(ChaosSequel.BulkFork), new Random(_seed * 31 + 502), cancel, """, "task": "/do/2/rest" """),
            StandAsync(RunsFor(ChaosSequel.BulkStand), new Random(_seed * 31 + 503), cancel),
        };
        await Task.WhenAll([holding, .. bulks, .. _wishes]);
    }

    /// <summary>All runs that wait for one event stand, go on, and hear it.</summary>
    private async Task StandAsync(List<string> runs, Random random, CancellationToken cancel)
    {
        await Sequels.BulkAsync("stood", "suspend", null, runs, random, cancel);
        await Sequels.BulkAsync("stood", "resume", null, runs, random, cancel);
        if (runs.Count > 0) await SendAsync(ChaosKind.FreeType, ChaosKind.FreeType, 0, random, cancel);
    }

    private List<string> RunsFor(ChaosSequel sequel) => [.. _acknowledged.Where(a => Of(a.Key).Sequel == sequel).Select(a => a.Value)];

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

    private int Round(int number) => number / OfKindAtOnce / _kinds.Count;

    private string LineOf(int number) => string.Create(CultureInfo.InvariantCulture, $"k{Round(number) % 3}");

    /// <summary>The key that a run shares with the two others of its kind that come next to it.</summary>
    public string TrioOf(int number) => string.Create(CultureInfo.InvariantCulture, $"t{Round(number)}");

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

    /// <summary>Sends the event that a run waits for.</summary>
    private async Task TellAsync(int number, TimeSpan after, int seed, CancellationToken cancel)
    {
        await Pause.ForAsync(after, cancel);
        var random = new Random(seed);
        foreach (var type in Of(number).Told) await SendAsync($"{type}-{number}", type, number, random, cancel);
    }

    /// <summary>Sends the event that begins a run.</summary>
    private async Task OrderAsync(int number, Random random, CancellationToken cancel)
    {
        await SendAsync($"order-{number}", ChaosKind.OrderType, number, random, cancel);
        _ordered[number] = true;
    }

    /// <summary>Until it is acknowledged, always under the same id.</summary>
    private async Task SendAsync(string id, string type, int number, Random random, CancellationToken cancel)
    {
        var body = $$"""{"specversion": "1.0", "id": "{{id}}", "source": "https://chaos.example", "type": "{{type}}", "subject": "r{{number}}", "data": {"n": "r{{number}}"} }""";
        while (!cancel.IsCancellationRequested)
        {
            var (status, text) = await _door.AskAsync("api/v1/events", body, null, random, cancel, "application/cloudevents+json");
            if (status is { } told && (int)told is >= 200 and < 300) return;
            await _door.SurprisedAsync("event", status, text, cancel);
        }
    }

    /// <returns>How often nobody answered.</returns>
    private Task<int> WishAsync(string id, string wish, Random random, CancellationToken cancel) => _door.WishAsync(wish, $"api/v1/runs/{id}/{wish}", () => "{}", random, cancel);
}
