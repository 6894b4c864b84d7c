using Millrace.Jq;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Workflows.Tests.Kernel;

/// <summary>Drives the state machine by hand: a clock that jumps to the next timer, effects that answer from a table.</summary>
internal sealed class KernelRun
{
    private readonly Surroundings _around;
    private readonly List<(List<Entry> Entries, long At)> _journal = [];
    private readonly Decision _decision;
    private readonly Guid _id = Guid.CreateVersion7();
    private readonly List<(Step Step, Queue<Json> Items)> _giving = [];
    private bool _answers = true;
    private long _position;
    private long _now = 1_700_000_000_000_000;

    private KernelRun(Workflow workflow, Json input, Dictionary<string, Json>? secrets)
    {
        _around = new Surroundings(Guid.CreateVersion7, () => 0.5) { Secrets = names => secrets is null ? (Json?)null : Json.Of(JsonObject.Of([.. secrets])), EntriesMax = 200 };
        State = new RunState(workflow, _id);
        var created = new Entry.RunCreated(input);
        State.Apply(created, _now);
        _journal.Add(([created], _now));
        _decision = new Decision(State, _around);
    }

    /// <summary>Goes on from what another run's journal says.</summary>
    private KernelRun(KernelRun source, IEnumerable<(List<Entry> Entries, long At)> taken, Entry.RunForked fork)
    {
        (_around, _now) = (source._around, source._now + 1_000_000_000);
        State = new RunState(source.State.Workflow, _id);
        _journal.AddRange(taken);
        _journal.Add(([fork], _now));
        foreach (var (entries, at) in _journal)
            foreach (var entry in entries) State.Apply(entry, at);
        _decision = new Decision(State, _around);
    }

    public RunState State { get; }

    /// <summary>Names of the tasks in the order in which their steps began.</summary>
    public List<string> Ran { get; } = [];

    public List<string> Skipped { get; } = [];

    /// <summary>Who began to listen and who ceased to, by step.</summary>
    public List<string> Listened { get; } = [];

    /// <summary>Arguments of each call, in order.</summary>
    public List<Json> Calls { get; } = [];

    /// <summary>Steps whose effects are not wanted any more.</summary>
    public List<int> Abandoned { get; } = [];

    /// <summary>How far the clock went, for waits and retries.</summary>
    public TimeSpan Passed => TimeSpan.FromMicroseconds(_now - 1_700_000_000_000_000);

    /// <param name="answer">What the n-th call (from 0) gives: a value, or an error; where something is done for each item, an array of those, which come one by one.</param>
    /// <param name="answerNever">Calls never end.</param>
    /// <param name="decisionsMax">Ends runs that would never end.</param>
    /// <param name="events">What comes in, one after another as soon as somebody listens: an event, or an array of events at once; the position of each is its place here.</param>
    public static KernelRun Of(string tasks, Json? input = null, string head = "", Func<int, object>? answer = null, Dictionary<string, Json>? secrets = null, int decisionsMax = 1000, IReadOnlyList<Json>? events = null, bool answerNever = false)
    {
        var loaded = WorkflowLoader.Load($"document: {{ dsl: 1.0.3, namespace: test, name: test, version: 1.0.0 }}\n{head}\ndo:\n{tasks}\n");
        Assert.True(loaded.IsExecutable, string.Join("\n", loaded.Diagnostics));
        var run = new KernelRun(loaded.Workflow!, input ?? Json.EmptyObject, secrets) { _answers = !answerNever };
        run.Drive(answer ?? (_ => Json.Null), decisionsMax, new Queue<Json>(events ?? []));
        run.CheckReplay();
        return run;
    }

    private void Drive(Func<int, object> answer, int decisionsMax, Queue<Json> events)
    {
        var pending = new Queue<Command.Invoke>();
        if (State.IsCut) _decision.At(_now).Recover(_ => false, _ => true);
        else _decision.At(_now).Begin();
        for (var i = 0; i < decisionsMax; i++)
        {
            foreach (var invoke in Record()) pending.Enqueue(invoke);
            if (State.IsFinished) return;
            _decision.At(++_now);
            if (_decision.HasMore) _decision.Continue();
            else if (events.Count > 0 && State.Active.Values.Any(s => s.Listener is not null)) Arrive(events.Dequeue());
            else if (Gives()) continue;
            else if (_answers && pending.TryDequeue(out var call)) Answer(call, answer(Calls.Count));
            else if (State.NextWake is { } wake) _decision.At(_now = Math.Max(_now, wake)).Tick();
            else return;
        }
        Record();
    }

    private void Arrive(Json arriving)
    {
        foreach (var one in arriving.ArrayOrNull ?? Json.Array(arriving).AsArray()) _decision.EventArrived(++_position, one);
    }

    private void Answer(Command.Invoke call, object answered)
    {
        Calls.Add(call.Arguments);
        if (call.Step.Intake is { } intake && answered is Json { IsArray: true } items) _giving.Add((call.Step, new Queue<Json>(items.AsArray().Skip(intake.Items.Count))));
        else if (answered is WorkflowError error) _decision.EffectFailed(call.Step.Id, error);
        else _decision.EffectCompleted(call.Step.Id, (Json)answered);
    }

    /// <summary>An effect gives its next item when the one before is done with, and ends when it has none or none is wanted.</summary>
    private bool Gives()
    {
        _giving.RemoveAll(g => State.Find(g.Step.Id) != g.Step);
        var at = _giving.FindIndex(g => g.Step.Intake!.Handled == g.Step.Intake.Items.Count);
        if (at < 0) return false;
        var (step, items) = _giving[at];
        if (!step.Intake!.IsClosed && items.TryDequeue(out var item)) _decision.SubStepCompleted(step.Id, Intake.NameOf(step.Intake.Items.Count), item);
        else _decision.EffectCompleted(step.Id, Json.Null);
        return true;
    }

    private List<Command.Invoke> Record()
    {
        foreach (var entry in _decision.Entries)
        {
            if (entry is Entry.StepStarted started) Ran.Add(State.Workflow.Nodes[started.Node].Name);
            if (entry is Entry.StepSkipped skipped) Skipped.Add(State.Workflow.Nodes[skipped.Node].Name);
        }
        foreach (var command in _decision.Commands)
        {
            if (command is Command.Listen listen) Listened.Add($"+{listen.Step}");
            if (command is Command.Abandon abandon) Abandoned.Add(abandon.Step);
            if (command is Command.Deafen deafen) Listened.Add($"-{deafen.Step}");
        }
        _journal.Add(([.. _decision.Entries], _now));
        return [.. _decision.Commands.OfType<Command.Invoke>()];
    }

    /// <summary>The state is the fold of the journal, whatever happened.</summary>
    private void CheckReplay()
    {
        var folded = new RunState(State.Workflow, _id);
        foreach (var (entries, at) in _journal)
            foreach (var entry in entries) folded.Apply(entry, at);
        Assert.Equal(State.Phase, folded.Phase);
        Assert.Equal(State.Output, folded.Output);
        Assert.Equal(State.Context, folded.Context);
        Assert.Equal(State.Counts, folded.Counts);
        Assert.Equal(State.NextWake, folded.NextWake);
        Assert.Equal(State.Active.Keys.Order(), folded.Active.Keys.Order());
        foreach (var (id, step) in State.Active) Assert.Equal(step.Data, folded.Active[id].Data);
    }

    /// <summary>The steps that the journal says have begun, or were skipped, with where they stand.</summary>
    public IEnumerable<(int Step, int Scope)> Begun => _journal.SelectMany(j => j.Entries).Select(e => e switch
    {
        Entry.StepStarted s => (s.Step, s.Parent),
        Entry.StepSkipped s => (s.Step, s.Parent),
        _ => (0, 0),
    }).Where(b => b.Item1 > 0);

    /// <summary>A run that goes on from just before a step began, or with a step that is under way then begun once more.</summary>
    /// <param name="again">Cut behind the beginning of the step, which is then begun once more.</param>
    public KernelRun Fork((int Step, int Scope) at, Func<int, object> answer, bool again = false, Json? input = null)
    {
        var taken = new List<(List<Entry> Entries, long At)>();
        foreach (var (entries, time) in _journal)
        {
            var place = entries.FindIndex(e => e is Entry.StepStarted s && s.Step == at.Step || e is Entry.StepSkipped k && k.Step == at.Step);
            taken.Add((place < 0 ? entries : entries[..(place + (again ? 1 : 0))], time));
            if (place >= 0) break;
        }
        var run = new KernelRun(this, taken, new Entry.RunForked(_id, taken.Count - 1, taken[^1].At) { Step = at.Step, Again = again, Scope = at.Scope, Input = input });
        run.Drive(answer, 1000, new Queue<Json>());
        run.CheckReplay();
        return run;
    }
}
