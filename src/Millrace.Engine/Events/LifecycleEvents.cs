using System.Globalization;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Events;

/// <summary>Folds a run's records into the lifecycle events of the specification (dsl-reference.md, Lifecycle Events) that somebody wants.</summary>
/// <param name="wanted">Types of events.</param>
internal sealed class LifecycleEvents(RunRow run, Workflow workflow, IReadOnlySet<string> wanted)
{
    public const string Prefix = "io.serverlessworkflow.";

    private readonly RunState _state = new(workflow, run.Id);
    private DecodedRecord _record = null!;
    private List<Json>? _into;

    /// <summary>Whether runs of it would hear of themselves and go on for ever: what they do is told to nobody.</summary>
    public static bool IsAbout(Workflow workflow) => Strategies(workflow).SelectMany(s => s.Keys()).Any(k => k.Type?.StartsWith(Prefix, StringComparison.Ordinal) == true);

    /// <param name="into">Where the record's events go; null for a record that was told of before.</param>
    public void Apply(DecodedRecord record, List<Json>? into)
    {
        (_record, _into) = (record, into);
        foreach (var entry in record.Entries)
        {
            if (into is not null) Before(entry);
            _state.Apply(entry, record.At);
            if (into is not null) After(entry);
        }
    }

    private static IEnumerable<EventStrategy> Strategies(Workflow workflow)
    {
        foreach (var node in workflow.Nodes)
            if (node.Body is ListenBody listen) yield return listen.To;
        if (workflow.Trigger is { } trigger) yield return trigger.On;
    }

    /// <summary>What must be said before the state forgets a step that ends.</summary>
    private void Before(Entry entry)
    {
        switch (entry)
        {
            case Entry.StepCompleted e: EndStep(_state.Find(e.Step)!); break;
            case Entry.StepFaulted e: Tell(_state.Find(e.Step)!, "faulted", "faultedAt", ("error", e.Error.ToJson())); break;
            case Entry.StepCancelled e: Tell(_state.Find(e.Step)!, "cancelled", "cancelledAt"); break;
            case Entry.StepRetried e when _state.Find(e.Step) is { Attempt: > 1 } step: Tell(step, "retried", "retriedAt"); break;
        }
    }

    private void EndStep(Step step)
    {
        Tell(step, "completed", "completedAt", ("outputUri", $"/api/v1/runs/{run.Id}/steps/{step.Id}"));
        if (!Correlates(step)) return;
        var keys = new JsonObject.Builder();
        foreach (var (name, value) in step.Listener!.Correlated) keys.Set(name, value);
        Tell("correlation-completed", "completedAt", ("correlationKeys", (Json)keys.Build()));
    }

    private void After(Entry entry)
    {
        switch (entry)
        {
            case Entry.StepStarted e:
                var step = _state.Find(e.Step)!;
                Tell(step, "created", "createdAt");
                Tell(step, "started", "startedAt");
                if (Correlates(step)) Tell("correlation-started", "startedAt");
                break;
            case Entry.RunStarted: Tell("started", "startedAt", ("definition", Definition())); break;
            case Entry.RunSuspended: Everything("suspended", "suspendedAt"); break;
            case Entry.RunResumed: Everything("resumed", "resumedAt"); break;
            case Entry.RunCompleted: Tell("completed", "completedAt", ("outputUri", $"/api/v1/runs/{run.Id}/output")); break;
            case Entry.RunFaulted e: Tell("faulted", "faultedAt", ("error", e.Error.ToJson())); break;
            case Entry.RunCancelled: Tell("cancelled", "cancelledAt"); break;
        }
    }

    private void Everything(string what, string at)
    {
        Tell(what, at);
        foreach (var step in _state.Active.Values.OrderBy(s => s.Id)) Tell(step, what, at);
    }

    private static bool Correlates(Step step) => step.Node.Body is ListenBody listen && listen.To.All.Any(f => f.Correlate.Count > 0);

    private Json Definition() => new JsonObject.Builder().Set("name", run.Definition.Name).Set("namespace", run.Definition.Namespace).Set("version", run.Definition.Version).Build();

    private string Name => $"{run.Definition.Name}-{run.Id:N}.{run.Definition.Namespace}";

    private void Tell(string what, string at, params ReadOnlySpan<(string Name, Json Value)> more) => Add($"workflow.{what}.v1", 0, new JsonObject.Builder().Set("name", Name).Set(at, Time), more);

    private void Tell(Step step, string what, string at, params ReadOnlySpan<(string Name, Json Value)> more) =>
        Add($"task.{what}.v1", step.Id, new JsonObject.Builder().Set("workflow", Name).Set("task", step.Node.Reference).Set(at, Time), more);

    private string Time => DateTime.UnixEpoch.AddMicroseconds(_record.At).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>The id follows from the place in the journal, so whoever tells of it again tells of the same event.</summary>
    private void Add(string type, int step, JsonObject.Builder data, ReadOnlySpan<(string Name, Json Value)> more)
    {
        // An extended task and what stands around it are one task.
        if (!wanted.Contains(Prefix + type) || (step > 0 && _state.Find(step) is { IsExtended: true })) return;
        foreach (var (name, value) in more) data.Set(name, value);
        _into!.Add(new JsonObject.Builder().Set("specversion", "1.0").Set("id", string.Create(CultureInfo.InvariantCulture, $"{_record.Seq}-{step}-{type}"))
            .Set("source", $"/workspaces/{run.Tenant.Workspace}/runs/{run.Id}").Set("type", Prefix + type).Set("subject", run.Id.ToString()).Set("time", Time)
            .Set("datacontenttype", "application/json").Set("data", data.Build()).Build());
    }
}
