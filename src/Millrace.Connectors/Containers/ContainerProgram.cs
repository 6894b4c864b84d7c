using Millrace.Connectors.Processes;
using Millrace.Engine.Functions;

namespace Millrace.Connectors.Containers;

/// <summary>The command line of docker or podman, whichever is there.</summary>
internal sealed class ContainerProgram(ProcessTask process, ContainerSettings settings)
{
    private volatile string? _name;

    /// <summary>Null when one is there, or need not be here.</summary>
    public string? Lacks => settings.RunElsewhere || settings.Programs.Any(process.IsInstalled) ? null : $"{string.Join(" or ", settings.Programs)} on PATH";

    /// <summary>One call to its end, of which nothing is shown.</summary>
    /// <exception cref="Refusal">It is not there, or the call ended at a limit.</exception>
    public async Task<ProcessEnd> RunAsync(IReadOnlyList<string> argv, TimeProvider time, CancellationToken cancel) => await process.RunAsync(await StartAsync(argv, time, cancel), time, cancel);

    /// <exception cref="Refusal">It is not there.</exception>
    public async ValueTask<ProcessStart> StartAsync(IReadOnlyList<string> argv, TimeProvider time, CancellationToken cancel) => Start(_name ??= await FindAsync(time, cancel), [.. settings.ProgramOptions, .. argv]);

    /// <summary>The first that is there.</summary>
    private async Task<string> FindAsync(TimeProvider time, CancellationToken cancel)
    {
        foreach (var program in settings.Programs)
        {
            try
            {
                await process.RunAsync(Start(program, [.. settings.ProgramOptions, "--version"]), time, cancel);
                return program;
            }
            catch (Refusal missing) when (missing.Error.Title == "Program not found")
            {
                // The next one may be there.
            }
        }
        throw Refusal.Configuration("Program not found", $"Containers need {string.Join(" or ", settings.Programs)} on PATH; neither is there.");
    }

    private ProcessStart Start(string program, IReadOnlyList<string> argv) => process.Start(program, argv) with
    {
        Environment = settings.Environment.Select(n => KeyValuePair.Create(n, Environment.GetEnvironmentVariable(n))).Where(e => e.Value is not null)
            .ToDictionary(e => e.Key, e => e.Value!, StringComparer.Ordinal),
    };
}
