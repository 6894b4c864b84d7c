using System.Globalization;
using Millrace.Workflows;

namespace Millrace.Simulation.Programs;

/// <summary>How a map's chunk is carried out.</summary>
internal enum Chunks
{
    /// <summary>One item, one child.</summary>
    Single,

    /// <summary>A child carries out its items one after the other.</summary>
    Batch,

    /// <summary>A child gets the chunk as a whole: here, the sum of its numbers.</summary>
    Whole,
}

/// <summary>A child for each chunk of some numbers; what comes of them is added. One that failed counts for nothing, or ends the map.</summary>
/// <param name="FromCursor">The numbers are made while they are walked, one chunk for each cursor.</param>
/// <param name="ByReference">The results stay with the children, and a second map reads them there.</param>
internal sealed record MapNode(string Name, ProgramRef Definition, int Items, int Chunk, Chunks Kind, int Concurrency, bool Collects, bool FromCursor, bool ByReference) : Node(Name)
{
    /// <summary>Failures that it bears, as a number or a percentage; null: any number, or none.</summary>
    public string? Tolerates { get; init; }

    /// <summary>Each item is named, and what is done for it comes under its name.</summary>
    public bool IsKeyed { get; init; }

    /// <summary>Sums beyond which any is taken for possible.</summary>
    public const int SumsMax = 150;

    protected override string Body
    {
        get
        {
            var items = FromCursor
                ? Inv($"{{ \"first\": 0, \"items\": \"${{ .n as $n | [range($cursor; [$cursor + {Chunk}, {Items}] | min)] | map({{ n: ((. + $n) % {Modulus}) }}) }}\", \"next\": \"${{ if $cursor + {Chunk} < {Items} then $cursor + {Chunk} else null end }}\" }}")
                : Inv($"\"${{ .n as $n | [range({Items})] | map({{ n: ((. + $n) % {Modulus}) }}) }}\"");
            var input = Kind == Chunks.Whole ? Inv($"\"input\": {{ \"n\": \"${{ (([$items[].n] | add) // 0) % {Modulus} }}\" }}, ") : "";
            var rest = Inv($"\"concurrency\": {Concurrency}, \"onError\": {(Tolerates is null ? Collects ? "\"collect\"" : "\"fail\"" : $"{{ \"tolerate\": {Tolerates} }}")}{(IsKeyed ? ", \"key\": \"${ $item.n | tostring }\"" : "")}");
            var map = Inv($$"""
                "call": "map:1.0.0@default", "with": { "in": {{items}}, "do": { {{Definition.Text}} }, {{input}}{{(FromCursor ? "" : Inv($"\"chunk\": {Size}, "))}}
                "each": {{(Kind == Chunks.Whole ? "false" : "true")}}, "results": "{{(ByReference ? "reference" : "inline")}}", {{rest}} }
                """);
            if (ByReference)
            {
                map = Inv($$"""
                    "do": [ { "{{Name}}a": { {{map}} } }, { "{{Name}}b": { "call": "map:1.0.0@default", "with": { "in": "${ .results }", "do": [ { "{{Name}}c": { "set": "${ { n: .n } }" } } ], {{rest}} } } } ]
                    """);
            }
            return Inv($$"""
                {{map}}, "output": { "as": "${ { n: ((([.{{(Collects ? "results" : "")}}[] | .n] | add) // 0) % {{Modulus}}) } }" }
                """);
        }
    }

    private int Size => Kind == Chunks.Single && !FromCursor ? 1 : Chunk;

    protected override Outcomes Does(Library library, int n)
    {
        // Somebody may cancel a child: then it has failed.
        var ends = Collects && Tolerates is null ? Outcomes.Of() : Outcomes.Of(Outcome.Error(ErrorTypes.Runtime));
        HashSet<int> sums = [0];
        for (var at = 0; at < Items; at += Size)
        {
            var chunk = Enumerable.Range(at, Math.Min(Size, Items - at)).Select(i => (i + n) % Modulus).ToList();
            foreach (var input in Kind == Chunks.Whole ? [chunk.Sum() % Modulus] : chunk)
            {
                var one = library.EndsOf(Definition, input);
                if (one.IsAny) return Outcomes.Any();
                if (!Collects || Tolerates is not null) ends.Add(one.Errors);
                var gives = Collects ? one.Values.Append(0).ToList() : [.. one.Values];
                sums = sums.SelectMany(sum => gives.Select(v => (sum + v) % Modulus)).ToHashSet();
                if (sums.Count > SumsMax) return Outcomes.Any();
            }
        }

        return ends.Add(sums.Select(Outcome.Value));
    }
}

/// <summary>A graph of children, each needing some of those before it; what comes of them is added.</summary>
/// <param name="Needs">For each member, which of those before it it needs.</param>
/// <param name="Join">How many have to complete before the others are cancelled; 0 for all that end.</param>
internal sealed record SwarmNode(string Name, ProgramRef Definition, IReadOnlyList<IReadOnlyList<int>> Needs, int Concurrency, bool Collects, int Join, int Retries) : Node(Name)
{
    /// <summary>How long each try of a member may take; 0: as long as it likes.</summary>
    public int MemberMs { get; init; }

    protected override string Body
    {
        get
        {
            var members = Needs.Select((needs, i) => Inv($$"""
                "m{{i}}": { "run": { {{Definition.Text}} }, "input": { "n": "${ (.n + {{i}}) % {{Modulus}} }" }, "needs": [{{string.Join(", ", needs.Select(m => Inv($"\"m{m}\"")))}}]{{(Retries == 0 ? "" : Inv($$""", "retry": { "count": {{Retries}}, "delay": { "milliseconds": 500 } }"""))}}{{(MemberMs == 0 ? "" : Inv($$""", "timeout": { "milliseconds": {{MemberMs}} }"""))}} }
                """));
            return Inv($$"""
                "call": "swarm:1.0.0@default", "with": { "nodes": { {{string.Join(", ", members)}} }, "concurrency": {{Concurrency}}, "join": {{(Join == 0 ? "\"all\"" : Join.ToString(CultureInfo.InvariantCulture))}}, "onError": "{{(Collects ? "collect" : "fail")}}" },
                "output": { "as": "${ { n: ((([.[] | .output.n] | add) // 0) % {{Modulus}}) } }" }
                """);
        }
    }

    protected override Outcomes Does(Library library, int n)
    {
        // A join that cannot be reached any more is an error, and so is a member that somebody cancelled.
        var ends = Collects && Join == 0 ? Outcomes.Of() : Outcomes.Of(Outcome.Error(ErrorTypes.Runtime));
        if (MemberMs > 0 && !Collects) ends.Add(Outcome.Error(ErrorTypes.Timeout));
        HashSet<int> sums = [0];
        for (var i = 0; i < Needs.Count; i++)
        {
            var one = library.EndsOf(Definition, (n + i) % Modulus);
            if (one.IsAny) return Outcomes.Any();
            if (!Collects) ends.Add(one.Errors);
            var gives = Collects || Join > 0 ? one.Values.Append(0).ToList() : [.. one.Values];
            sums = sums.SelectMany(sum => gives.Select(v => (sum + v) % Modulus)).ToHashSet();
            if (sums.Count > MapNode.SumsMax) return Outcomes.Any();
        }

        return ends.Add(sums.Select(Outcome.Value));
    }
}
