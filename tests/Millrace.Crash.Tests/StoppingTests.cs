using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Millrace.Tests.Crash;
using Millrace.Tests.Servers;

namespace Millrace.Crash.Tests;

/// <summary>The server as service managers and people at a terminal stop it.</summary>
public sealed class StoppingTests : IDisposable
{
    private const int Steps = 300, Terminated = 143;

    private static readonly string Server = Path.Combine(AppContext.BaseDirectory, "Millrace.Server.dll");

    private readonly string _data = Directory.CreateTempSubdirectory("millrace-stop-").FullName;
    private readonly HttpClient _http = new();
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromMinutes(2));

    public void Dispose()
    {
        _http.Dispose();
        _patience.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task An_idle_server_ends_well_when_it_is_asked_to()
    {
        using var server = await ServerProcess.StartAsync(Server, _data, _patience.Token);
        server.Terminate();
        Assert.Equal(0, await server.EndAsync(_patience.Token));
    }

    [Fact]
    public async Task A_run_under_way_goes_on_after_a_stop_and_repeats_nothing_under_another_key()
    {
        await using var outside = await CountingService.StartAsync();
        var underway = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        outside.Arrived = number =>
        {
            if (number == Steps / 10) underway.TrySetResult();
        };
        string run;
        using (var server = await ServerProcess.StartAsync(Server, _data, _patience.Token))
        {
            run = await StartAsync(server.Address, $$"""
                  - each:
                      for: { each: item, in: '${ [range({{Steps}})] }' }
                      do:
                        - effect: { call: http, with: { method: post, endpoint: '{{outside.Address}}effects/one', body: { n: '${ $item }' } } }
                        - rest: { wait: PT0.02S }
                """);
            await underway.Task.WaitAsync(_patience.Token);
            server.Terminate();
            Assert.Equal(0, await server.EndAsync(_patience.Token));
            Assert.InRange(outside.Recorded.Count, Steps / 10, Steps - 1);
        }
        using var again = await ServerProcess.StartAsync(Server, _data, _patience.Token);
        Assert.Equal("completed", await EndAsync(again.Address, run));
        Assert.Equal(Steps, outside.Recorded.Count);
        again.Terminate();
        Assert.Equal(0, await again.EndAsync(_patience.Token));
    }

    /// <summary>With leases of ten minutes: what the second worker goes on with was handed over and not taken from the dead.</summary>
    [Fact]
    public async Task A_worker_that_is_stopped_ends_what_is_under_way_and_another_goes_on_at_once()
    {
        const int Runs = 20, Each = 30;
        await using var outside = await CountingService.StartAsync();
        var underway = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        outside.Arrived = number =>
        {
            if (number == Runs * Each / 5) underway.TrySetResult();
        };
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        using var api = await OfClusterAsync("api", database);
        using var leaves = await OfClusterAsync("worker", database);
        var runs = new List<string>();
        for (var i = 0; i < Runs; i++)
        {
            runs.Add(await StartAsync(api.Address, $$"""
                  - each:
                      for: { each: item, in: '${ [range({{Each}})] }' }
                      do:
                        - effect: { call: http, with: { method: post, endpoint: '{{outside.Address}}effects/one', body: { n: '${ $item }' } } }
                        - rest: { wait: PT0.02S }
                """));
        }
        await underway.Task.WaitAsync(_patience.Token);
        leaves.Terminate();
        Assert.Equal(0, await leaves.EndAsync(_patience.Token));
        Assert.InRange(outside.Recorded.Count, Runs * Each / 5, (Runs * Each) - 1);
        using var stays = await OfClusterAsync("worker", database);

        foreach (var run in runs) Assert.Equal("completed", await EndAsync(api.Address, run));
        // What was under way when it was asked to stop has ended and was recorded, so nothing was done again.
        Assert.Equal((Runs * Each, Runs * Each), (outside.Recorded.Count, outside.Attempts));
        foreach (var process in new[] { stays, api })
        {
            process.Terminate();
            Assert.Equal(0, await process.EndAsync(_patience.Token));
        }
    }

    [Fact]
    public async Task A_second_signal_ends_it_at_once()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var server = await ServerProcess.StartAsync(Server, _data, _patience.Token);
        await StartAsync(server.Address, $"  - hang: {{ call: http, with: {{ method: get, endpoint: 'http://{silent.LocalEndpoint}/' }} }}\n");
        using var asked = await silent.AcceptSocketAsync(_patience.Token);
        server.Terminate();
        await server.SaysAsync("millrace stops", _patience.Token);
        server.Terminate();
        Assert.Equal(Terminated, await server.EndAsync(_patience.Token));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named_with_what_to_do()
    {
        using var first = await ServerProcess.StartAsync(Server, _data, _patience.Token);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => ServerProcess.StartAsync(Server, Path.Combine(_data, "other"), first.Address.Port, _patience.Token));
        Assert.Contains($"(1): \nmillrace cannot start: port {first.Address.Port} of 127.0.0.1 is in use by another program; name another with --port", error.Message, StringComparison.Ordinal);
    }

    private Task<ServerProcess> OfClusterAsync(string role, string database) => ServerProcess.StartAsync(
        new ProcessStartInfo("dotnet", [Server, "--role", role, "--port", "0", "--data", _data, "--database", database, "--blobs", Path.Combine(_data, "blobs"), "--lease-seconds", "600", "--drain-seconds", "30"]),
        _patience.Token);

    private async Task<string> StartAsync(Uri server, string tasks)
    {
        using var document = new StringContent($"document: {{ dsl: 1.0.3, namespace: stop, name: one, version: 1.0.0 }}\ndo:\n{tasks}", Encoding.UTF8, "application/yaml");
        using var pushed = await _http.PostAsync(new Uri(server, "api/v1/definitions"), document, _patience.Token);
        Assert.True(pushed.IsSuccessStatusCode, await pushed.Content.ReadAsStringAsync(_patience.Token));
        using var start = new StringContent("""{"definition": {"namespace": "stop", "name": "one"}}""", Encoding.UTF8, "application/json");
        using var started = await _http.PostAsync(new Uri(server, "api/v1/runs"), start, _patience.Token);
        return JsonDocument.Parse(await started.Content.ReadAsStringAsync(_patience.Token)).RootElement.GetProperty("id").GetString()!;
    }

    private async Task<string?> EndAsync(Uri server, string run)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await pulse.WaitForNextTickAsync(_patience.Token))
        {
            var state = JsonDocument.Parse(await _http.GetStringAsync(new Uri(server, $"api/v1/runs/{run}"), _patience.Token)).RootElement.GetProperty("state").GetString();
            if (state is not ("pending" or "running" or "waiting")) return state;
        }
        return null;
    }
}
