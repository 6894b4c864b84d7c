using Millrace.Jq;

namespace Millrace.Simulation.Programs;

/// <summary>The events of a simulated world: a type, and a small number as data.</summary>
internal static class Events
{
    /// <summary>Numbers are 0 and up to this.</summary>
    public const int Numbers = 5;

    public static readonly string[] Types = ["sim.a", "sim.b"];

    /// <summary>The type of events that only end a listening.</summary>
    public const string Stop = "sim.stop";

    /// <summary>Types of events that start runs.</summary>
    public static readonly string[] Starting = ["sim.start", "sim.also"];

    /// <summary>A CloudEvent in its JSON format.</summary>
    public static Json Make(string id, string type, Json data) => new JsonObject.Builder(5)
        .Set("specversion", "1.0").Set("id", id).Set("source", "https://sim.example").Set("type", type).Set("data", data).Build();

    /// <summary>Sums of so many numbers.</summary>
    public static IEnumerable<Outcome> Sums(int events) => Enumerable.Range(0, events * (Numbers - 1) + 1).Select(Outcome.Value);
}

/// <summary>An event of the run's own; what came in goes on.</summary>
internal sealed record EmitNode(string Name, string Type) : Node(Name)
{
    protected override string Body => Inv($$"""
        "emit": { "event": { "with": { "source": "https://sim.example/run", "type": "{{Type}}", "data": { "n": "${ .n % {{Events.Numbers}} }" } } } }, "output": { "as": "${ $input }" }
        """);

    protected override Outcomes Does(Library library, int n) => Outcomes.Of(Outcome.Value(n));
}

internal enum Hears
{
    /// <summary>One event of one type.</summary>
    One,

    /// <summary>One of each type.</summary>
    All,

    /// <summary>Events of any type, until there are some.</summary>
    Some,

    /// <summary>The same, and something is done for each of them.</summary>
    Each,

    /// <summary>One of each type, all with the same number.</summary>
    Alike,

    /// <summary>One event with a number that follows from what came in.</summary>
    Mine,

    /// <summary>Events of any type, however many, until one says that it is enough.</summary>
    Until,

    /// <summary>The same, and nothing says so: only a timeout ends it.</summary>
    Forever,
}

/// <summary>What is read of an event.</summary>
internal enum Reads
{
    Data,
    Envelope,
    Raw,
}

/// <summary>Waits for events, which somebody sends sooner or later; their numbers are added.</summary>
/// <param name="Count">For <see cref="Hears.Some"/> and <see cref="Hears.Each"/>: how many.</param>
internal sealed record ListenNode(string Name, Hears What, string Type, int Count, int Tag, Reads Reads = Reads.Data) : Node(Name)
{
    /// <summary>The number in what was read.</summary>
    private string Number => Reads switch { Reads.Envelope => "data.n", Reads.Raw => "| fromjson.n", _ => "n" };

    protected override string Body
    {
        get
        {
            var filters = string.Join(", ", Events.Types.Select(t => $$"""{ "with": { "type": "{{t}}" } }"""));
            var to = What switch
            {
                Hears.One => $$"""{ "one": { "with": { "type": "{{Type}}" } } }""",
                Hears.All => $$"""{ "all": [ {{filters}} ] }""",
                Hears.Alike => $$"""{ "all": [ {{string.Join(", ", Events.Types.Select(t => Correlated(t, "")))}} ] }""",
                Hears.Mine => Inv($$"""{ "one": {{Correlated(Type, Inv($$""", "expect": "${ .n % {{Events.Numbers}} }" """))}} }"""),
                Hears.Until => $$"""{ "any": [ {{filters}} ], "until": { "one": { "with": { "type": "{{Events.Stop}}" } } } }""",
                Hears.Forever => $$"""{ "any": [ {{filters}} ], "until": "${ false }" }""",
                _ => Inv($$"""{ "any": [ {{filters}} ], "until": "${ length >= {{Count}} }" }"""),
            };
            var (each, number) = HasEach ? (Inv($$"""
                , "foreach": { "item": "event", "do": [ { "{{Name}}each": { "call": "count:1.0.0@default", "with": { "n": "${ $event{{Of(Number)}} }", "tag": {{Tag}} } } } ] }
                """), ".n") : ("", Of(Number));
            return Inv($$"""
                "listen": { "to": {{to}}, "read": "{{Reads.ToString().ToLowerInvariant()}}" }{{each}}, "output": { "as": "${ { n: (([.[]{{number}}] | add // 0) % {{(What == Hears.Until ? Events.Numbers : Modulus)}}) } }" }
                """);
        }
    }

    private bool HasEach => What is Hears.Each or Hears.Forever;

    private static string Of(string number) => number.StartsWith('|') ? $" {number}" : $".{number}";

    private static string Correlated(string type, string expect) => $$"""{ "with": { "type": "{{type}}" }, "correlate": { "number": { "from": "${ .data.n }"{{expect}} } } }""";

    protected override Outcomes Does(Library library, int n)
    {
        if (What is Hears.Mine) return Outcomes.Of(Outcome.Value(n % Events.Numbers));
        if (What is Hears.Alike) return Outcomes.Of(Enumerable.Range(0, Events.Numbers).Select(i => Outcome.Value(i * Events.Types.Length)));
        if (What is Hears.Until) return Outcomes.Of(Enumerable.Range(0, Events.Numbers).Select(Outcome.Value));
        if (What is Hears.Forever) return Outcomes.Of();
        if (What is Hears.One) return Outcomes.Of(Events.Sums(1));
        if (What is Hears.All) return Outcomes.Of(Events.Sums(Events.Types.Length));
        if (What is Hears.Some) return Outcomes.Of(Events.Sums(Count));
        IEnumerable<int> sums = [0];
        for (var i = 0; i < Count; i++) sums = sums.SelectMany(sum => Enumerable.Range(0, Events.Numbers).Select(e => (sum + CallNode.Answer(e, Tag)) % Modulus)).ToHashSet();
        return Outcomes.Of(sums.Select(Outcome.Value));
    }
}
