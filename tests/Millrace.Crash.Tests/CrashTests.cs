using System.Net;
using System.Text;
using System.Text.Json;
using Millrace.Tests.Crash;

namespace Millrace.Crash.Tests;

public sealed class CrashTests
{
    private static readonly string Server = Path.Combine(AppContext.BaseDirectory, "Millrace.Server.dll");

    [Fact]
    public async Task Fault_1_thirty_kills_under_a_thousand_runs_lose_nothing_and_record_every_effect_once()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        var result = await new CrashScenario(Server, runs: 1000, stepsPerRun: 10, kills: 32, seed: 20).RunAsync(patience.Token);
        Assert.Equal("", result.Unfinished);
        Assert.Equal(1000, result.Completed);
        Assert.Equal(10_000, result.Effects);
    }

    [Fact]
    public async Task Fault_6_a_refused_fsync_ends_acknowledging_says_so_and_loses_nothing_acknowledged()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        using var data = new DataFolder();
        using var http = new HttpClient();
        var acknowledged = new List<string>();
        using (var server = await ServerProcess.StartAsync(Server, data.Path, patience.Token,
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO:when=25+"))
        {
            await PushAsync(http, server.Address, patience.Token);
            JsonElement refusal;
            while (true)
            {
                var (status, body) = await StartAsync(http, server.Address, patience.Token);
                refusal = body;
                if (status == HttpStatusCode.ServiceUnavailable) break;
                Assert.Equal(HttpStatusCode.Created, status);
                acknowledged.Add(body.GetProperty("id").GetString()!);
            }
            Assert.Equal("storage.fsync_failed", refusal.GetProperty("code").GetString());
            // It stays so: what the page cache says now is not what the disk holds.
            for (var i = 0; i < 3; i++) Assert.Equal(HttpStatusCode.ServiceUnavailable, (await StartAsync(http, server.Address, patience.Token)).Status);
            using var ready = await http.GetAsync(new Uri(server.Address, "health/ready"), patience.Token);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            Assert.Contains("storage.fsync_failed", await ready.Content.ReadAsStringAsync(patience.Token), StringComparison.Ordinal);
            await server.KillAsync();
        }
        using var again = await ServerProcess.StartAsync(Server, data.Path, patience.Token);
        Assert.NotEmpty(acknowledged);
        foreach (var run in acknowledged)
        {
            using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            string? state;
            do state = JsonDocument.Parse(await http.GetStringAsync(new Uri(again.Address, $"api/v1/runs/{run}"), patience.Token)).RootElement.GetProperty("state").GetString();
            while (state != "completed" && await pulse.WaitForNextTickAsync(patience.Token));
        }
    }

    private static async Task PushAsync(HttpClient http, Uri server, CancellationToken cancel)
    {
        using var content = new StringContent("document: { dsl: 1.0.3, namespace: crash, name: one, version: 1.0.0 }\ndo:\n  - one: { set: { done: true } }\n", Encoding.UTF8, "application/yaml");
        using var response = await http.PostAsync(new Uri(server, "api/v1/definitions"), content, cancel);
        response.EnsureSuccessStatusCode();
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> StartAsync(HttpClient http, Uri server, CancellationToken cancel)
    {
        using var content = new StringContent("""{"definition": {"namespace": "crash", "name": "one"}}""", Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(new Uri(server, "api/v1/runs"), content, cancel);
        return (response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancel)).RootElement);
    }

    private sealed class DataFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("millrace-fsync-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
