using System.Globalization;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Events;

/// <summary>
/// Folds a run's records into the events that somebody wants: the lifecycle events of the specification (dsl-reference.md, Lifecycle Events), and
/// those of the questions it asks people (<see cref="ApprovalEvents"/>).
/// </summary>
/// <param name="workflow">Null when the definition is there no more: then nothing but the run's being given up can be told.</param>
/// <param name="wanted">Types of events.</param>
/// <param name="forSinks">How types of those begin that nobody who listens hears (<see cref="ForSinks"/>).</param>
internal sealed class LifecycleEvents(RunRow run, Workflow? workflow, IReadOnlySet<string> wanted, string? forSinks)
{
    public const string Prefix = "io.serverlessworkflow.";

    private const string Changed = "status-changed";

    private static readonly string[] OfWorkflows = ["started", "suspended", "resumed", "correlation-started", "correlation-completed", "cancelled", "faulted", "completed", Changed];
    private static readonly string[] OfTasks = ["created", "started", "suspended", "resumed", "retried", "cancelled", "faulted", "completed", Changed];

    private readonly RunState? _state = workflow is null ? null : new RunState(workflow, run.Id);
    private DecodedRecord _record = null!;
    private int _entry;
    private bool _suspended, _begun;
    private RunPhase _phase;
    private List<ToldEvent>? _into;

    /// <summary>The specification's types, all of which are told.</summary>
    public static IEnumerable<string> Types => [.. OfWorkflows.Select(t => $"{Prefix}workflow.{t}.v1"), .. OfTasks.Select(t => $"{Prefix}task.{t}.v1")];

    public bool IsFinished => State.IsFinished;

    private RunState State => _state!;

    /// <summary>
    /// How types begin that only sinks get of its runs, null when there are none. Runs that listen for lifecycle events would hear of themselves and
    /// go on for ever, and so would those that ask people when they hear that people are asked.
    /// </summary>
    public static string? ForSinks(Workflow workflow) => Hears(workflow, Prefix) ? "" : Hears(workflow, ApprovalEvents.Prefix) ? ApprovalEvents.Prefix : null;

    public static bool IsForSinks(string type, string? forSinks) => forSinks is not null && type.StartsWith(forSinks, StringComparison.Ordinal);

    public static string TimeOf(long micros) => DateTime.UnixEpoch.AddMicroseconds(micros).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <param name="into">Where the record's events go; null for a record that was told of before.</param>
    public void Apply(DecodedRecord record, List<ToldEvent>? into)
    {
        (_record, _into) = (record, into);
        for (_entry = 0; _entry < record.Entries.Count; _entry++)
        {
            var entry = record.Entries[_entry];
            (_suspended, _begun) = (State.Phase == RunPhase.Suspended, State.IsStarted);
            if (into is not null) Before(entry);
            State.Apply(entry, record.At);
            if (into is not null) After(entry);
            // Whether it runs or waits is known when the whole record is applied.
            if (entry is Entry.RunStarted || State.Phase is RunPhase.Suspended || State.IsFinished) ChangePhase();
        }
        ChangePhase();
    }

    /// <summary>The last record of a run of which nothing else can be read: the engine has given it up.</summary>
    public void GiveUp(DecodedRecord record, List<ToldEvent> into)
    {
        (_record, _into) = (record, into);
        if (record.Entries is not [Entry.RunFaulted e]) return;
        Tell("faulted", "faultedAt", ("error", e.Error.ToJson()));
        Tell(RunPhase.Faulted);
    }

    private static bool Hears(Workflow workflow, string prefix) => Strategies(workflow).SelectMany(s => s.Keys()).Any(k => k.Type?.StartsWith(prefix, StringComparison.Ordinal) == true);

    private static IEnumerable<EventStrategy> Strategies(Workflow workflow)
    {
        foreach (var node in workflow.Nodes)
            if (node.Body is ListenBody listen) yield return listen.To;
        if (workflow.Trigger is { } trigger) yield return trigger.On;
    }

    /// <summary>What must be said before the state forgets a step that ends.</summary>
    private void Before(Entry entry)
    {
        if (entry is Entry.StepCompleted or Entry.StepFaulted or Entry.StepCancelled) Close(entry);
        switch (entry)
        {
            case Entry.StepCompleted e: EndStep(State.Find(e.Step)!); break;
            case Entry.StepFaulted e:
                Tell(State.Find(e.Step)!, "faulted", "faultedAt", ("error", e.Error.ToJson()));
                Tell(State.Find(e.Step)!, RunPhase.Faulted);
                break;
            case Entry.StepCancelled e:
                Tell(State.Find(e.Step)!, "cancelled", "cancelledAt");
                Tell(State.Find(e.Step)!, RunPhase.Cancelled);
                break;
            case Entry.StepRetried e when State.Find(e.Step) is { Attempt: > 1 } step: Retry(step); break;
        }
    }

    /// <summary>A question that is open when its step ends is one that nobody needs to answer.</summary>
    private void Close(Entry entry)
    {
        var id = entry switch { Entry.StepCompleted e => e.Step, Entry.StepFaulted e => e.Step, Entry.StepCancelled e => e.Step, _ => 0 };
        if (State.Find(id) is { Approval.State: ApprovalState.Open } step) Tell(step, entry);
    }

    private void EndStep(Step step)
    {
        Tell(step, "completed", "completedAt", ("outputUri", $"/api/v1/runs/{run.Id}/steps/{step.Id}"));
        Tell(step, RunPhase.Completed);
        if (step.Listener is not { } listener) return;
        var keys = new JsonObject.Builder();
        foreach (var (name, value) in listener.Correlated) keys.Set(name, value);
        if (listener.Correlated.Count > 0) Tell("correlation-completed", "completedAt", ("correlationKeys", (Json)keys.Build()));
        else Tell("correlation-completed", "completedAt");
    }

    private void After(Entry entry)
    {
        switch (entry)
        {
            case Entry.StepStarted e: Begin(State.Find(e.Step)!); break;
            case CompensationEntry.Started e: Begin(State.Find(e.Step)!); break;
            case ApprovalEntry e: Tell(State.Find(e.Step)!, e); break;
            case Entry.RetryScheduled e: Tell(State.Find(e.Step)!, RunPhase.Waiting); break;
            // A run of several inputs begins once.
            case Entry.RunStarted when !_begun: Start(); break;
            case Entry.RunForked when State.IsStarted:
                Start();
                foreach (var step in State.Active.Values.OrderBy(s => s.Id)) Begin(step);
                break;
            case RunRedriven e:
                Tell("resumed", "resumedAt");
                foreach (var step in State.Find(e.Step)!.Around()) Retry(step);
                break;
            case Entry.RunSuspended or Entry.RunResumed or HoldEntry: Stand(); break;
            case Entry.RunCompleted: Tell("completed", "completedAt", ("outputUri", $"/api/v1/runs/{run.Id}/output")); break;
            case Entry.RunFaulted e: Tell("faulted", "faultedAt", ("error", e.Error.ToJson())); break;
            case Entry.RunCancelled: Tell("cancelled", "cancelledAt"); break;
        }
    }

    private void Start() => Tell("started", "startedAt", ("definition", Definition()));

    private void Begin(Step step)
    {
        Tell(step, "created", "createdAt");
        Tell(step, RunPhase.Pending);
        Tell(step, "started", "startedAt");
        Tell(step, PhaseOf(step));
        if (step.Node.Body is ListenBody) Tell("correlation-started", "startedAt");
    }

    private void Retry(Step step)
    {
        Tell(step, "retried", "retriedAt");
        Tell(step, RunPhase.Running);
    }

    /// <summary>Whoever suspends a run, or the definition it is of: it stands once, and goes on when nothing holds it.</summary>
    private void Stand()
    {
        var suspended = State.Phase == RunPhase.Suspended;
        if (suspended == _suspended) return;
        var (what, at) = suspended ? ("suspended", "suspendedAt") : ("resumed", "resumedAt");
        Tell(what, at);
        foreach (var step in State.Active.Values.OrderBy(s => s.Id))
        {
            Tell(step, what, at);
            Tell(step, suspended ? RunPhase.Suspended : PhaseOf(step));
        }
    }

    private void ChangePhase()
    {
        if (State.Phase == _phase) return;
        _phase = State.Phase;
        if (_into is not null) Tell(_phase);
    }

    private static RunPhase PhaseOf(Step step) => step.Waits || step.WakeAt is not null ? RunPhase.Waiting : RunPhase.Running;

    private Json Definition() => new JsonObject.Builder().Set("name", run.Definition.Name).Set("namespace", run.Definition.Namespace).Set("version", run.Definition.Version).Build();

    private string Name => $"{run.Definition.Name}-{run.Id:N}.{run.Definition.Namespace}";

    private void Tell(RunPhase status) => Tell(Changed, "updatedAt", ("status", WordOf(status)));

    private void Tell(Step step, RunPhase status) => Tell(step, Changed, "updatedAt", ("status", WordOf(status)));

    private void Tell(Step step, Entry ofQuestion) => Add("io.millrace.", $"approval.{ApprovalEvents.WordOf(ofQuestion)}.v1", step.Id,
        ApprovalEvents.DataOf(ofQuestion, step.Approval!).Set("run", run.Id.ToString()).Set("step", step.Id).Set("task", step.Node.Reference).Set("definition", Definition()), []);

    private void Tell(string what, string at, params ReadOnlySpan<(string Name, Json Value)> more) => Add(Prefix, $"workflow.{what}.v1", 0, new JsonObject.Builder().Set("name", Name).Set(at, Time), more);

    private void Tell(Step step, string what, string at, params ReadOnlySpan<(string Name, Json Value)> more)
    {
        // An extended task and what stands around it are one task.
        if (!step.IsExtended) Add(Prefix, $"task.{what}.v1", step.Id, new JsonObject.Builder().Set("workflow", Name).Set("task", step.Node.Reference).Set(at, Time), more);
    }

    private string Time => TimeOf(_record.At);

    private static string WordOf(RunPhase phase) => phase switch
    {
        RunPhase.Pending => "pending",
        RunPhase.Running => "running",
        RunPhase.Waiting => "waiting",
        RunPhase.Suspended => "suspended",
        RunPhase.Cancelled => "cancelled",
        RunPhase.Faulted => "faulted",
        _ => "completed",
    };

    /// <summary>The id follows from the place in the journal, so whoever tells of it again tells of the same event.</summary>
    private void Add(string prefix, string type, int step, JsonObject.Builder data, ReadOnlySpan<(string Name, Json Value)> more)
    {
        if (!wanted.Contains(prefix + type)) return;
        // A task is pending and then running by one entry.
        var status = "";
        foreach (var (name, value) in more)
        {
            data.Set(name, value);
            if (name == "status") status = $"-{value.AsString()}";
        }
        var body = new JsonObject.Builder().Set("specversion", "1.0").Set("id", string.Create(CultureInfo.InvariantCulture, $"{_record.Seq}.{_entry}-{step}-{type}{status}"))
            .Set("source", $"/workspaces/{run.Tenant.Workspace}/runs/{run.Id}").Set("type", prefix + type).Set("subject", run.Id.ToString()).Set("time", Time)
            .Set("datacontenttype", "application/json").Set("data", data.Build()).Build();
        _into!.Add(new ToldEvent(body, IsForSinks(prefix + type, forSinks)));
    }
}

/// <param name="IsForSinks">Nobody who listens hears it.</param>
internal readonly record struct ToldEvent(Json Body, bool IsForSinks);
