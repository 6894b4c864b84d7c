using Millrace.Workflows;

namespace Millrace.Simulation.Programs;

/// <summary>Goes on as another run of the same program, which is told how often it may do so still.</summary>
/// <param name="Program">The program it stands in.</param>
/// <param name="Times">How often, for a run that was told nothing.</param>
/// <param name="AsLatest">As a run of the latest version; else of the same one.</param>
internal sealed record ContinueNode(string Name, string Program, int Times, int Factor, int Plus, bool AsLatest) : Node(Name)
{
    /// <summary>Under which name a run is told: what it passes on to children of its own means nothing to them.</summary>
    public string Left => $"left_{Program}";

    protected override string Body => Inv($$"""
        "do": [ { "{{Name}}c": { "if": "${ {{Count}} > 0 }", "call": "continue:1.0.0@default", "with": { {{(AsLatest ? "\"version\": \"latest\", " : "")}}"input": { "n": "${ (.n * {{Factor}} + {{Plus}}) % {{Modulus}} }", "{{Left}}": "${ {{Count}} - 1 }" } } } } ]
        """);

    private string Count => Inv($"($workflow.input.{Left}? // {Times})");

    protected override Outcomes Does(Library library, int n) => (library.Left ?? Times) switch
    {
        0 => Outcomes.Of(Outcome.Value(n)),
        _ => Outcomes.Of(Outcome.Continue((n * Factor + Plus) % Modulus)),
    };
}
