using Millrace.Jq;

namespace Millrace.Workflows.Schema.Keywords;

/// <summary><c>$ref</c>, and a <c>$dynamicRef</c> that leads to no dynamic anchor.</summary>
internal sealed class ReferenceKeyword(string name, SchemaNode target) : Keyword(name)
{
    public SchemaNode Target { get; } = target;

    public override bool Check(Json value, Evaluation run, Evaluated? seen) => run.InPlace(Name, default, Target, value, seen);
}

/// <summary><c>$dynamicRef</c> to a <c>$dynamicAnchor</c>: the outermost one of that name on the way here (core §8.2.3.2).</summary>
internal sealed class DynamicReferenceKeyword(string anchor, SchemaNode initial) : Keyword("$dynamicRef")
{
    public override bool Check(Json value, Evaluation run, Evaluated? seen) =>
        run.InPlace(Name, default, run.Outermost(anchor) ?? initial, value, seen);
}
