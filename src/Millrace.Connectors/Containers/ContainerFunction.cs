using System.Globalization;
using System.Text;
using Millrace.Connectors.Processes;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Containers;

/// <summary>
/// <c>run: container</c> (dsl-reference.md, Container Process) by the command line of docker or podman. A command runs by the image's <c>sh</c>, its arguments are
/// <c>$1</c>, <c>$2</c>, … The container carries the step's key: an attempt after a crash finds it and waits for it instead of starting a second one. What is
/// cancelled or runs out of time is stopped and removed. What goes later does so by <see cref="ContainerRemovals"/>.
/// Errors: as those of <see cref="ShellFunction"/>.
/// </summary>
internal sealed class ContainerFunction(ProcessTask process, ContainerSettings settings, ContainerProgram program) : ConnectorFunction
{
    private const int RemovalsMax = 3;

    private static readonly TimeSpan RemoveLimit = TimeSpan.FromSeconds(60);

    private readonly ContainerRemovals _removals = new(program);

    public override FunctionDescriptor Descriptor { get; } = new("container", "", Capability.Irreversible, Idempotency.Keyed, Lane.Sandbox)
    {
        Summary = "Runs a container.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["image"],
              "additionalProperties": false,
              "properties": {
                "image": {"type": "string"}, "name": {"type": "string"}, "command": {"type": "string"},
                "ports": {"type": "object"}, "volumes": {"type": "object"}, "environment": {"type": "object"}, "stdin": {},
                "arguments": {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
                "lifetime": {"type": "object"},
                "pullPolicy": {"enum": ["ifNotPresent", "always", "never"]},
                "return": {"enum": ["stdout", "stderr", "code", "all", "none"]}
              }
            }
            """),
    };

    public override string? Lacks => program.Lacks;

    protected override async ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        process.Permit();
        var plan = ContainerPlan.Read(arguments, context, settings);
        await _removals.SweepAsync(context.Time, cancel);
        ProcessEnd end;
        try
        {
            var state = await StateAsync(plan, context, cancel);
            if (state is null) await CreateAsync(plan, arguments, context, cancel);
            end = state is null or "created" or "configured" or "initialized" ? await StartAsync(plan, arguments, context, cancel) : await ResumeAsync(plan, context, cancel);
        }
        catch (Exception e) when (e is OperationCanceledException or Refusal)
        {
            // A draining worker cancels as well; the attempt that goes on elsewhere begins anew then.
            await RemoveAsync(plan, context);
            throw;
        }
        if (plan.Removed) await RemoveAsync(plan, context);
        else if (plan.GoesAt is { } at) _removals.Await(at, context.Time);
        return ProcessTask.OutputOf(end, arguments);
    }

    /// <summary>The state of the container of an earlier attempt; null when there is none.</summary>
    private async Task<string?> StateAsync(ContainerPlan plan, FunctionContext context, CancellationToken cancel)
    {
        var end = await RunAsync(["ps", "--all", "--filter", $"label={ContainerPlan.KeyLabel}={ContainerPlan.KeyOf(context)}", "--format", "{{.Names}} {{.State}}"], context, cancel);
        if (end.Code != 0) throw Failed(end, "asked for its containers");
        foreach (var line in end.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            if (line.Split(' ', 2) is [var name, var state] && name == plan.Name) return state.Trim().ToLowerInvariant();
        return null;
    }

    private async Task CreateAsync(ContainerPlan plan, Arguments arguments, FunctionContext context, CancellationToken cancel)
    {
        var start = await program.StartAsync(["create", .. plan.Options], context.Time, cancel) with
        {
            Files = new Dictionary<string, ReadOnlyMemory<byte>> { [ContainerPlan.EnvironmentFile] = Encoding.UTF8.GetBytes(plan.Environment) },
            Output = (stream, text) => context.Live(stream, text),
        };
        start = start with { Environment = start.Environment.Concat(plan.Handed).DistinctBy(e => e.Key).ToDictionary(e => e.Key, e => e.Value, StringComparer.Ordinal) };
        var end = await process.RunAsync(start, context, cancel);
        if (end.Code != 0) throw Failed(end, $"asked to create the container {plan.Name} of {arguments.Text("image")}");
    }

    private async Task<ProcessEnd> StartAsync(ContainerPlan plan, Arguments arguments, FunctionContext context, CancellationToken cancel)
    {
        string[] attach = arguments.Has("stdin") ? ["start", "--attach", "--interactive", plan.Name] : ["start", "--attach", plan.Name];
        var start = await program.StartAsync(attach, context.Time, cancel);
        return await process.RunAsync(process.Start(context, arguments, start.Program, start.Arguments) with { Environment = start.Environment }, context, cancel);
    }

    /// <summary>The container lives on when its server is gone, so an attempt after a crash waits for it and reads what it wrote.</summary>
    private async Task<ProcessEnd> ResumeAsync(ContainerPlan plan, FunctionContext context, CancellationToken cancel)
    {
        var wait = await RunAsync(["wait", plan.Name], context, cancel);
        var logs = await RunAsync(["logs", plan.Name], context, cancel);
        if (wait.Code != 0 || !int.TryParse(wait.Stdout.Trim(), NumberStyles.Integer, CultureInfo.InvariantCulture, out var code)) throw Failed(wait, $"asked to wait for {plan.Name}");
        return logs with { Code = code };
    }

    private async Task RemoveAsync(ContainerPlan plan, FunctionContext context)
    {
        using var limit = new CancellationTokenSource(RemoveLimit, context.Time);
        try
        {
            // By its key as well: a name of the author's own may be somebody else's. Podman says no at first where the container's own monitor was ended just now.
            for (var tries = 0; tries < RemovalsMax && await StateAsync(plan, context, limit.Token) is not null; tries++)
                if ((await RunAsync(["rm", "--force", "--volumes", plan.Name], context, limit.Token)).Code == 0) return;
        }
        catch (Exception e) when (e is Refusal or OperationCanceledException)
        {
            // The engine does not answer; what the task has come to counts, and the container carries its key.
        }
    }

    private Task<ProcessEnd> RunAsync(IReadOnlyList<string> argv, FunctionContext context, CancellationToken cancel) => program.RunAsync(argv, context.Time, cancel);

    private static Refusal Failed(ProcessEnd end, string what)
    {
        var said = end.Stderr.Trim();
        return Refusal.Runtime("Container failed", $"The container engine was {what} and said: {(said.Length == 0 ? "nothing." : said.Length > 2000 ? $"…{said[^2000..]}" : said)}");
    }
}
