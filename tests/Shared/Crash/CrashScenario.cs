using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Millrace.Tests.Crash;

/// <summary>What a crash scenario found.</summary>
/// <param name="Completed">Runs that are completed, of those asked for.</param>
/// <param name="Effects">Distinct idempotency keys that the outside recorded.</param>
/// <param name="Repeated">Requests beyond the first under their key: effects that were under way when the server died.</param>
/// <param name="Unfinished">Runs in other states, with their number.</param>
internal sealed record CrashResult(int Kills, int Completed, int Effects, int Repeated, string Unfinished, TimeSpan Took);

/// <summary>
/// Runs of keyed steps while the server is killed with -9 again and again, at moments chosen by a seeded generator; at the
/// end everything asked for must have happened, and every effect must be recorded once under its key.
/// </summary>
internal sealed class CrashScenario(string serverDll, int runs, int stepsPerRun, int kills, int seed)
{
    private const int ClientsMax = 16;

    private readonly Random _random = new(seed);
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly TaskCompletionSource<Uri>[] _address = [new(TaskCreationOptions.RunContinuationsAsynchronously)];

    public async Task<CrashResult> RunAsync(CancellationToken cancel)
    {
        var began = System.Diagnostics.Stopwatch.StartNew();
        var data = Directory.CreateTempSubdirectory("millrace-crash-").FullName;
        await using var outside = await CountingService.StartAsync();
        try
        {
            var server = await ServerProcess.StartAsync(serverDll, data, cancel);
            await PushAsync(server.Address, outside.Address, cancel);
            _address[0].SetResult(server.Address);
            var starts = StartAllAsync(cancel);
            for (var kill = 1; kill <= kills; kill++)
            {
                // Death comes after so many more effects have been asked for: somewhere between none and the share of one life.
                var share = runs * stepsPerRun / (kills + 2);
                await ArrivalsAsync(outside, outside.Attempts + _random.Next(1, share), cancel);
                _address[0] = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
                await server.KillAsync();
                server.Dispose();
                server = await ServerProcess.StartAsync(serverDll, data, cancel);
                _address[0].SetResult(server.Address);
            }
            await starts;
            var unfinished = await AllFinishedAsync(server.Address, cancel);
            var completed = await CountAsync(server.Address, "completed", cancel);
            server.Dispose();
            return new CrashResult(kills, completed, outside.Recorded.Count, outside.Attempts - outside.Recorded.Count, unfinished, began.Elapsed);
        }
        finally
        {
            _http.Dispose();
            Directory.Delete(data, recursive: true);
        }
    }

    private async Task PushAsync(Uri server, Uri outside, CancellationToken cancel)
    {
        var document = new StringBuilder("document: { dsl: 1.0.3, namespace: crash, name: steps, version: 1.0.0 }\ndo:\n");
        for (var i = 1; i <= stepsPerRun; i++)
            document.Append(CultureInfo.InvariantCulture, $"  - effect{i}: {{ call: http, with: {{ method: post, endpoint: '{outside}effects/{i}', body: {{ step: {i} }} }} }}\n");
        using var content = new StringContent(document.ToString(), Encoding.UTF8, "application/yaml");
        using var response = await _http.PostAsync(new Uri(server, "api/v1/definitions"), content, cancel);
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException(await response.Content.ReadAsStringAsync(cancel));
    }

    /// <summary>Asks for every run until it is acknowledged, each under a key of its own, as a careful client does.</summary>
    private async Task StartAllAsync(CancellationToken cancel)
    {
        var next = 0;
        await Task.WhenAll(Enumerable.Range(0, ClientsMax).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var number && number <= runs)
                while (!await TryStartAsync(number, cancel)) { }
        }));
    }

    private async Task<bool> TryStartAsync(int number, CancellationToken cancel)
    {
        var server = await _address[0].Task.WaitAsync(cancel);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server, "api/v1/runs"));
            request.Headers.Add("Idempotency-Key", $"run-{number}");
            request.Content = new StringContent("""{"definition": {"namespace": "crash", "name": "steps", "version": "1.0.0"}, "input": {}}""", Encoding.UTF8, "application/json");
            using var response = await _http.SendAsync(request, cancel);
            return response.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task ArrivalsAsync(CountingService outside, int count, CancellationToken cancel)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        outside.Arrived = n =>
        {
            if (n >= count) reached.TrySetResult();
        };
        if (outside.Attempts >= count) reached.TrySetResult();
        await reached.Task.WaitAsync(cancel);
    }

    /// <returns>What is not completed once nothing is pending, running or waiting; empty when all is well.</returns>
    private async Task<string> AllFinishedAsync(Uri server, CancellationToken cancel)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (await pulse.WaitForNextTickAsync(cancel))
        {
            var live = 0;
            foreach (var state in new[] { "pending", "running", "waiting", "suspended" }) live += await CountAsync(server, state, cancel);
            if (live > 0) continue;
            var others = new List<string>();
            foreach (var state in new[] { "faulted", "cancelled" })
                if (await CountAsync(server, state, cancel) is > 0 and var count) others.Add($"{count} {state}");
            return string.Join(", ", others);
        }
        return "";
    }

    private async Task<int> CountAsync(Uri server, string state, CancellationToken cancel)
    {
        var json = await _http.GetStringAsync(new Uri(server, "api/v1/system"), cancel);
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty("runs").TryGetProperty(state, out var count) ? count.GetInt32() : 0;
    }
}
