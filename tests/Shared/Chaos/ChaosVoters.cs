using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Millrace.Tests.Chaos;

/// <summary>What a run of a kind asks people, and how those who are asked answer.</summary>
/// <param name="Voters">Who decides, each at a moment of their own.</param>
/// <param name="RejectsByQuorum">As many noes as yeses are needed; else one is enough.</param>
/// <param name="Within">The longest that a voter waits after the question is known, in seconds.</param>
internal sealed record ChaosAsk(string[] Voters, int Quorum, bool RejectsByQuorum, double Within)
{
    /// <summary>Voters decide by links that were made for them.</summary>
    public bool ByLink { get; init; }

    /// <summary>Who hands the vote on to the first of the voters before that one decides.</summary>
    public string? HandedOnBy { get; init; }

    /// <summary>Time may decide.</summary>
    public bool Expires { get; init; }

    /// <summary>The run may be cancelled before anybody decides.</summary>
    public bool IsWithdrawn { get; init; }

    /// <summary>What so many of either come to: the state of the question, as its row says it.</summary>
    public long Outcome(int approvals, int rejections) => rejections >= (RejectsByQuorum ? Quorum : 1) ? Rejected : approvals >= Quorum ? Approved : Open;

    public const long Open = 0, Approved = 1, Rejected = 2, Cancelled = 4;
}

/// <param name="Counts">Whether the person was told that it counts; else that it came too late.</param>
/// <param name="IsSure">No earlier attempt went without an answer, so it cannot have been taken after all.</param>
internal sealed record ChaosVote(Guid Approval, string Person, bool Approves, bool Counts, bool IsSure);

/// <summary>People who decide: each by themselves, some twice at once, again when no answer comes, and late.</summary>
internal sealed class ChaosVoters(ChaosDoor door)
{
    private readonly ConcurrentBag<ChaosVote> _said = [];

    /// <summary>What each person was told in the end.</summary>
    public IReadOnlyCollection<ChaosVote> Said => _said;

    public async Task DecideAsync(int number, string run, ChaosAsk ask, int seed, CancellationToken cancel)
    {
        var random = new Random(seed);
        if (await FindAsync(run, ask, random, cancel) is not { } approval) return;
        if (ask.HandedOnBy is { } giver) await HandOnAsync(approval, giver, ask.Voters[0], random, cancel);
        await Task.WhenAll(ask.Voters.Select(voter => DecideAsync(number, approval, voter, ask, new Random(random.Next()), cancel)));
    }

    private async Task DecideAsync(int number, Guid approval, string voter, ChaosAsk ask, Random random, CancellationToken cancel)
    {
        await Pause.ForAsync(random.Between(0, ask.Within), cancel);
        var approves = random.Next(4) > 0;
        var path = ask.ByLink ? await LinkAsync(approval, voter, random, cancel) : $"api/v1/approvals/{approval}/decisions";
        if (path is null)
        {
            _said.Add(new ChaosVote(approval, voter, approves, false, true));
            return;
        }
        var body = string.Create(CultureInfo.InvariantCulture, $$"""{"by": "{{voter}}", "decision": "{{(approves ? "approve" : "reject")}}", "comment": "r{{number}}"}""");
        // Twice at once: both are told the same.
        var both = await Task.WhenAll(Enumerable.Range(0, 1 + random.Next(2)).Select(_ => VoteAsync(path, body, new Random(random.Next()), cancel)));
        if (both.Select(b => b.Counts).Distinct().Count() > 1 && both.All(b => b.IsSure)) await door.SurprisedAsync("both of one vote", HttpStatusCode.Conflict, $"{approval} {voter}", cancel);
        var counts = both.Any(b => b.Counts);
        _said.Add(new ChaosVote(approval, voter, approves, counts, both.All(b => b.IsSure)));
        if (!counts) return;
        // Long after, whoever says the same again is told the same, and whoever says otherwise is not heard.
        await Pause.ForAsync(random.Between(0, 2), cancel);
        if (!(await VoteAsync(path, body, random, cancel)).Counts) await door.SurprisedAsync("a vote repeated late", HttpStatusCode.Conflict, $"{approval} {voter}", cancel);
        var other = body.Replace(approves ? "\"approve\"" : "\"reject\"", approves ? "\"reject\"" : "\"approve\"", StringComparison.Ordinal);
        if ((await VoteAsync(path, other, random, cancel)).Counts) await door.SurprisedAsync("another vote of the same person", HttpStatusCode.OK, $"{approval} {voter}", cancel);
    }

    private async Task<(bool Counts, bool IsSure)> VoteAsync(string path, string body, Random random, CancellationToken cancel)
    {
        for (var sure = true; ; sure = false)
        {
            cancel.ThrowIfCancellationRequested();
            var (status, text) = await door.AskAsync(path, body, null, random, cancel);
            if (status == HttpStatusCode.OK) return (true, sure);
            if (status == HttpStatusCode.Conflict && Code(text) is "approval.closed" or "approval.said_otherwise") return (false, sure);
            await door.SurprisedAsync("vote", status, text, cancel);
        }
    }

    /// <returns>Null when the question is closed by now.</returns>
    private async Task<string?> LinkAsync(Guid approval, string voter, Random random, CancellationToken cancel)
    {
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            var (status, text) = await door.AskAsync($"api/v1/approvals/{approval}/links", $$"""{"for": "{{voter}}"}""", null, random, cancel);
            if (status == HttpStatusCode.Created) return $"api/v1/approvals/link/{JsonDocument.Parse(text).RootElement.GetProperty("token").GetString()}";
            if (status == HttpStatusCode.Conflict && Code(text) == "approval.closed") return null;
            await door.SurprisedAsync("link", status, text, cancel);
        }
    }

    private async Task HandOnAsync(Guid approval, string by, string to, Random random, CancellationToken cancel)
    {
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            var (status, text) = await door.AskAsync($"api/v1/approvals/{approval}/delegation", $$"""{"by": "{{by}}", "to": "{{to}}"}""", null, random, cancel);
            if (status == HttpStatusCode.OK) return;
            await door.SurprisedAsync("delegation", status, text, cancel);
        }
    }

    /// <returns>The question of a run, once it asks; null when it ended without.</returns>
    private async Task<Guid?> FindAsync(string run, ChaosAsk ask, Random random, CancellationToken cancel)
    {
        for (var asked = 0; ; asked++)
        {
            cancel.ThrowIfCancellationRequested();
            var (status, text) = await door.AskAsync($"api/v1/approvals?run={run}", null, null, random, cancel);
            if (status == HttpStatusCode.OK)
            {
                var items = JsonDocument.Parse(text).RootElement.GetProperty("items");
                if (items.GetArrayLength() > 0) return items[0].GetProperty("id").GetGuid();
                if (ask.IsWithdrawn && await IsOverAsync(run, random, cancel)) return null;
                await Pause.LongerAsync(asked, cancel);
            }
            else await door.SurprisedAsync("questions", status, text, cancel);
        }
    }

    private async Task<bool> IsOverAsync(string run, Random random, CancellationToken cancel)
    {
        var (status, text) = await door.AskAsync($"api/v1/runs/{run}", null, null, random, cancel);
        return status == HttpStatusCode.OK && JsonDocument.Parse(text).RootElement.GetProperty("state").GetString() == "cancelled";
    }

    private static string? Code(string text) => JsonDocument.Parse(text).RootElement.TryGetProperty("code", out var code) ? code.GetString() : null;
}
