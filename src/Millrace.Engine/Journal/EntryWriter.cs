using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using Millrace.Jq;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Journal;

/// <summary>A value too large for the journal: kept in the blob store, named by its SHA-256.</summary>
internal sealed record LargeValue(string Sha256, byte[] Utf8);

/// <summary>
/// Writes the entries of one record as a JSON array. A value of more than <see cref="InlineBytesMax"/> bytes is written as
/// a reference in a member of the same name with an <c>@</c> behind it, and given to the caller to be kept first.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "One for each thread, for its life; it holds memory only.")]
internal sealed class EntryWriter
{
    public const int InlineBytesMax = 64 << 10;

    [ThreadStatic] private static EntryWriter? _shared;

    private readonly ArrayBufferWriter<byte> _buffer = new(1024);
    private readonly ArrayBufferWriter<byte> _value = new(1024);
    private readonly Utf8JsonWriter _writer;
    private List<LargeValue>? _large;

    private EntryWriter() => _writer = new Utf8JsonWriter(_buffer, new JsonWriterOptions
    {
        SkipValidation = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <returns>The record's bytes, and the values that must be in the blob store before it is committed.</returns>
    public static (byte[] Bytes, IReadOnlyList<LargeValue> Large) Write(List<Entry> entries)
    {
        var writer = _shared ??= new EntryWriter();
        try
        {
            return writer.WriteAll(entries);
        }
        finally
        {
            // One large record must not hold its buffer for the thread's life.
            if (writer._buffer.Capacity > 1 << 20 || writer._value.Capacity > 1 << 20) _shared = null;
        }
    }

    private (byte[], IReadOnlyList<LargeValue>) WriteAll(List<Entry> entries)
    {
        _buffer.ResetWrittenCount();
        _writer.Reset();
        _large = null;
        _writer.WriteStartArray();
        foreach (var entry in entries) Write(entry);
        _writer.WriteEndArray();
        _writer.Flush();
        return (_buffer.WrittenSpan.ToArray(), _large ?? (IReadOnlyList<LargeValue>)[]);
    }

    private void Write(Entry entry)
    {
        _writer.WriteStartObject();
        switch (entry)
        {
            case Entry.StepStarted e: WriteStarted(e); break;
            case Entry.StepCompleted e: WriteCompleted(e); break;
            case Entry.StepSkipped e:
                Place("step.skipped", e.Step, e.Parent, e.Node, e.Iteration);
                break;
            case Entry.StepDetached e: Head("step.detached", e.Step); break;
            case Entry.StepFaulted e: Head("step.faulted", e.Step, e.Error); break;
            case Entry.StepCancelled e: Head("step.cancelled", e.Step); break;
            case Entry.StepCaught e: Head("step.caught", e.Step, e.Error); break;
            case Entry.RetryScheduled e:
                Head("step.retry_scheduled", e.Step, e.Error);
                _writer.WriteNumber("attempt"u8, e.Attempt);
                _writer.WriteNumber("wakeAt"u8, e.WakeAt);
                break;
            case Entry.StepRetried e:
                Head("step.retried", e.Step);
                Number("timeoutAt"u8, e.AttemptTimeoutAt);
                break;
            case Entry.SubStepCompleted e:
                Head("substep.completed", e.Step);
                _writer.WriteString("name"u8, e.Name);
                Value("output", e.Output);
                break;
            case Entry.EventConsumed e: WriteConsumed(e); break;
            case Entry.EventTaken e: Head("event.taken", e.Step); break;
            case Entry.EventHandled e:
                Head("event.handled", e.Step);
                Value("output", e.Output);
                Value("context", e.Context);
                break;
            case Entry.IntakeClosed e: Head("intake.closed", e.Step); break;
            default: WriteRun(entry); break;
        }
        _writer.WriteEndObject();
    }

    private void WriteRun(Entry entry)
    {
        switch (entry)
        {
            case Entry.RunCreated e:
                _writer.WriteString("e"u8, "run.created"u8);
                Value("input", e.Input);
                if (e.Trace is not null) _writer.WriteString("trace"u8, e.Trace);
                if (e.Part is { } part) Value("part", part.ToJson());
                if (e.Trigger is { } trigger) Trigger(trigger);
                break;
            case Entry.RunStarted e:
                _writer.WriteString("e"u8, "run.started"u8);
                Value("input", e.Input);
                Number("deadlineAt"u8, e.DeadlineAt);
                break;
            case Entry.RunSuspended e: Head("run.suspended"u8, e.Reason); break;
            case Entry.RunResumed: _writer.WriteString("e"u8, "run.resumed"u8); break;
            case Entry.RunCompleted e:
                _writer.WriteString("e"u8, "run.completed"u8);
                Value("output", e.Output);
                break;
            case Entry.RunFaulted e:
                _writer.WriteString("e"u8, "run.faulted"u8);
                Error(e.Error);
                break;
            case Entry.RunCancelled e: Head("run.cancelled"u8, e.Reason); break;
            case SpawnEntry e: WriteSpawn(e); break;
            case ExtensionEntry e: ExtensionEntries.Write(e, _writer); break;
            case ApprovalEntry e: WriteApproval(e); break;
            case HoldEntry or CompensationEntry: WriteEnding(entry); break;
            case ItemEnded e:
                _writer.WriteString("e"u8, "item.ended"u8);
                Value("output", e.Output);
                if (e.Error is { } failed) Error(failed);
                break;
            case RunRedriven e: Head("run.redriven", e.Step); break;
            case Entry.RunForked e:
                Head("run.forked"u8, e.Reason);
                ForkEntries.Write(e, _writer);
                Value("input", e.Input);
                Value("context", e.Context);
                break;
            case Entry.RunContinued: _writer.WriteString("e"u8, "run.continued"u8); break;
            case Entry.StepRespawned e:
                Head("step.respawned", e.Step);
                _writer.WriteString("child"u8, e.Child);
                break;
            default: throw new InvalidOperationException($"Unknown entry {entry.GetType().Name}.");
        }
    }

    private void WriteSpawn(SpawnEntry entry)
    {
        switch (entry)
        {
            case SpawnEntry.Opened e:
                Head("spawn.opened", e.Step);
                _writer.WriteNumber("concurrency"u8, e.Concurrency);
                if (e.Chunk > 0) _writer.WriteNumber("chunk"u8, e.Chunk);
                if (e.Items is { } items) Value("items", (Json)items);
                Value("cursor", e.Cursor);
                Value("source", e.Source);
                Number("failuresMax"u8, e.FailuresMax);
                if (e.PercentMax is { } percent) _writer.WriteNumber("percentMax"u8, percent);
                break;
            case SpawnEntry.Pinned e:
                Head("spawn.pinned", e.Step);
                _writer.WriteString("definition"u8, e.Definition);
                _writer.WriteString("hash"u8, e.Hash);
                break;
            case SpawnEntry.ChildStarted e:
                Child("child.started", e.Step, e.Child);
                _writer.WriteNumber("unit"u8, e.Unit);
                _writer.WriteNumber("offset"u8, e.Offset);
                _writer.WriteNumber("count"u8, e.Count);
                Value("next", e.Next);
                break;
            case SpawnEntry.ChildEnded e:
                Child("child.ended", e.Step, e.Child);
                _writer.WriteNumber("state"u8, (int)e.Phase);
                Value("output", e.Output);
                if (e.Error is { } failed) Error(failed);
                break;
            case SpawnEntry.ChildRetried e:
                Child("child.retried", e.Step, e.Child);
                Error(e.Error);
                _writer.WriteNumber("wakeAt"u8, e.WakeAt);
                break;
            case SpawnEntry.ChildContinued e:
                Child("child.continued", e.Step, e.Child);
                _writer.WriteString("successor"u8, e.Successor);
                break;
            case SpawnEntry.CursorMoved e:
                Head("spawn.moved", e.Step);
                Value("next", e.Next);
                break;
            case SpawnEntry.DelayPassed e: Head("spawn.due", e.Step); break;
            case SpawnEntry.ConcurrencyChanged e:
                Head("spawn.concurrency", e.Step);
                _writer.WriteNumber("concurrency"u8, e.Concurrency);
                break;
            default: throw new InvalidOperationException($"Unknown entry {entry.GetType().Name}.");
        }
    }

    /// <summary>What is undone, and what stands.</summary>
    private void WriteEnding(Entry entry)
    {
        switch (entry)
        {
            case HoldEntry.Held e:
                Head("run.held"u8, e.Reason);
                _writer.WriteString("hold"u8, e.Hold);
                break;
            case HoldEntry.Released: _writer.WriteString("e"u8, "run.released"u8); break;
            case CompensationEntry.Begun e:
                Head("compensation.begun"u8, e.Reason);
                if (e.Error is { } cause) Error(cause);
                break;
            case CompensationEntry.Started e:
                Head("compensation.started", e.Step);
                _writer.WriteNumber("node"u8, e.Node);
                _writer.WriteNumber("for"u8, e.For);
                break;
            default: throw new InvalidOperationException($"Unknown entry {entry.GetType().Name}.");
        }
    }

    private void WriteApproval(ApprovalEntry entry)
    {
        switch (entry)
        {
            case ApprovalEntry.Asked e:
                Head("approval.asked", e.Step);
                _writer.WriteString("approval"u8, e.Approval);
                Value("ask", e.Ask.ToJson());
                _writer.WriteString("hash"u8, e.Hash);
                break;
            case ApprovalEntry.Voted e:
                Head("approval.voted", e.Step);
                _writer.WriteString("by"u8, e.Vote.By);
                _writer.WriteBoolean("approves"u8, e.Vote.Approves);
                if (e.Vote.Comment is not null) _writer.WriteString("comment"u8, e.Vote.Comment);
                Value("form", e.Vote.Form);
                _writer.WriteNumber("at"u8, e.Vote.At);
                break;
            case ApprovalEntry.Delegated e:
                Head("approval.delegated", e.Step);
                _writer.WriteString("by"u8, e.By);
                _writer.WriteString("to"u8, e.To);
                _writer.WriteNumber("at"u8, e.At);
                break;
            case ApprovalEntry.Reminded e:
                Head("approval.reminded", e.Step);
                _writer.WriteNumber("count"u8, e.Count);
                break;
            case ApprovalEntry.Escalated e: Head("approval.escalated", e.Step); break;
            case ApprovalEntry.Settled e:
                Head("approval.settled", e.Step);
                _writer.WriteNumber("state"u8, (int)e.State);
                break;
            default: throw new InvalidOperationException($"Unknown entry {entry.GetType().Name}.");
        }
    }

    private void Child(string kind, int step, Guid child)
    {
        Head(kind, step);
        _writer.WriteString("child"u8, child);
    }

    private void Trigger(RunTrigger trigger)
    {
        _writer.WriteStartObject("trigger"u8);
        _writer.WriteString("schedule"u8, trigger.Schedule);
        _writer.WriteNumber("at"u8, trigger.At);
        _writer.WriteEndObject();
    }

    private void Head(ReadOnlySpan<byte> kind, string? reason)
    {
        _writer.WriteString("e"u8, kind);
        if (reason is not null) _writer.WriteString("reason"u8, reason);
    }

    private void WriteStarted(Entry.StepStarted e)
    {
        Place("step.started", e.Step, e.Parent, e.Node, e.Iteration);
        Value("input", e.Input);
        if (e.InputHidden) _writer.WriteBoolean("inputHidden"u8, true);
        Number("timeoutAt"u8, e.TimeoutAt);
        Number("wakeAt"u8, e.WakeAt);
        if (e.Items is { } items) Value("items", (Json)items);
        if (e.Child is { } child) _writer.WriteString("child"u8, child);
    }

    private void WriteCompleted(Entry.StepCompleted e)
    {
        Head("step.completed", e.Step);
        Value("output", e.Output);
        Value("context", e.Context);
        if (e.Then is not { } then) return;
        _writer.WriteNumber("then"u8, (int)then.Kind);
        if (then.Kind == FlowKind.Goto) _writer.WriteNumber("to"u8, then.Position);
    }

    private void WriteConsumed(Entry.EventConsumed e)
    {
        Head("event.consumed", e.Step);
        _writer.WriteNumber("event"u8, e.Event);
        if (e.Filter >= 0) _writer.WriteNumber("filter"u8, e.Filter);
        if (e.Ends) _writer.WriteBoolean("ends"u8, true);
        else Value("item", e.Item);
        if (e.Correlated is { } found) Value("correlated", (Json)found);
    }

    private void Place(string kind, int step, int parent, int node, int iteration)
    {
        Head(kind, step);
        _writer.WriteNumber("parent"u8, parent);
        _writer.WriteNumber("node"u8, node);
        if (iteration >= 0) _writer.WriteNumber("iteration"u8, iteration);
    }

    private void Head(string kind, int step)
    {
        _writer.WriteString("e"u8, kind);
        _writer.WriteNumber("step"u8, step);
    }

    private void Head(string kind, int step, WorkflowError error)
    {
        Head(kind, step);
        Error(error);
    }

    private void Error(WorkflowError error)
    {
        _writer.WritePropertyName("error"u8);
        JsonText.Write(error.ToJson(), _writer);
    }

    private void Number(ReadOnlySpan<byte> name, long? value)
    {
        if (value is { } number) _writer.WriteNumber(name, number);
    }

    private void Value(string name, Json? value)
    {
        if (value is not { } json) return;
        _value.ResetWrittenCount();
        JsonText.Write(json, _value);
        if (_value.WrittenCount <= InlineBytesMax)
        {
            _writer.WritePropertyName(name);
            _writer.WriteRawValue(_value.WrittenSpan, skipInputValidation: true);
            return;
        }
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(_value.WrittenSpan));
        (_large ??= []).Add(new LargeValue(sha256, _value.WrittenSpan.ToArray()));
        _writer.WriteStartObject(name + "@");
        _writer.WriteString("sha256"u8, sha256);
        _writer.WriteNumber("size"u8, _value.WrittenCount);
        _writer.WriteEndObject();
    }
}
