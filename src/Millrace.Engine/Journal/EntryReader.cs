using Millrace.Jq;
using Millrace.Storage.Blobs;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Journal;

/// <summary>Reads what <see cref="EntryWriter"/> wrote.</summary>
internal static class EntryReader
{
    /// <summary>What this build can read. Raised by one in every change that adds a kind of entry or of signal, or a meaning to one that is there.</summary>
    public const int Format = 4;

    /// <summary>What a build can read that knows of limits: one that does not would take the runs they keep waiting.</summary>
    public const int LimitsFormat = 3;

    /// <summary>Every value of a record that is kept in the blob store.</summary>
    public static IEnumerable<BlobRef> References(Json record) =>
        from entry in record.AsArray()
        from member in entry.AsObject()
        where member.Key.EndsWith('@')
        select new BlobRef(member.Value["sha256"].AsString(), (long)member.Value["size"].AsNumber());

    /// <param name="large">Gives the value kept under a SHA-256.</param>
    public static List<Entry> Read(Json record, Func<string, Json> large)
    {
        var items = record.AsArray();
        var entries = new List<Entry>(items.Count);
        foreach (var item in items.Span) entries.Add(ReadOne(item, large));
        return entries;
    }

    private static Entry ReadOne(Json e, Func<string, Json> large)
    {
        var step = e["step"] is { IsNumber: true } s ? (int)s.AsNumber() : 0;
        return e["e"].AsString() switch
        {
            "run.created" => new Entry.RunCreated(Value(e, "input", large) ?? Json.Null) { Trace = e["trace"].StringOrNull, Trigger = Trigger(e["trigger"]), Part = Value(e, "part", large) is { } part ? Part.FromJson(part) : null },
            "run.started" => new Entry.RunStarted(Value(e, "input", large), Long(e, "deadlineAt")),
            "step.started" => new Entry.StepStarted(step, Int(e, "parent"), Int(e, "node"), Int(e, "iteration", -1))
            {
                Input = Value(e, "input", large),
                InputHidden = e["inputHidden"].IsTruthy,
                TimeoutAt = Long(e, "timeoutAt"),
                WakeAt = Long(e, "wakeAt"),
                Items = Value(e, "items", large)?.AsArray(),
                Child = e["child"].StringOrNull is { } child ? Guid.Parse(child) : null,
            },
            "step.skipped" => new Entry.StepSkipped(step, Int(e, "parent"), Int(e, "node"), Int(e, "iteration", -1)),
            "step.completed" => new Entry.StepCompleted(step, Value(e, "output", large), Value(e, "context", large), Then(e)),
            "step.detached" => new Entry.StepDetached(step),
            "step.faulted" => new Entry.StepFaulted(step, WorkflowError.FromJson(e["error"])),
            "step.cancelled" => new Entry.StepCancelled(step),
            "step.caught" => new Entry.StepCaught(step, WorkflowError.FromJson(e["error"])),
            "step.retry_scheduled" => new Entry.RetryScheduled(step, WorkflowError.FromJson(e["error"]), Int(e, "attempt"), Long(e, "wakeAt")!.Value),
            "step.retried" => new Entry.StepRetried(step, Long(e, "timeoutAt")),
            "substep.completed" => new Entry.SubStepCompleted(step, e["name"].AsString(), Value(e, "output", large) ?? Json.Null),
            "event.consumed" => new Entry.EventConsumed(step, Long(e, "event")!.Value, Int(e, "filter", -1), e["ends"].IsTruthy, Value(e, "item", large) ?? Json.Null, Value(e, "correlated", large)?.AsObject()),
            "event.taken" => new Entry.EventTaken(step),
            "event.handled" => new Entry.EventHandled(step, Value(e, "output", large), Value(e, "context", large)),
            "intake.closed" => new Entry.IntakeClosed(step),
            "run.suspended" => new Entry.RunSuspended(e["reason"].StringOrNull),
            "run.resumed" => new Entry.RunResumed(),
            "run.completed" => new Entry.RunCompleted(Value(e, "output", large) ?? Json.Null),
            "run.faulted" => new Entry.RunFaulted(WorkflowError.FromJson(e["error"])),
            "run.cancelled" => new Entry.RunCancelled(e["reason"].StringOrNull),
            ExtensionEntries.Applied or ExtensionEntries.Passed => ExtensionEntries.Read(e, step),
            "item.ended" => new ItemEnded(Value(e, "output", large), Fault(e)),
            "run.redriven" => new RunRedriven(step),
            "spawn.opened" => new SpawnEntry.Opened(step, Int(e, "concurrency"))
            {
                Chunk = Int(e, "chunk"),
                Items = Value(e, "items", large)?.AsArray(),
                Cursor = Value(e, "cursor", large),
                Source = Value(e, "source", large),
                FailuresMax = Long(e, "failuresMax"),
                PercentMax = e["percentMax"] is { IsNumber: true } percent ? percent.AsNumber() : null,
            },
            "spawn.pinned" => new SpawnEntry.Pinned(step, e["definition"].AsString(), e["hash"].AsString()),
            "child.started" => new SpawnEntry.ChildStarted(step, Child(e), Int(e, "unit")) { Offset = Long(e, "offset")!.Value, Count = Int(e, "count"), Next = Value(e, "next", large) },
            "child.ended" => new SpawnEntry.ChildEnded(step, Child(e), (RunPhase)Int(e, "state")) { Output = Value(e, "output", large), Error = Fault(e) },
            "child.retried" => new SpawnEntry.ChildRetried(step, Child(e), WorkflowError.FromJson(e["error"]), Long(e, "wakeAt")!.Value),
            "child.continued" => new SpawnEntry.ChildContinued(step, Child(e), Guid.Parse(e["successor"].AsString())),
            "spawn.moved" => new SpawnEntry.CursorMoved(step, Value(e, "next", large) ?? Json.Null),
            "spawn.due" => new SpawnEntry.DelayPassed(step),
            "spawn.concurrency" => new SpawnEntry.ConcurrencyChanged(step, Int(e, "concurrency")),
            "run.forked" => ForkEntries.Forked(e, Value(e, "input", large), Value(e, "context", large)),
            "run.continued" => new Entry.RunContinued(),
            "step.respawned" => new Entry.StepRespawned(step, Guid.Parse(e["child"].AsString())),
            var kind => OfPeople(kind, e, step, large) ?? throw new NewerBuildException($"Its journal holds an entry '{kind}' that this build does not know."),
        };
    }

    /// <summary>What people decide, what is undone, and what stands; null for another kind.</summary>
    private static Entry? OfPeople(string kind, Json e, int step, Func<string, Json> large) => kind switch
    {
        "run.held" => new HoldEntry.Held(Guid.Parse(e["hold"].AsString()), e["reason"].StringOrNull),
        "run.released" => new HoldEntry.Released(),
        "compensation.begun" => new CompensationEntry.Begun(Fault(e), e["reason"].StringOrNull),
        "compensation.started" => new CompensationEntry.Started(step, Int(e, "node"), Int(e, "for")),
        "approval.asked" => new ApprovalEntry.Asked(step, Guid.Parse(e["approval"].AsString()), Ask.FromJson(Value(e, "ask", large)!.Value), e["hash"].AsString()),
        "approval.voted" => new ApprovalEntry.Voted(step, new Vote(e["by"].AsString(), e["approves"].IsTruthy, e["comment"].StringOrNull, Value(e, "form", large) ?? Json.Null, Long(e, "at")!.Value)),
        "approval.delegated" => new ApprovalEntry.Delegated(step, e["by"].AsString(), e["to"].AsString(), Long(e, "at")!.Value),
        "approval.reminded" => new ApprovalEntry.Reminded(step, Int(e, "count")),
        "approval.escalated" => new ApprovalEntry.Escalated(step),
        "approval.settled" => new ApprovalEntry.Settled(step, (ApprovalState)Int(e, "state")),
        _ => null,
    };

    private static Guid Child(Json e) => Guid.Parse(e["child"].AsString());

    private static WorkflowError? Fault(Json e) => e["error"] is { IsObject: true } error ? WorkflowError.FromJson(error) : null;

    private static RunTrigger? Trigger(Json trigger) =>
        trigger["schedule"].StringOrNull is { } schedule ? new RunTrigger(Guid.Parse(schedule), Long(trigger, "at")!.Value) : null;

    private static Json? Value(Json e, string name, Func<string, Json> large)
    {
        var members = e.AsObject();
        if (members.TryGet(name, out var value)) return value;
        return members.TryGet(name + "@", out var reference) ? large(reference["sha256"].AsString()) : (Json?)null;
    }

    private static Flow? Then(Json e) =>
        e["then"] is { IsNumber: true } kind ? new Flow((FlowKind)(int)kind.AsNumber(), Int(e, "to", -1)) : null;

    private static int Int(Json e, string name, int absent = 0) => e[name] is { IsNumber: true } n ? (int)n.AsNumber() : absent;

    private static long? Long(Json e, string name) => e[name] is { IsNumber: true } n ? (long)n.AsNumber() : null;
}
