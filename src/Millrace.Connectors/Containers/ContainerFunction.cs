using System.Globalization;
using System.Text;
using Millrace.Connectors.Processes;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Containers;

/// <summary>
/// <c>run: container</c> (dsl-reference.md, Container Process) by the command line of docker or podman. A command runs by the image's <c>sh</c>, its arguments are
/// <c>$1</c>, <c>$2</c>, … The container carries the step's key: an attempt after a crash finds it and waits for it instead of starting a second one. What is
/// cancelled or runs out of time is stopped and removed. <c>lifetime.cleanup: eventually</c> removes by the next container that is run after its time.
/// Errors: as those of <see cref="ShellFunction"/>.
/// </summary>
internal sealed class ContainerFunction(ProcessTask process, ContainerSettings settings) : ConnectorFunction
{
    private const int RemovalsMax = 3;

    private static readonly TimeSpan RemoveLimit = TimeSpan.FromSeconds(60);

    private volatile string? _program;

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

    public override string? Lacks => settings.RunElsewhere || settings.Programs.Any(process.IsInstalled) ? null : $"{string.Join(" or ", settings.Programs)} on PATH";

    protected override async ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        process.Permit();
        var plan = ContainerPlan.Read(arguments, context, settings);
        var program = await ProgramAsync(context, cancel);
        await SweepAsync(program, context, cancel);
        ProcessEnd end;
        try
        {
            var state = await StateAsync(program, plan, context, cancel);
            if (state is null) await CreateAsync(program, plan, arguments, context, cancel);
            end = state is null or "created" or "configured" or "initialized" ? await StartAsync(program, plan, arguments, context, cancel) : await ResumeAsync(program, plan, context, cancel);
        }
        catch (Exception e) when (e is OperationCanceledException or Refusal)
        {
            // A draining worker cancels as well; the attempt that goes on elsewhere begins anew then.
            await RemoveAsync(program, plan, context);
            throw;
        }
        if (plan.Removed) await RemoveAsync(program, plan, context);
        return ProcessTask.OutputOf(end, arguments);
    }

    /// <summary>The first program that is there.</summary>
    private async Task<string> ProgramAsync(FunctionContext context, CancellationToken cancel)
    {
        if (_program is { } known) return known;
        foreach (var program in settings.Programs)
        {
            try
            {
                await process.RunAsync(Start(program, ["--version"], context, default), context, cancel);
                return _program = program;
            }
            catch (Refusal missing) when (missing.Error.Title == "Program not found")
            {
                // The next one may be there.
            }
        }
        throw Refusal.Configuration("Program not found", $"Containers need {string.Join(" or ", settings.Programs)} on PATH; neither is there.");
    }

    /// <summary>The state of the container of an earlier attempt; null when there is none.</summary>
    private async Task<string?> StateAsync(string program, ContainerPlan plan, FunctionContext context, CancellationToken cancel)
    {
        var end = await RunAsync(program, ["ps", "--all", "--filter", $"label={ContainerPlan.KeyLabel}={ContainerPlan.KeyOf(context)}", "--format", "{{.Names}} {{.State}}"], context, cancel);
        if (end.Code != 0) throw Failed(end, "asked for its containers");
        foreach (var line in end.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            if (line.Split(' ', 2) is [var name, var state] && name == plan.Name) return state.Trim().ToLowerInvariant();
        return null;
    }

    private async Task CreateAsync(string program, ContainerPlan plan, Arguments arguments, FunctionContext context, CancellationToken cancel)
    {
        var start = Start(program, ["create", .. plan.Options], context, default) with
        {
            Files = new Dictionary<string, ReadOnlyMemory<byte>> { [ContainerPlan.EnvironmentFile] = Encoding.UTF8.GetBytes(plan.Environment) },
            Output = (stream, text) => context.Live(stream, text),
        };
        start = start with { Environment = start.Environment.Concat(plan.Handed).DistinctBy(e => e.Key).ToDictionary(e => e.Key, e => e.Value, StringComparer.Ordinal) };
        var end = await process.RunAsync(start, context, cancel);
        if (end.Code != 0) throw Failed(end, $"asked to create the container {plan.Name} of {arguments.Text("image")}");
    }

    private Task<ProcessEnd> StartAsync(string program, ContainerPlan plan, Arguments arguments, FunctionContext context, CancellationToken cancel)
    {
        string[] attach = arguments.Has("stdin") ? ["start", "--attach", "--interactive", plan.Name] : ["start", "--attach", plan.Name];
        var input = process.Start(context, arguments, program, []).Input;
        return process.RunAsync(Start(program, attach, context, input) with { Output = (stream, text) => context.Live(stream, text) }, context, cancel);
    }

    /// <summary>The container lives on when its server is gone, so an attempt after a crash waits for it and reads what it wrote.</summary>
    private async Task<ProcessEnd> ResumeAsync(string program, ContainerPlan plan, FunctionContext context, CancellationToken cancel)
    {
        var wait = await RunAsync(program, ["wait", plan.Name], context, cancel);
        var logs = await RunAsync(program, ["logs", plan.Name], context, cancel);
        if (wait.Code != 0 || !int.TryParse(wait.Stdout.Trim(), NumberStyles.Integer, CultureInfo.InvariantCulture, out var code)) throw Failed(wait, $"asked to wait for {plan.Name}");
        return logs with { Code = code };
    }

    /// <summary>Removes the containers whose time is over.</summary>
    private async Task SweepAsync(string program, FunctionContext context, CancellationToken cancel)
    {
        var ended = await RunAsync(program, ["ps", "--all", "--filter", $"label={ContainerPlan.RemoveLabel}", "--filter", "status=exited", "--format", "{{.Names}}"], context, cancel);
        var names = ended.Code == 0 ? ended.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [];
        if (names.Length == 0) return;
        // A label among others is printed in one way by both engines here alone.
        var end = await RunAsync(program, ["inspect", "--type", "container", "--format", $"{{{{.Name}}}} {{{{index .Config.Labels \"{ContainerPlan.RemoveLabel}\"}}}}", .. names], context, cancel);
        var now = context.Time.GetUtcNow().ToUnixTimeSeconds();
        foreach (var line in end.Code == 0 ? end.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries) : [])
            if (line.Split(' ', 2) is [var name, var at] && long.TryParse(at.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var due) && due <= now)
                await RunAsync(program, ["rm", "--force", "--volumes", name.TrimStart('/')], context, cancel);
    }

    private async Task RemoveAsync(string program, ContainerPlan plan, FunctionContext context)
    {
        using var limit = new CancellationTokenSource(RemoveLimit, context.Time);
        try
        {
            // By its key as well: a name of the author's own may be somebody else's. Podman says no at first where the container's own monitor was ended just now.
            for (var tries = 0; tries < RemovalsMax && await StateAsync(program, plan, context, limit.Token) is not null; tries++)
                if ((await RunAsync(program, ["rm", "--force", "--volumes", plan.Name], context, limit.Token)).Code == 0) return;
        }
        catch (Exception e) when (e is Refusal or OperationCanceledException)
        {
            // The engine does not answer; what the task has come to counts, and the container carries its key.
        }
    }

    private Task<ProcessEnd> RunAsync(string program, IReadOnlyList<string> argv, FunctionContext context, CancellationToken cancel) =>
        process.RunAsync(Start(program, argv, context, default), context, cancel);

    private ProcessStart Start(string program, IReadOnlyList<string> argv, FunctionContext context, ReadOnlyMemory<byte> input) =>
        process.Start(context, new Arguments(Json.EmptyObject), program, [.. settings.ProgramOptions, .. argv]) with
        {
            Input = input,
            Output = null,
            Environment = settings.Environment.Select(n => KeyValuePair.Create(n, Environment.GetEnvironmentVariable(n))).Where(e => e.Value is not null)
                .ToDictionary(e => e.Key, e => e.Value!, StringComparer.Ordinal),
        };

    private static Refusal Failed(ProcessEnd end, string what)
    {
        var said = end.Stderr.Trim();
        return Refusal.Runtime("Container failed", $"The container engine was {what} and said: {(said.Length == 0 ? "nothing." : said.Length > 2000 ? $"…{said[^2000..]}" : said)}");
    }
}
