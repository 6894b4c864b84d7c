using System.Diagnostics;
using Millrace.Bench;
using Millrace.Bench.Engine;

var names = args.Where(a => !a.StartsWith('-')).ToArray();
Figures.AsJson = args.Contains("--json");
if (names.Length == 0)
{
    Console.Error.WriteLine("Usage: ./bench NAME... [--json]    NAME: engine");
    return 2;
}
foreach (var name in names)
{
    var (bench, scenario) = name.Split(':') is [var b, var s] ? (b, s) : (name, null);
    if (bench != "engine")
    {
        Console.Error.WriteLine($"There is no bench '{name}'.");
        return 2;
    }
    if (scenario is not null)
    {
        var folder = EngineHost.NewFolder();
        try
        {
            await EngineBench.Scenarios[scenario](folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        continue;
    }
    Figures.Say($"{bench}: {Environment.ProcessorCount} processors, .NET {Environment.Version}");
    foreach (var each in EngineBench.Scenarios.Keys)
    {
        using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [$"engine:{each}", .. Figures.AsJson ? ["--json"] : Array.Empty<string>()]))!;
        await child.WaitForExitAsync();
        if (child.ExitCode != 0) return child.ExitCode;
    }
}
return 0;
