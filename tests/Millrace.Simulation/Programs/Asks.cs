using Millrace.Workflows;

namespace Millrace.Simulation.Programs;

/// <summary>What it means that nobody decides in time.</summary>
internal enum Silence
{
    /// <summary>There is no time.</summary>
    Waits,
    Fails,
    Rejects,
    Approves,
}

/// <summary>Asks people, who decide sooner or later.</summary>
/// <param name="RejectsByQuorum">As many noes as yeses are needed; else one is enough.</param>
/// <param name="GoesOn">A no is an answer; else an error.</param>
internal sealed record AskNode(string Name, int Quorum, bool RejectsByQuorum, bool GoesOn, Silence Silence, int Ms) : Node(Name)
{
    /// <summary>After which more people are asked; 0: never.</summary>
    public int EscalateMs { get; init; }

    /// <summary>Nobody may hand their vote on.</summary>
    public bool IsPersonal { get; init; }

    /// <summary>Who agrees fills in a number.</summary>
    public bool HasForm { get; init; }

    /// <summary>Numbers of forms are 0 and up to this.</summary>
    public const int FormNumbers = 5;

    private const int WhenApproved = 1, WhenRejected = 2;

    protected override string Body
    {
        get
        {
            var expire = Silence == Silence.Waits ? "" : Inv($$""", {{(EscalateMs == 0 ? "\"remind\": { \"seconds\": 1 }, " : "")}}"expire": { "after": { "milliseconds": {{Ms}} }, "outcome": "{{Silence switch { Silence.Rejects => "reject", Silence.Approves => "approve", _ => "fail" }}}" }""");
            var escalate = EscalateMs == 0 ? "" : Inv($$""", "approvers": [ "person0", "person1", "person2" ], "remind": { "milliseconds": {{Math.Max(1_000, EscalateMs / 2)}} }, "escalate": { "after": { "milliseconds": {{EscalateMs}} }, "to": { "groups": [ "heads" ] } }""");
            return Inv($$"""
                "call": "approve:1.0.0@default", "with": { "title": "{{Name}}?", "show": "${ .n }", "quorum": {{Quorum}}, "reject": "{{(RejectsByQuorum ? "quorum" : "any")}}", "onReject": "{{(GoesOn ? "continue" : "fault")}}"{{expire}}{{escalate}}{{(IsPersonal ? ", \"delegate\": false" : "")}}{{(HasForm ? Form : "")}} },
                "output": { "as": "${ { n: (($input.n + (if .outcome == \"approved\" then {{WhenApproved}} else {{WhenRejected}} end) + (([.decisions[].form | objects | .n] | add // 0) % {{FormNumbers}})) % {{Modulus}}) } }" }
                """);
        }
    }

    private static string Form => Inv($$""", "form": { "type": "object", "required": [ "n" ], "properties": { "n": { "type": "integer", "minimum": 0, "exclusiveMaximum": {{FormNumbers}} } } }""");

    protected override Outcomes Does(Library library, int n)
    {
        var forms = Enumerable.Range(0, HasForm ? FormNumbers : 1).ToList();
        var ends = Outcomes.Of(forms.Select(f => Outcome.Value((n + WhenApproved + f) % Modulus)));
        if (GoesOn) ends.Add(forms.Select(f => Outcome.Value((n + WhenRejected + f) % Modulus)));
        else ends.Add(Outcome.Error(ErrorTypes.Authorization));
        return Silence == Silence.Fails ? ends.Add(Outcome.Error(ErrorTypes.Timeout)) : ends;
    }
}
