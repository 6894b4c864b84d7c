using System.Globalization;
using Millrace.Connectors.Processes;

namespace Millrace.Connectors.Containers;

/// <summary>
/// Removes containers whose time has come (<c>lifetime.cleanup: eventually</c>), which they carry as a label: those that this process has run by a timer, those of
/// a process that is gone when this one runs another.
/// </summary>
internal sealed class ContainerRemovals(ContainerProgram program)
{
    private static readonly TimeSpan SweepLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan SleepMax = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private DateTimeOffset _next = DateTimeOffset.MaxValue;

    /// <summary>Removes those that are at work no more and whose time is over, and awaits that of the others.</summary>
    public async Task SweepAsync(TimeProvider time, CancellationToken cancel)
    {
        var ended = await program.RunAsync(["ps", "--all", "--filter", $"label={ContainerPlan.RemoveLabel}", "--filter", "status=exited", "--format", "{{.Names}}"], time, cancel);
        var names = ended.Code == 0 ? ended.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [];
        if (names.Length == 0) return;
        // A label among others is printed in one way by both engines here alone.
        var end = await program.RunAsync(["inspect", "--type", "container", "--format", $"{{{{.Name}}}} {{{{index .Config.Labels \"{ContainerPlan.RemoveLabel}\"}}}}", .. names], time, cancel);
        var now = time.GetUtcNow();
        foreach (var line in end.Code == 0 ? end.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries) : [])
        {
            if (line.Split(' ', 2) is not [var name, var at] || !ContainerPlan.TryReadTime(at, out var due)) continue;
            if (due > now) Await(due, time);
            else await program.RunAsync(["rm", "--force", "--volumes", name.TrimStart('/')], time, cancel);
        }
    }

    /// <summary>Looks again then.</summary>
    public void Await(DateTimeOffset at, TimeProvider time)
    {
        lock (_lock)
        {
            if (_next <= at) return;
            _next = at;
        }
        _ = SweepAtAsync(at, time);
    }

    private async Task SweepAtAsync(DateTimeOffset at, TimeProvider time)
    {
        while (at - time.GetUtcNow() is var rest && rest > TimeSpan.Zero) await Task.Delay(rest < SleepMax ? rest : SleepMax, time);
        lock (_lock)
        {
            // An earlier one has come meanwhile, and has looked after this one too.
            if (_next != at) return;
            _next = DateTimeOffset.MaxValue;
        }
        using var limit = new CancellationTokenSource(SweepLimit, time);
        try
        {
            await SweepAsync(time, limit.Token);
        }
        catch (Exception e) when (e is Refusal or OperationCanceledException)
        {
            // The engine does not answer; whoever runs the next container looks again.
        }
    }
}
