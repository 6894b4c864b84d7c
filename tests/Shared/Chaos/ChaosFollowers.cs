using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;

namespace Millrace.Tests.Chaos;

/// <summary>Followers of streams through both apis. They hang up now and then, are cut off by faults, and come again with the last id they saw.</summary>
internal sealed class ChaosFollowers(ChaosCluster cluster, int seed) : IDisposable
{
    private const int OfRuns = 16, OfWorkspace = 4;

    /// <summary>Longer than the heartbeat.</summary>
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(17);

    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) }) { Timeout = Timeout.InfiniteTimeSpan };
    private readonly ConcurrentDictionary<string, long> _ends = new();
    private int _gaps;
    private int _duplicates;
    private int _connections;

    public int Gaps => _gaps;
    public int Duplicates => _duplicates;
    public int Connections => _connections;

    /// <summary>Runs followed to their end, with the last position told.</summary>
    public IReadOnlyDictionary<string, long> Ends => _ends;

    /// <summary>What each follower of the workspace was told of each run last.</summary>
    public ConcurrentDictionary<string, string>[] Told { get; } = [.. Enumerable.Range(0, OfWorkspace).Select(_ => new ConcurrentDictionary<string, string>())];

    public Action<string> Complain { get; set; } = _ => { };

    /// <summary>Ends when there are no more runs to follow; the workspace is followed until <paramref name="stop"/>.</summary>
    public Task FollowAsync(ChannelReader<string> started, CancellationToken stop) => Task.WhenAll(
        Enumerable.Range(0, OfRuns).Select(n => FollowRunsAsync(started, new Random(seed * 31 + 200 + n), stop))
            .Concat(Enumerable.Range(0, OfWorkspace).Select(n => FollowWorkspaceAsync(n, new Random(seed * 31 + 300 + n), stop))));

    public void Dispose() => _http.Dispose();

    private async Task FollowRunsAsync(ChannelReader<string> started, Random random, CancellationToken stop)
    {
        try
        {
            await foreach (var run in started.ReadAllAsync(stop))
            {
                var last = -1L;
                var ended = false;
                while (!ended && !stop.IsCancellationRequested)
                {
                    await ConnectAsync($"api/v1/runs/{run}/stream", last < 0 ? null : last, random, (name, id, _) =>
                    {
                        if (name == "end") ended = true;
                        if (name != "record") return;
                        if (id <= last) Wrong(ref _duplicates, $"run {run} told {id} after {last}");
                        else if (id != last + 1) Wrong(ref _gaps, $"run {run} told {id} after {last}");
                        last = Math.Max(last, id);
                    }, () => ended, stop);
                }
                if (ended) _ends[run] = last;
            }
        }
        catch (OperationCanceledException)
        {
            // Enough was followed.
        }
    }

    private async Task FollowWorkspaceAsync(int number, Random random, CancellationToken stop)
    {
        var last = -1L;
        while (!stop.IsCancellationRequested)
        {
            await ConnectAsync(last < 0 ? "api/v1/stream?after=0" : "api/v1/stream", last < 0 ? null : last, random, (name, id, data) =>
            {
                if (name != "run") return;
                if (id <= last) Wrong(ref _duplicates, $"workspace told {id} after {last}");
                last = Math.Max(last, id);
                var run = JsonDocument.Parse(data).RootElement;
                Told[number][run.GetProperty("id").GetString()!] = run.GetProperty("state").GetString()!;
            }, () => false, stop);
        }
    }

    private void Wrong(ref int count, string what)
    {
        Interlocked.Increment(ref count);
        Complain(what);
    }

    private async Task ConnectAsync(string path, long? last, Random random, Action<string, long, string> message, Func<bool> ended, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var leave = random.Between(2, 20);
        try
        {
            Interlocked.Increment(ref _connections);
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(cluster.Api[random.Next(cluster.Api.Length)].Address, path));
            if (last is { } id) request.Headers.Add("Last-Event-ID", id.ToString(CultureInfo.InvariantCulture));
            patience.CancelAfter(leave < SilenceMax ? leave : SilenceMax);
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            if (!response.IsSuccessStatusCode) await Pause.ForAsync(TimeSpan.FromMilliseconds(300), stop);
            else await ReadAsync(new StreamReader(await response.Content.ReadAsStreamAsync(patience.Token)), message, ended, patience.Token);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            await Pause.ForAsync(TimeSpan.FromMilliseconds(100), stop);
        }
    }

    /// <summary>As browsers do: what has not come whole, to its empty line, has not come.</summary>
    private static async Task ReadAsync(StreamReader lines, Action<string, long, string> message, Func<bool> ended, CancellationToken cancel)
    {
        var (name, id, data) = ("", -1L, "");
        while (!ended() && await lines.ReadLineAsync(cancel) is { } line)
        {
            if (line.Length == 0)
            {
                if (name.Length > 0) message(name, id, data);
                (name, id, data) = ("", -1L, "");
            }
            else if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            else if (line.StartsWith("id: ", StringComparison.Ordinal)) id = long.Parse(line[4..], CultureInfo.InvariantCulture);
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
        }
    }
}
