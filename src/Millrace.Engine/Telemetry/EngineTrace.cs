using System.Diagnostics;
using System.Globalization;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Telemetry;

/// <summary>
/// Spans: one for the start of a run, one for each attempt at an effect, one for the whole run when it has ended. The start's
/// traceparent (W3C Trace Context) is in the first record of the journal, so spans of other processes and of later lives of this
/// one belong to the same trace. Costs one check while nobody listens. Attributes name runs, tasks and functions, never data.
/// </summary>
public static class EngineTrace
{
    public const string SourceName = "Millrace.Engine";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>A caller's traceparent in the form that is kept; null when it is none.</summary>
    public static string? Normalised(string? traceparent) =>
        ActivityContext.TryParse(traceparent, null, isRemote: true, out var context) ? Text(context) : null;

    internal static Activity? Start(StartRequest request, Guid run)
    {
        if (!Source.HasListeners()) return null;
        var span = Begin($"start {request.Workflow.Id.Namespace}/{request.Workflow.Id.Name}", ActivityKind.Producer, request.Trace);
        return Describe(span, request.Tenant.Workspace, run, request.Workflow);
    }

    /// <summary>Ended by disposing it, after <see cref="EffectEnded"/>.</summary>
    internal static Activity? Effect(RunActor actor, FunctionDescriptor function, Step step)
    {
        if (!Source.HasListeners()) return null;
        var span = Begin($"effect {function.Name}", function.Lane == Lane.Io ? ActivityKind.Client : ActivityKind.Internal, actor.State.Trace);
        return Describe(span, actor.Tenant.Workspace, actor.Id, actor.Workflow)?
            .SetTag("millrace.step", step.Id).SetTag("millrace.task", step.Node.Reference)
            .SetTag("millrace.function", function.Reference).SetTag("millrace.attempt", Attempt(step));
    }

    internal static void EffectEnded(Activity? span, EffectEnd end, FunctionOutcome? outcome)
    {
        if (span is null || end == EffectEnd.Completed) return;
        span.SetTag("millrace.outcome", end.ToString().ToLowerInvariant());
        if (outcome is FunctionOutcome.Failed failed) Fail(span, failed.Error);
    }

    /// <summary>The whole run as one span; it begins when the run was created, in whichever process that was.</summary>
    internal static void RunEnded(RunActor actor)
    {
        if (!Source.HasListeners()) return;
        var (state, id) = (actor.State, actor.Workflow.Id);
        Activity.Current = null;
        using var span = Source.StartActivity($"run {id.Namespace}/{id.Name}", ActivityKind.Consumer, Context(state.Trace), startTime: Time(state.CreatedAt));
        Describe(span, actor.Tenant.Workspace, actor.Id, actor.Workflow)?.SetTag("millrace.state", state.Ended.ToString().ToLowerInvariant());
        if (state.Error is { } error && span is not null) Fail(span, error);
        span?.SetEndTime(Time(state.EndedAt).UtcDateTime);
    }

    private static Activity? Begin(string name, ActivityKind kind, string? parent)
    {
        // Whatever span this thread happens to be in is not the parent: it may belong to another request or another run.
        Activity.Current = null;
        return Source.StartActivity(name, kind, Context(parent));
    }

    private static Activity? Describe(Activity? span, Guid workspace, Guid run, Workflow workflow) => span?
        .SetTag("millrace.run", run.ToString()).SetTag("millrace.workspace", workspace.ToString())
        .SetTag("millrace.definition", $"{workflow.Id.Namespace}/{workflow.Id.Name}:{workflow.Id.Version}");

    /// <summary>Type and status alone: title and detail may quote what a service answered.</summary>
    private static void Fail(Activity span, WorkflowError error) =>
        span.SetTag("error.type", error.Type).SetTag("millrace.error.status", error.Status).SetStatus(ActivityStatusCode.Error, error.Type);

    private static int Attempt(Step step)
    {
        for (var at = step.Parent; at is not null; at = at.Parent)
            if (at.Node?.Body is TryBody) return at.Attempt;
        return 1;
    }

    private static ActivityContext Context(string? traceparent) =>
        ActivityContext.TryParse(traceparent, null, isRemote: true, out var context) ? context : default;

    private static string Text(ActivityContext c) => string.Create(CultureInfo.InvariantCulture, $"00-{c.TraceId}-{c.SpanId}-{(int)c.TraceFlags:x2}");

    private static DateTimeOffset Time(long micros) => DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);
}
