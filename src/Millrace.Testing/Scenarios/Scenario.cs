using Millrace.Jq;
using Millrace.Workflows.Documents;

namespace Millrace.Testing.Scenarios;

/// <summary>The scenarios of one file. Without any when something in it is wrong: then the findings say what and where.</summary>
public sealed record ScenarioFile(string Path, string Source, IReadOnlyList<Scenario> Scenarios, IReadOnlyList<Diagnostic> Findings);

/// <summary>One run of a workflow, all that happens to it from outside, and what is expected of it.</summary>
public sealed record Scenario(string File, int Line, string Name)
{
    /// <summary>The section of the specification it is about, as <c>page#section</c>; empty when none.</summary>
    public string Spec { get; init; } = "";

    /// <summary>What the engine lacks for it to pass; empty when nothing. It is played all the same.</summary>
    public string Gap { get; init; } = "";

    /// <summary>Nobody starts it: its schedule does, from when the scenario begins.</summary>
    public bool Scheduled { get; init; }

    /// <summary>The document that is run.</summary>
    public required string Workflow { get; init; }

    /// <summary>Documents of the workflows that it starts.</summary>
    public IReadOnlyList<string> Workflows { get; init; } = [];

    public Json Input { get; init; }
    public Json Secrets { get; init; }

    /// <summary>Where the clock stands when the run is started.</summary>
    public DateTimeOffset Now { get; init; }

    /// <summary>How much time passes at most.</summary>
    public TimeSpan Until { get; init; }

    public IReadOnlyList<Mock> Mocks { get; init; } = [];

    /// <summary>What comes from outside, in the order of time.</summary>
    public IReadOnlyList<ScriptItem> Script { get; init; } = [];

    public Restart Restart { get; init; } = Restart.Never;

    /// <summary>What is expected, as it stands in the file.</summary>
    public Json Expect { get; init; }

    public override string ToString() => Name;
}

/// <param name="Everywhere">The scenario is played once more for each of its writes, with a crash after it.</param>
/// <param name="AfterRecord">The process dies when this record of the run's journal is on disk.</param>
/// <param name="Forbidden">A crash changes what is expected, for example because an effect that is done once was under way.</param>
public sealed record Restart(bool Everywhere, long? AfterRecord, bool Forbidden = false)
{
    public static readonly Restart Never = new(false, null);
}

/// <summary>What somebody does at a moment, counted from the start of the run.</summary>
public abstract record ScriptItem(TimeSpan At)
{
    public sealed record Event(TimeSpan At, Json CloudEvent) : ScriptItem(At);

    /// <param name="Wish"><c>cancel</c>, <c>suspend</c> or <c>resume</c>.</param>
    /// <param name="Workflow">Of whose runs, by the definition's name; null: of the scenario's own run.</param>
    public sealed record Signal(TimeSpan At, string Wish, string? Reason, string? Workflow) : ScriptItem(At);

    /// <summary>An event that runs of the scenario alone are told of.</summary>
    /// <param name="Data">Null: it has none.</param>
    /// <param name="Workflow">Unfinished runs of the definition of this name; null: the scenario's own run.</param>
    public sealed record Tell(TimeSpan At, string Name, Json? Data, string? Workflow) : ScriptItem(At);

    /// <summary>The run that has failed goes on from there as another, which the scenario is about from then on.</summary>
    public sealed record Retry(TimeSpan At, string? Reason) : ScriptItem(At);

    /// <summary>The run that has ended goes back to a map or a swarm of which not all children completed.</summary>
    public sealed record Redrive(TimeSpan At, string Task) : ScriptItem(At);

    /// <summary>So many children of a map or a swarm are under way at once from then on.</summary>
    public sealed record Concurrency(TimeSpan At, string Task, int To) : ScriptItem(At);

    /// <summary>A definition, or the whole workspace, stands or goes on.</summary>
    /// <param name="Workflow">The definition's name; null: the workspace.</param>
    public sealed record Hold(TimeSpan At, bool Stands, string? Reason, string? Workflow) : ScriptItem(At);

    /// <summary>A person says something about what a task asks, in whichever run of the scenario it does.</summary>
    /// <param name="Task">Its name, or its JSON pointer.</param>
    /// <param name="Show">What is decided is like; null: anything.</param>
    /// <param name="Approves">Null: the vote is handed to <paramref name="Delegate"/>.</param>
    public sealed record Decide(TimeSpan At, string Task, Json Show, string By, bool? Approves, string? Delegate, string? Comment, Json Form) : ScriptItem(At);

    /// <summary>The process dies, and another one begins after a while.</summary>
    public sealed record Outage(TimeSpan At, TimeSpan For) : ScriptItem(At);
}

/// <summary>What a call of a function, or a request of the HTTP client, meets instead of the world outside.</summary>
public sealed record Mock(string Pointer, int Line)
{
    /// <summary>The function's name; null when it answers requests.</summary>
    public string? Call { get; init; }

    /// <summary>What a request is like: method, uri, headers, body.</summary>
    public Json Request { get; init; }

    /// <summary>Only calls of this task: its name, or its JSON pointer.</summary>
    public string? Task { get; init; }

    /// <summary>Only in runs of a definition of this name.</summary>
    public string? Workflow { get; init; }

    /// <summary>Only in runs whose input is this, or fits this condition.</summary>
    public Json? Input { get; init; }

    /// <summary>What the arguments are like; null: anything.</summary>
    public Json With { get; init; }

    public required MockAnswer Answer { get; init; }

    /// <summary>How long it takes to answer.</summary>
    public TimeSpan After { get; init; }

    /// <summary>How often it answers; then it is as if it were not there.</summary>
    public int Times { get; init; } = int.MaxValue;
}

public abstract record MockAnswer
{
    /// <param name="Value">A template: <c>${ }</c> sees the call's arguments.</param>
    public sealed record Returns(Json Value) : MockAnswer;

    /// <summary>What the task gave, behind its <c>output.as</c>, as a journal has it. No template.</summary>
    public sealed record Outputs(Json Value) : MockAnswer;

    public sealed record Faults(Workflows.WorkflowError Error) : MockAnswer;

    public sealed record Responds(int Status, Json Headers, Json Body) : MockAnswer;

    /// <summary>A process ended so; what the task gives of it follows from its <c>return</c>.</summary>
    public sealed record Exits(int Code, string Stdout, string Stderr) : MockAnswer;

    /// <summary>There is no connection.</summary>
    public sealed record Refuses : MockAnswer;

    /// <summary>It never ends by itself.</summary>
    public sealed record Hangs : MockAnswer;
}
