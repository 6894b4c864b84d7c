using System.Collections.Concurrent;
using System.Net;

namespace Millrace.Tests.Chaos;

/// <param name="From">When it was answered that the definition stands.</param>
/// <param name="To">When it was asked for that it goes on.</param>
internal sealed record ChaosHold(DateTimeOffset From, DateTimeOffset To);

/// <summary>Somebody who has a definition stand and go on again, and now and then the workspace.</summary>
internal sealed class ChaosHolds(ChaosDoor door, int seed)
{
    /// <summary>How often it is looked, every two seconds, for holds that an api that stood still made after all.</summary>
    private const int LooksMax = 10;

    private const string Definition = $"api/v1/definitions/chaos/{ChaosKind.Held}", Workspace = "api/v1/workspace";

    private readonly ConcurrentBag<ChaosHold> _stood = [];
    private int _unanswered;

    /// <summary>When the definition stood for certain.</summary>
    public IReadOnlyCollection<ChaosHold> Stood => _stood;

    public async Task RunAsync(CancellationToken stop, CancellationToken cancel)
    {
        var random = new Random(seed * 31 + 400);
        while (await Pause.ForAsync(random.Between(1, 6), stop))
        {
            var all = random.Next(4) == 0;
            var path = all ? Workspace : Definition;
            await WishAsync($"{path}/suspension", random, cancel);
            var from = DateTimeOffset.UtcNow;
            await Pause.ForAsync(all ? random.Between(0.2, 2) : random.Between(2, 11), cancel);
            var to = DateTimeOffset.UtcNow;
            await WishAsync($"{path}/resumption", random, cancel);
            if (!all) _stood.Add(new ChaosHold(from, to));
        }
        for (var looks = 0; _unanswered > 0 && looks < LooksMax; looks++)
        {
            foreach (var path in new[] { Workspace, Definition }) await WishAsync($"{path}/resumption", random, cancel);
            await Pause.ForAsync(TimeSpan.FromSeconds(2), cancel);
        }
    }

    private async Task WishAsync(string path, Random random, CancellationToken cancel)
    {
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            var (status, text) = await door.AskAsync(path, "{}", null, random, cancel);
            // 409: it is so already.
            if (status is HttpStatusCode.Accepted or HttpStatusCode.Conflict) return;
            _unanswered++;
            await door.SurprisedAsync(path, status, text, cancel);
        }
    }
}
