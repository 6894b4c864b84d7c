using System.Globalization;
using Millrace.Workflows;

namespace Millrace.Simulation.Programs;

/// <summary>
/// A task of a random workflow, which can say two things of itself: its text, which the engine runs, and how it may end, which is
/// computed here without any of the engine's code. What flows from task to task is <c>{"n": number}</c>.
/// </summary>
internal abstract record Node(string Name)
{
    public const int Modulus = 997;

    /// <summary>Skipped when the number is a multiple of this; 0 for never.</summary>
    public int SkippedBy { get; init; }

    /// <summary>Its timeout in milliseconds; 0 for none.</summary>
    public int TimeoutMs { get; init; }

    /// <summary>How it is undone when the run does not complete; null: not at all.</summary>
    public Undo? Undo { get; init; }

    public string Text
    {
        get
        {
            var condition = SkippedBy == 0 ? "" : Inv($", \"if\": \"${{ .n % {SkippedBy} != 0 }}\"");
            var timeout = TimeoutMs == 0 ? "" : Inv($", \"timeout\": {{ \"after\": {{ \"milliseconds\": {TimeoutMs} }} }}");
            var undo = Undo is null ? "" : $", \"metadata\": {Undo.Text(Name)}";
            return $"{{ \"{Name}\": {{ {Body}{condition}{timeout}{undo} }} }}";
        }
    }

    protected abstract string Body { get; }

    public bool Skips(int n) => SkippedBy != 0 && n % SkippedBy == 0;

    public Outcomes Ends(Library library, int n)
    {
        if (Skips(n)) return Outcomes.Of(Outcome.Value(n));
        var ends = library.Remember(this, n, Does);
        return TimeoutMs == 0 ? ends : Outcomes.Of(Outcome.Error(ErrorTypes.Timeout)).Add(ends);
    }

    protected abstract Outcomes Does(Library library, int n);

    protected static string Inv(FormattableString text) => FormattableString.Invariant(text);
}

internal sealed record SetNode(string Name, int Factor, int Plus) : Node(Name)
{
    protected override string Body => Inv($"\"set\": {{ \"n\": \"${{ (.n * {Factor} + {Plus}) % {Modulus} }}\" }}");

    protected override Outcomes Does(Library library, int n) => Outcomes.Of(Outcome.Value((n * Factor + Plus) % Modulus));
}

internal sealed record WaitNode(string Name, int Ms) : Node(Name)
{
    protected override string Body => Inv($"\"wait\": {{ \"milliseconds\": {Ms} }}");

    protected override Outcomes Does(Library library, int n) => Outcomes.Of(Outcome.Value(n));
}

internal sealed record RaiseNode(string Name, string Kind) : Node(Name)
{
    protected override string Body => $"\"raise\": {{ \"error\": {{ \"type\": \"{Type}\", \"status\": 418 }} }}";

    private string Type => $"https://example.org/errors/{Kind}";

    protected override Outcomes Does(Library library, int n) => Outcomes.Of(Outcome.Error(Type));
}

/// <summary>An effect. What it answers follows from its arguments alone.</summary>
/// <param name="Function"><c>count</c>, <c>once</c>, <c>parts</c>, <c>big</c>, <c>hang</c>, <c>named</c> or <c>moody</c>.</param>
/// <param name="Tag">Tells the calls of a document apart.</param>
internal sealed record CallNode(string Name, string Function, int Tag) : Node(Name)
{
    /// <summary>Some are given a secret, and give it back.</summary>
    private bool IsTrusted => Tag % 6 == 0 && Function is "count" or "once" or "big";

    protected override string Body => Inv($"\"call\": \"{Function}:1.0.0@default\", \"with\": {{ \"n\": \"${{ .n }}\", \"tag\": {Tag}{(IsTrusted ? ", \"token\": \"${ $secrets.token }\"" : "")} }}");

    public static int Answer(int n, int tag) => (n * 7 + tag) % Modulus;

    protected override Outcomes Does(Library library, int n) => Function switch
    {
        "hang" => Outcomes.Of(),
        "once" => Outcomes.Of(Outcome.Value(Answer(n, Tag)), Outcome.Error(ErrorTypes.Runtime)),
        "moody" => Outcomes.Of(Outcome.Value(Answer(n, Tag)), Outcome.Error(ErrorTypes.Communication)),
        _ => Outcomes.Of(Outcome.Value(Answer(n, Tag))),
    };
}

/// <summary>An effect that fails some times, tried as often as it may fail: in the end it must succeed.</summary>
internal sealed record StubbornNode(string Name, int Tag, int Failures, int DelayMs) : Node(Name)
{
    protected override string Body => Inv($$"""
        "try": [ { "{{Name}}try": { "call": "flaky:1.0.0@default", "with": { "n": "${ .n }", "tag": {{Tag}}, "failures": {{Failures}} } } } ],
        "catch": { "errors": { "with": { "status": 503 } }, "retry": { "delay": { "milliseconds": {{DelayMs}} }, "jitter": { "from": { "milliseconds": 0 }, "to": { "milliseconds": 200 } }, "limit": { "attempt": { "count": {{Failures}} } } } }
        """);

    protected override Outcomes Does(Library library, int n) => Outcomes.Of(Outcome.Value(CallNode.Answer(n, Tag)));
}

/// <param name="Cases">By remainder: where to go; a name, <c>continue</c>, <c>exit</c> or <c>end</c>.</param>
internal sealed record SwitchNode(string Name, IReadOnlyList<string> Cases) : Node(Name)
{
    protected override string Body => "\"switch\": [ " + string.Join(", ", Cases.Select((then, i) => Inv($"{{ \"{Name}{i}\": {{ \"when\": \"${{ .n % {Cases.Count} == {i} }}\", \"then\": \"{then}\" }} }}"))) + " ]";

    public string Then(int n) => Skips(n) ? "continue" : Cases[n % Cases.Count];

    protected override Outcomes Does(Library library, int n) => Outcomes.Of(Outcome.Value(n));
}

/// <summary>Its child is given the number alone: what a run before it was told of its own chain is not for this one.</summary>
internal sealed record ChildNode(string Name, ProgramRef Definition) : Node(Name)
{
    protected override string Body => $"\"run\": {{ \"workflow\": {{ {Definition.Text}, \"input\": {{ \"n\": \"${{ .n }}\" }} }} }}";

    /// <summary>Its parent sees a child that somebody cancelled as an error.</summary>
    protected override Outcomes Does(Library library, int n) => Outcomes.Of(Outcome.Error(ErrorTypes.Runtime)).Add(library.EndsOf(Definition, n));
}
