using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Millrace.Tests.Chaos;

/// <summary>People who do something about a run later: each asks again, under the same key where there is one, until it is answered.</summary>
internal sealed class ChaosSequels(ChaosDoor door)
{
    private const string Deadly = "chaos/deadly";

    /// <summary>A run that takes longer to come to its end is left to the verdict.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>How many runs are asked about at once by whoever waits for all of them.</summary>
    private const int AtOnce = 8;

    private readonly ConcurrentDictionary<string, string> _forks = new();
    private int _bulks;

    /// <summary>Run to the fork that somebody was told of.</summary>
    public IReadOnlyDictionary<string, string> Forks => _forks;

    /// <summary>Wishes about many runs that were carried out.</summary>
    public int Bulks => _bulks;

    public Task FollowAsync(ChaosKind kind, int number, string run, int seed, CancellationToken cancel)
    {
        var random = new Random(seed);
        return kind.Sequel switch
        {
            ChaosSequel.Fork => ForkAsync(number, run, "", random, cancel),
            ChaosSequel.Upgrade => ForkAsync(number, run, $$""", "definition": {"version": "{{ChaosKind.NewerVersion}}"}""", random, cancel),
            ChaosSequel.Retry => RetryAsync(run, random, cancel),
            ChaosSequel.Redrive => RedriveAsync(run, random, cancel),
            ChaosSequel.Requeue => RequeueAsync(run, random, cancel),
            ChaosSequel.Widen => WidenAsync(run, random, cancel),
            ChaosSequel.Signal => SignalAsync(number, run, random, cancel),
            _ => Task.CompletedTask,
        };
    }

    /// <summary>One wish about all runs of a definition.</summary>
    /// <param name="end">How all of them end first; null: they are under way.</param>
    /// <param name="more">Further members of the request.</param>
    public async Task BulkAsync(string name, string action, string? end, IReadOnlyCollection<string> runs, Random random, CancellationToken cancel, string more = "")
    {
        if (runs.Count == 0) return;
        if (end is not null)
            await Parallel.ForEachAsync(runs.Select(run => (Run: run, Seed: random.Next())).ToList(), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel }, async (one, stop) => await EndAsync(one.Run, new Random(one.Seed), stop, end));
        var states = end is null ? "" : $""", "states": ["{end}"]""";
        var (_, text) = await SayAsync($"bulk {action}", "api/v1/runs/bulk", $$"""{"action": "{{action}}", "filter": {"namespace": "chaos", "name": "{{name}}"{{states}} }{{more}}}""", $"bulk-{action}", random, cancel, HttpStatusCode.Accepted);
        var bulk = JsonDocument.Parse(text).RootElement.GetProperty("id").GetString()!;
        for (var asked = 0; ; asked++)
        {
            (_, text) = await SayAsync("bulk work", $"api/v1/runs/bulk/{bulk}", null, null, random, cancel, HttpStatusCode.OK);
            var work = JsonDocument.Parse(text).RootElement;
            if (work.GetProperty("state").GetString() == "completed")
            {
                if (work.GetProperty("done").GetInt32() != runs.Count) await door.SurprisedAsync($"bulk {action} of {runs.Count}", HttpStatusCode.OK, text, cancel);
                Interlocked.Increment(ref _bulks);
                return;
            }
            await Pause.LongerAsync(asked, cancel);
        }
    }

    /// <summary>From its second effect with another name, whether it is over or not.</summary>
    /// <param name="more">Further members of the request.</param>
    private async Task ForkAsync(int number, string run, string more, Random random, CancellationToken cancel)
    {
        await Pause.ForAsync(random.Between(0, 2), cancel);
        var body = $$"""{"task": "/do/2/b", "input": {"n": "r{{number}}.f"}{{more}} }""";
        Told(run, await SayAsync("fork", $"api/v1/runs/{run}/forks", body, $"fork-{number}", random, cancel, HttpStatusCode.Created, HttpStatusCode.OK));
    }

    private async Task RetryAsync(string run, Random random, CancellationToken cancel)
    {
        if (await EndAsync(run, random, cancel, ChaosKind.Faulted) is null) return;
        Told(run, await SayAsync("retry", $"api/v1/runs/{run}/retry", "{}", $"retry-{run}", random, cancel, HttpStatusCode.Created, HttpStatusCode.OK));
    }

    /// <summary>A redrive has no key: a second one means nothing to a run that has gone back to its map, or has nothing to carry out again.</summary>
    private async Task RedriveAsync(string run, Random random, CancellationToken cancel)
    {
        for (var asked = 0; await EndAsync(run, random, cancel, ChaosKind.Faulted, ChaosKind.Completed) == ChaosKind.Faulted; asked++)
        {
            var (status, text) = await SayAsync("redrive", $"api/v1/runs/{run}/steps/1/redrive", "", null, random, cancel, HttpStatusCode.Accepted, HttpStatusCode.Conflict);
            if (status == HttpStatusCode.Conflict && CodeOf(text) is not ("run.not_finished" or "step.not_redrivable")) await door.SurprisedAsync("redrive", status, text, cancel);
            await Pause.LongerAsync(asked, cancel);
        }
    }

    /// <summary>Asks for all letters of the definition, beside others who do, until that of this run is gone.</summary>
    private async Task RequeueAsync(string run, Random random, CancellationToken cancel)
    {
        if (await EndAsync(run, random, cancel, ChaosKind.Faulted) is null) return;
        var began = Stopwatch.GetTimestamp();
        for (var asked = 0; Stopwatch.GetElapsedTime(began) < Patience; asked++)
        {
            var (_, text) = await SayAsync("requeue", "api/v1/dead-letters/requeue", $$"""{"definition": "{{Deadly}}"}""", null, random, cancel, HttpStatusCode.OK);
            var refused = JsonDocument.Parse(text).RootElement.GetProperty("refused");
            if (refused.GetArrayLength() > 0) await door.SurprisedAsync("requeue", HttpStatusCode.OK, text, cancel);
            (_, text) = await SayAsync("dead letters", $"api/v1/dead-letters?definition={Uri.EscapeDataString(Deadly)}&limit=200", null, null, random, cancel, HttpStatusCode.OK);
            if (JsonDocument.Parse(text).RootElement.GetProperty("items").EnumerateArray().All(l => l.GetProperty("subject").GetString() != run)) return;
            await Pause.LongerAsync(asked, cancel);
        }
    }

    /// <summary>More children at once, and fewer; one that has come to its end takes no more wishes.</summary>
    private async Task WidenAsync(string run, Random random, CancellationToken cancel)
    {
        foreach (var concurrency in (int[])[3, 1, 2])
        {
            await Pause.ForAsync(random.Between(0.1, 0.8), cancel);
            var body = string.Create(CultureInfo.InvariantCulture, $$"""{"concurrency": {{concurrency}}}""");
            for (var asked = 0; ; asked++)
            {
                var (status, text) = await door.AskAsync($"api/v1/runs/{run}/steps/1/concurrency", body, null, random, cancel, method: HttpMethod.Put);
                if (status is HttpStatusCode.Accepted or HttpStatusCode.Conflict) break;
                // The run has not come to its map yet.
                if (status == HttpStatusCode.NotFound) await Pause.LongerAsync(asked, cancel);
                else await door.SurprisedAsync("concurrency", status, text, cancel);
            }
        }
    }

    private async Task SignalAsync(int number, string run, Random random, CancellationToken cancel)
    {
        await Pause.ForAsync(random.Between(0, 2), cancel);
        var body = string.Create(CultureInfo.InvariantCulture, $$"""{"name": "{{ChaosKind.SignalType}}", "data": {"number": {{number}} } }""");
        await SayAsync("signal", $"api/v1/runs/{run}/signals", body, $"signal-{number}", random, cancel, HttpStatusCode.Accepted);
    }

    /// <returns>The one of the states that the run has come to; null when it did not.</returns>
    private async Task<string?> EndAsync(string run, Random random, CancellationToken cancel, params string[] states)
    {
        var began = Stopwatch.GetTimestamp();
        for (var asked = 0; Stopwatch.GetElapsedTime(began) < Patience; asked++)
        {
            var (_, text) = await SayAsync("run", $"api/v1/runs/{run}", null, null, random, cancel, HttpStatusCode.OK);
            var state = JsonDocument.Parse(text).RootElement.GetProperty("state").GetString()!;
            if (states.Contains(state)) return state;
            await Pause.LongerAsync(asked, cancel);
        }
        return null;
    }

    private void Told(string run, (HttpStatusCode, string Text) answer) => _forks[run] = JsonDocument.Parse(answer.Text).RootElement.GetProperty("id").GetString()!;

    /// <summary>Until it is answered with one of these.</summary>
    private async Task<(HttpStatusCode Status, string Text)> SayAsync(string what, string path, string? body, string? key, Random random, CancellationToken cancel, params HttpStatusCode[] hoped)
    {
        for (var asked = 0; ; asked++)
        {
            cancel.ThrowIfCancellationRequested();
            var (status, text) = await door.AskAsync(path, body, key, random, cancel);
            if (status is { } told && hoped.Contains(told)) return (told, text);
            // A run that has not come to the step yet is asked again.
            if (status == HttpStatusCode.UnprocessableEntity && CodeOf(text) == "run.fork_no_step") await Pause.LongerAsync(asked, cancel);
            else await door.SurprisedAsync(what, status, text, cancel);
        }
    }

    private static string? CodeOf(string text) => JsonDocument.Parse(text).RootElement.TryGetProperty("code", out var code) ? code.GetString() : null;
}
