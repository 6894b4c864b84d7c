using System.Diagnostics;
using System.Globalization;
using Millrace.Bench.Engine;
using Millrace.Bench.Http;
using Millrace.Tests.Crash;
using Millrace.Tests.Servers;

namespace Millrace.Bench.Postgres;

/// <summary>
/// What a second api process adds to reads. All of them share this machine's processors with the database and the client, so each gets a
/// small share of its own from the kernel (a control group), as a container has it; otherwise one would take all there is and two no more.
/// </summary>
internal static class ReadsBench
{
    private const int Runs = 200;
    private const int Clients = 16;
    private const int SharePercent = 30;
    private const int Rounds = 3;

    private static readonly TimeSpan Warming = TimeSpan.FromSeconds(10), Settling = TimeSpan.FromSeconds(2), Measured = TimeSpan.FromSeconds(3);

    public static async Task RunAsync(PostgresServer server)
    {
        if (!ShareGroup.IsPossible)
        {
            Figures.Say("  postgres.second_api_ratio is not measured: control groups take root on Linux.");
            return;
        }

        var (one, two) = await ReadsAsync(await server.CreateDatabaseAsync());
        Figures.Print("postgres.reads_per_s_one_api", one, "req/s", $"GET of one run and of a list of 20 in turn, {Clients} connections, one api process with {SharePercent} % of a processor; either of two, {Rounds} times each in turn");
        Figures.Print("postgres.reads_per_s_two_apis", two, "req/s", "the same through both of them at once, between those");
        Figures.Print("postgres.second_api_ratio", two / one, "ratio", "of the two");
    }

    /// <returns>Answers a second of one process (the mean of either), and of two. The same processes, alike warm, answer alone and together in turn.</returns>
    private static async Task<(double One, double Two)> ReadsAsync(string uri)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var folder = EngineHost.NewFolder();
        await using var group = new ShareGroup();
        var servers = new List<ServerProcess>();
        try
        {
            for (var i = 0; i < 2; i++)
            {
                string[] arguments = [Path.Combine(AppContext.BaseDirectory, "Millrace.Server.dll"), "--role", "api", "--port", "0", "--data", folder, "--database", uri];
                servers.Add(await ServerProcess.StartAsync(new ProcessStartInfo("dotnet", arguments), patience.Token));
            }

            var runs = await StartRunsAsync(servers[0].Address);
            // Compiled before it is held to its share.
            await CountAsync(servers, runs, Warming);
            foreach (var process in servers) group.Hold(process.Id, SharePercent);
            await CountAsync(servers, runs, Settling);
            var (one, two) = (0.0, 0.0);
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var alone in servers) one += await CountAsync([alone], runs, Measured) / servers.Count;
                two += await CountAsync(servers, runs, Measured);
            }
            return (one / Rounds, two / Rounds);
        }
        finally
        {
            foreach (var process in servers) process.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<List<string>> StartRunsAsync(Uri address)
    {
        using var http = new HttpClient { BaseAddress = address };
        await HttpBench.PushAsync(http, "waits", "- rest: { wait: { hours: 1 } }");
        var runs = new List<string>();
        for (var i = 0; i < Runs; i++) runs.Add(await HttpBench.StartAsync(http, "waits"));
        return runs;
    }

    /// <returns>Answers a second of all servers together, each asked by as many clients.</returns>
    private static async Task<double> CountAsync(List<ServerProcess> servers, List<string> runs, TimeSpan span)
    {
        var answers = 0L;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(servers.SelectMany(s => Enumerable.Range(0, Clients).Select(async client =>
        {
            using var http = new HttpClient { BaseAddress = s.Address };
            for (var i = client; watch.Elapsed < span; i++)
            {
                var path = i % 2 == 0 ? $"api/v1/runs/{runs[i % runs.Count]}" : "api/v1/runs?limit=20";
                using var response = await http.GetAsync(new Uri(path, UriKind.Relative));
                response.EnsureSuccessStatusCode();
                Interlocked.Increment(ref answers);
            }
        })));
        return answers / watch.Elapsed.TotalSeconds;
    }
}

/// <summary>Gives processes a share of a processor each, by control groups of Linux (version 1 or 2), which takes root.</summary>
internal sealed class ShareGroup : IAsyncDisposable
{
    private const int PeriodUs = 20_000;

    private readonly List<string> _folders = [];

    public static bool IsPossible => OperatingSystem.IsLinux() && Environment.UserName == "root" && Directory.Exists("/sys/fs/cgroup");

    /// <exception cref="IOException">This machine does not let us.</exception>
    public void Hold(int process, int percent)
    {
        var quota = PeriodUs * percent / 100;
        var old = Directory.Exists("/sys/fs/cgroup/cpu");
        var folder = Path.Combine(old ? "/sys/fs/cgroup/cpu" : "/sys/fs/cgroup", $"millrace-bench-{process}");
        Directory.CreateDirectory(folder);
        _folders.Add(folder);
        if (old)
        {
            Write(folder, "cpu.cfs_period_us", $"{PeriodUs}");
            Write(folder, "cpu.cfs_quota_us", $"{quota}");
        }
        else
        {
            Write(folder, "cpu.max", $"{quota} {PeriodUs}");
        }

        Write(folder, "cgroup.procs", process.ToString(CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var folder in _folders)
        {
            // Only an empty group can be removed, and its process has just ended.
            var removed = false;
            for (var i = 0; i < 100 && !removed; i++)
            {
                try
                {
                    Directory.Delete(folder);
                    removed = true;
                }
                catch (IOException)
                {
                    await Task.Delay(20);
                }
            }
        }
    }

    private static void Write(string folder, string file, string text) => File.WriteAllText(Path.Combine(folder, file), text);
}
