using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Millrace.Tests.Crash;
using Millrace.Tests.Servers;

namespace Millrace.Crash.Tests;

/// <summary><c>./run --cluster</c> as somebody who has just cloned the repository starts it (./test has built it).</summary>
public sealed partial class ClusterScriptTests : IAsyncDisposable
{
    private const int Runs = 30, Each = 15, Terminated = 143;

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("millrace-cluster-");
    private readonly HttpClient _http = new();
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromMinutes(3));
    private readonly ConcurrentQueue<string> _said = new();
    private readonly ConcurrentDictionary<string, (int Pid, string Address)> _started = new();
    private readonly TaskCompletionSource _serves = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _again = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Process? _script;

    public async ValueTask DisposeAsync()
    {
        if (_script is { HasExited: false })
        {
            Signal("TERM", _script.Id);
            await _script.WaitForExitAsync(_patience.Token);
        }
        _script?.Dispose();
        _http.Dispose();
        _patience.Dispose();
        _data.Delete(recursive: true);
    }

    [Fact]
    public async Task It_serves_loses_no_run_with_a_worker_and_leaves_nothing_running()
    {
        await using var outside = await CountingService.StartAsync();
        var underway = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        outside.Arrived = number =>
        {
            if (number == Runs * Each / 5) underway.TrySetResult();
        };
        Start();
        await SoonAsync(_serves.Task);
        Assert.Equal(["api-1", "api-2", "postgres", "redis", "scheduler", "worker-1", "worker-2", "worker-3"], _started.Keys.Where(k => k != "s3").Order(StringComparer.Ordinal));

        var runs = await StartRunsAsync(new Uri(_started["api-1"].Address), outside.Address);
        await SoonAsync(underway.Task);
        var killed = _started["worker-2"];
        Assert.True(await HeldAsync(killed.Address) > 0, "The worker that is killed has runs.");
        Signal("KILL", killed.Pid);
        foreach (var run in runs) Assert.Equal("completed", await EndAsync(new Uri(_started["api-2"].Address), run));
        Assert.Equal((Runs * Each, 0), (outside.Recorded.Count, outside.Contradictions));
        await SoonAsync(_again.Task);
        Assert.NotEqual(killed.Pid, _started["worker-2"].Pid);

        Signal("TERM", _script!.Id);
        await _script.WaitForExitAsync(_patience.Token);
        Assert.True(_script.ExitCode == Terminated, string.Join('\n', _said));
        Assert.Empty(StillRunning());
    }

    private void Start()
    {
        // PostgreSQL does not run as root, and has to reach its folder.
        using (var open = Process.Start("chmod", ["a+rx", _data.FullName])) open.WaitForExit();
        var start = new ProcessStartInfo(Path.Combine(Repository(), "run"), ["--cluster", "--port", FreePorts().ToString(CultureInfo.InvariantCulture), "--data", _data.FullName])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _script = Process.Start(start)!;
        _script.OutputDataReceived += (_, line) => Hear(line.Data);
        _script.ErrorDataReceived += (_, line) => Hear(line.Data);
        _script.BeginOutputReadLine();
        _script.BeginErrorReadLine();
    }

    private void Hear(string? line)
    {
        if (line is null)
        {
            foreach (var waiting in new[] { _serves, _again }) waiting.TrySetException(new InvalidOperationException(string.Join('\n', _said)));
            return;
        }
        _said.Enqueue(line);
        if (Listed().Match(line) is { Success: true } one) _started[one.Groups[1].Value] = (Number(one.Groups[2]), one.Groups[3].Value.Replace("/metrics", "/", StringComparison.Ordinal));
        // The last of the list.
        if (line.StartsWith("  api-2 ", StringComparison.Ordinal)) _serves.TrySetResult();
        if (Again().Match(line) is not { Success: true } again) return;
        _started[again.Groups[1].Value] = _started[again.Groups[1].Value] with { Pid = Number(again.Groups[2]) };
        _again.TrySetResult();
    }

    private async Task<List<string>> StartRunsAsync(Uri api, Uri outside)
    {
        var tasks = $$"""
              - each:
                  for: { each: item, in: '${ [range({{Each}})] }' }
                  do:
                    - effect: { call: http, with: { method: post, endpoint: '{{outside}}effects/one', body: { n: '${ $item }' } } }
                    - rest: { wait: PT0.1S }
            """;
        using var document = new StringContent($"document: {{ dsl: 1.0.3, namespace: cluster, name: one, version: 1.0.0 }}\ndo:\n{tasks}", Encoding.UTF8, "application/yaml");
        using var pushed = await _http.PostAsync(new Uri(api, "api/v1/definitions"), document, _patience.Token);
        Assert.True(pushed.IsSuccessStatusCode, await pushed.Content.ReadAsStringAsync(_patience.Token));
        var runs = new List<string>();
        while (runs.Count < Runs)
        {
            using var start = new StringContent("""{"definition": {"namespace": "cluster", "name": "one"}}""", Encoding.UTF8, "application/json");
            using var started = await _http.PostAsync(new Uri(api, "api/v1/runs"), start, _patience.Token);
            runs.Add(JsonDocument.Parse(await started.Content.ReadAsStringAsync(_patience.Token)).RootElement.GetProperty("id").GetString()!);
        }
        return runs;
    }

    private async Task<string?> EndAsync(Uri api, string run)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await pulse.WaitForNextTickAsync(_patience.Token))
        {
            var state = JsonDocument.Parse(await _http.GetStringAsync(new Uri(api, $"api/v1/runs/{run}"), _patience.Token)).RootElement.GetProperty("state").GetString();
            if (state is not ("pending" or "running" or "waiting")) return state;
        }
        return null;
    }

    /// <summary>Runs that a worker has in memory; they rest for moments in which none is.</summary>
    private async Task<int> HeldAsync(string worker)
    {
        for (var look = 0; look < 50; look++)
        {
            var held = Held().Match(await _http.GetStringAsync(new Uri(new Uri(worker), "metrics"), _patience.Token));
            if (held.Success && held.Groups[1].Value != "0") return Number(held.Groups[1]);
        }
        return 0;
    }

    /// <summary>What names the data folder, and what listens where the cluster did.</summary>
    private List<string> StillRunning()
    {
        var left = new List<string>();
        foreach (var process in Process.GetProcesses())
        {
            using (process)
            {
                try
                {
                    var command = File.ReadAllText($"/proc/{process.Id}/cmdline").Replace('\0', ' ');
                    if (command.Contains(_data.Name, StringComparison.Ordinal)) left.Add(command);
                }
                catch (IOException)
                {
                    // It has gone.
                }
            }
        }
        foreach (var (name, (_, address)) in _started)
        {
            using var socket = new TcpClient();
            var place = new Uri(address.Contains("://", StringComparison.Ordinal) ? address : $"tcp://{address}");
            try
            {
                socket.Connect(place.Host, place.Port);
                left.Add($"{name} at {place}");
            }
            catch (SocketException)
            {
                // Nobody listens.
            }
        }
        return left;
    }

    /// <summary>The first of a row of ports, of which the cluster takes some.</summary>
    private static int FreePorts()
    {
        while (true)
        {
            var first = Random.Shared.Next(20_000, 30_000);
            if (Enumerable.Range(first, 40).All(LoopbackPort.IsFree)) return first;
        }
    }

    private Task SoonAsync(Task task) => task.WaitAsync(_patience.Token);

    private static void Signal(string name, int process)
    {
        using var kill = Process.Start("kill", [$"-{name}", process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private static int Number(Group group) => int.Parse(group.Value, CultureInfo.InvariantCulture);

    private static string Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Millrace.slnx"))) return folder.FullName;
        throw new InvalidOperationException("The tests run outside the repository.");
    }

    [GeneratedRegex(@"^  (\S+) +pid (\d+) +(\S+)$")]
    private static partial Regex Listed();

    [GeneratedRegex(@"^cluster: (\S+) was gone; it is started again, pid (\d+)$")]
    private static partial Regex Again();

    [GeneratedRegex(@"^millrace_runs_held(?:\{[^}]*\})? (\d+)", RegexOptions.Multiline)]
    private static partial Regex Held();
}
