using System.Diagnostics;
using Millrace.Bench;
using Millrace.Bench.Chaos;
using Millrace.Bench.Crash;
using Millrace.Bench.Engine;
using Millrace.Bench.Http;
using Millrace.Bench.Jq;
using Millrace.Bench.Postgres;
using Millrace.Bench.Simulation;
using Millrace.Bench.Storage;
using Millrace.Bench.Upgrade;

var benches = new Dictionary<string, Func<Task>>
{
    ["jq"] = () =>
    {
        JqBench.Run(Figures.AsJson);
        return Task.CompletedTask;
    },
    ["storage"] = () => StorageBench.RunAsync(Figures.AsJson),
    ["http"] = HttpBench.RunAsync,
    ["crash"] = CrashBench.RunAsync,
    ["schedules"] = () => InFolderAsync(ScheduleBench.RunAsync),
    ["postgres"] = PostgresBench.RunAsync,
    ["postgres:cluster"] = PostgresBench.RunClusterAsync,
    ["postgres:fairness"] = () => InFolderAsync(PostgresBench.RunFairnessAsync),
};
benches["soak"] = () => InFolderAsync(SoakBench.RunAsync);
benches["fairness"] = () => InFolderAsync(folder => FairnessBench.RunAsync(folder));
foreach (var (scenario, run) in EngineBench.Scenarios) benches[$"engine:{scenario}"] = () => InFolderAsync(run);
foreach (var (scenario, run) in SpawnBench.Scenarios) benches[$"spawn:{scenario}"] = () => InFolderAsync(run);

if (args is [PostgresWorker.Argument, .. var rest]) return await PostgresWorker.RunAsync(rest);
Figures.AsJson = args.Contains("--json");
if (args is ["chaos", .. var chaos]) return Math.Max(await ChaosBench.RunAsync(chaos), Held());
if (args is ["soak", ..] && (args.Contains("--days") || args.Contains("--hours"))) return Math.Max(await WeekBench.RunAsync(args, InFolderAsync), Held());
if (args is ["upgrade", .. var upgrade]) return await UpgradeBench.RunAsync(upgrade);
var atOnce = Array.IndexOf(args, "--at-once");
if (atOnce >= 0)
{
    if (atOnce + 1 >= args.Length || !int.TryParse(args[atOnce + 1], out var runs) || runs < 1)
    {
        Console.Error.WriteLine("--at-once takes how many runs are in flight, 1 or more.");
        return 2;
    }
    EngineBench.AtOnce = runs;
}
var names = args.Where((a, i) => a != "--json" && (atOnce < 0 || (i != atOnce && i != atOnce + 1))).ToArray();
if (names is ["simulate", .. var how]) return SimulateBench.Run(how);
var unknown = Array.Find(names, n => n is not ("engine" or "spawn") && !benches.ContainsKey(n));
if (names.Length == 0 || unknown is not null)
{
    if (unknown is not null) Console.Error.WriteLine($"There is no bench '{unknown}'.");
    Console.Error.WriteLine($"Usage: ./bench NAME... [--json] [--at-once RUNS]\n  NAME: engine, spawn, {string.Join(", ", benches.Keys)}, or peers (see benchmarks/peers)\n  or: simulate [--seeds N] [--from S] [--minutes M], chaos [--runs N] [--minutes M] [--seed S] [--proxies] [--verbose], upgrade [--from COMMIT] [--runs N], soak --hours H --days D");
    return 2;
}
foreach (var name in names)
{
    if (name is not ("engine" or "spawn"))
    {
        await benches[name]();
        continue;
    }
    Figures.Say($"{name}: {Environment.ProcessorCount} processors, .NET {Environment.Version}");
    foreach (var scenario in name == "engine" ? EngineBench.Scenarios.Keys : SpawnBench.Scenarios.Keys)
    {
        // Each in a process of its own, so that none sees another's memory.
        string[] arguments = [$"{name}:{scenario}", "--at-once", $"{EngineBench.AtOnce}", .. Figures.AsJson ? ["--json"] : Array.Empty<string>()];
        using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments))!;
        await child.WaitForExitAsync();
        if (child.ExitCode != 0) return child.ExitCode;
    }
}
return Held();

// Whether every figure with a bound has kept it.
static int Held()
{
    foreach (var missed in Figures.Missed) Console.Error.WriteLine($"Missed: {missed}.");
    return Figures.Missed.Count == 0 ? 0 : 1;
}

static async Task InFolderAsync(Func<string, Task> run)
{
    var folder = EngineHost.NewFolder();
    try
    {
        await run(folder);
    }
    finally
    {
        Directory.Delete(folder, recursive: true);
    }
}
