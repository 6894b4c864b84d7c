using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;

namespace Millrace.Tests.Chaos;

/// <param name="From">When it was first seen to stand.</param>
/// <param name="To">When it was asked for the last time whether it does, and did.</param>
internal sealed record ChaosHold(DateTimeOffset From, DateTimeOffset To);

/// <summary>
/// Somebody who has a definition stand and go on again, and now and then the workspace. A wish that was not answered may still come true
/// when the api that stood still goes on, so that a definition counts as standing for as long as the very same suspension is seen.
/// </summary>
internal sealed class ChaosHolds(ChaosDoor door, int seed)
{
    /// <summary>How often it is looked, every two seconds, for holds that an api that stood still made after all.</summary>
    private const int LooksMax = 10;

    private const string Definition = $"api/v1/definitions/chaos/{ChaosKind.Held}", Workspace = "api/v1/workspace";

    private readonly ConcurrentBag<ChaosHold> _stood = [];
    private readonly ConcurrentBag<string> _complaints = [];
    private int _wishes;
    private int _suspensionsUnanswered;
    private int _resumptionsUnanswered;

    /// <summary>When the definition stood for certain.</summary>
    public IReadOnlyCollection<ChaosHold> Stood => _stood;

    /// <summary>Holds that ended although every wish that they end had been answered before they began.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <summary>Holds of the definition that a wish carried out late may have ended.</summary>
    public int Lapsed { get; private set; }

    public async Task RunAsync(CancellationToken stop, CancellationToken cancel)
    {
        var random = new Random(seed * 31 + 400);
        while (await Pause.ForAsync(random.Between(1, 6), stop))
        {
            if (random.Next(4) == 0)
            {
                await SuspendAsync(Workspace, random, cancel);
                await Pause.ForAsync(random.Between(0.2, 2), cancel);
                await ResumeAsync(Workspace, random, cancel);
                continue;
            }
            await SuspendAsync(Definition, random, cancel);
            var (from, held) = (DateTimeOffset.UtcNow, await SeeAsync(random, cancel));
            await Pause.ForAsync(random.Between(2, 11), cancel);
            var (to, still) = (DateTimeOffset.UtcNow, await SeeAsync(random, cancel));
            if (held is not null && held == still) _stood.Add(new ChaosHold(from, to));
            else if (_resumptionsUnanswered > 0) Lapsed++;
            else _complaints.Add($"a hold ended by itself: {held ?? "none"} at {from:O}, {still ?? "none"} at {to:O}");
            await ResumeAsync(Definition, random, cancel);
        }
        for (var looks = 0; _suspensionsUnanswered > 0 && looks < LooksMax; looks++)
        {
            foreach (var path in new[] { Workspace, Definition }) await ResumeAsync(path, random, cancel);
            await Pause.ForAsync(TimeSpan.FromSeconds(2), cancel);
        }
    }

    private async Task SuspendAsync(string path, Random random, CancellationToken cancel) =>
        _suspensionsUnanswered += await door.WishAsync(path, $"{path}/suspension", () => $$"""{"reason": "wish {{++_wishes}}"}""", random, cancel);

    private async Task ResumeAsync(string path, Random random, CancellationToken cancel) =>
        _resumptionsUnanswered += await door.WishAsync(path, $"{path}/resumption", () => "{}", random, cancel);

    /// <returns>The suspension of the definition, with whose wish it was and since when it stands; null for none.</returns>
    private async Task<string?> SeeAsync(Random random, CancellationToken cancel)
    {
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            var (status, text) = await door.AskAsync("api/v1/suspensions", null, null, random, cancel);
            if (status is HttpStatusCode.OK)
            {
                using var list = JsonDocument.Parse(text);
                return list.RootElement.GetProperty("items").EnumerateArray().FirstOrDefault(s => s.TryGetProperty("name", out var name) && name.GetString() == ChaosKind.Held) is { ValueKind: JsonValueKind.Object } found ? found.GetRawText() : null;
            }
            await door.SurprisedAsync("suspensions", status, text, cancel);
        }
    }
}
