using Millrace.Jq;
using Millrace.Workflows.Schema.Patterns;

namespace Millrace.Workflows.Schema.Keywords;

internal readonly record struct PatternMember(EcmaPattern Pattern, SchemaNode Node);

/// <summary><c>properties</c>, <c>patternProperties</c> and <c>additionalProperties</c>, which depend on one another, in one pass.</summary>
internal sealed class MembersKeyword(
    Dictionary<string, SchemaNode> named, PatternMember[] patterns, SchemaNode? additional) : Keyword("properties")
{
    public Dictionary<string, SchemaNode> Named { get; } = named;

    public ReadOnlySpan<PatternMember> Patterns => patterns;

    public SchemaNode? Additional { get; } = additional;

    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (value.ObjectOrNull is not { } instance) return true;
        var members = instance.Members;
        var valid = true;
        for (var i = 0; i < members.Length; i++)
        {
            var (name, child) = members[i];
            valid &= CheckMember(name, child, run, out var evaluated);
            if (!valid && run.IsQuiet) return false;
            if (evaluated) seen?.Mark(i);
        }
        return valid;
    }

    private bool CheckMember(string name, Json child, Evaluation run, out bool evaluated)
    {
        var valid = true;
        evaluated = false;
        if (Named.TryGetValue(name, out var node))
        {
            evaluated = true;
            valid = run.Below("properties", name, node, child, name);
        }
        foreach (var pattern in patterns)
        {
            if (!valid && run.IsQuiet) return false;
            if (!run.Matches(pattern.Pattern, name)) continue;
            evaluated = true;
            valid &= run.Below("patternProperties", pattern.Pattern.Source, pattern.Node, child, name);
        }
        if (evaluated || Additional is null) return valid;
        evaluated = true;
        return run.Below("additionalProperties", default, Additional, child, name);
    }
}

internal sealed class RequiredKeyword(string[] names) : Keyword("required")
{
    public ReadOnlySpan<string> Names => names;

    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (value.ObjectOrNull is not { } instance) return true;
        var valid = true;
        foreach (var name in names)
        {
            if (instance.Has(name)) continue;
            valid = run.Fail(Name, $"missing required property '{name}'");
            if (run.IsQuiet) return false;
        }
        return valid;
    }
}

/// <summary><c>dependentRequired</c>, and <c>dependencies</c> of earlier drafts with lists.</summary>
internal sealed class DependentRequiredKeyword(string name, KeyValuePair<string, string[]>[] rules) : Keyword(name)
{
    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (value.ObjectOrNull is not { } instance) return true;
        var valid = true;
        foreach (var (when, needed) in rules)
        {
            if (!instance.Has(when)) continue;
            foreach (var other in needed)
            {
                if (instance.Has(other)) continue;
                valid = run.Fail(Name, $"missing property '{other}', which is required when '{when}' is present");
                if (run.IsQuiet) return false;
            }
        }
        return valid;
    }
}

/// <summary><c>dependentSchemas</c>, and <c>dependencies</c> of earlier drafts with schemas.</summary>
internal sealed class DependentSchemasKeyword(string name, KeyValuePair<string, SchemaNode>[] rules) : Keyword(name)
{
    public ReadOnlySpan<KeyValuePair<string, SchemaNode>> Rules => rules;

    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (value.ObjectOrNull is not { } instance) return true;
        var valid = true;
        foreach (var (when, node) in rules)
        {
            if (!instance.Has(when)) continue;
            valid &= run.InPlace(Name, when, node, value, seen);
            if (!valid && run.IsQuiet) return false;
        }
        return valid;
    }
}

internal sealed class PropertyNamesKeyword(SchemaNode node) : Keyword("propertyNames")
{
    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (value.ObjectOrNull is not { } instance) return true;
        var valid = true;
        foreach (var (name, _) in instance.Members)
        {
            if (!run.IsQuiet)
            {
                if (run.Gather(Name, default, node, Json.Of(name), null) is not { } errors) continue;
                valid = run.Fail(Name, $"the name of property '{name}' is not allowed: {(errors.Count > 0 ? errors[0].Message : "no name is")}");
                continue;
            }
            if (!run.InPlace(Name, default, node, Json.Of(name), null)) return false;
        }
        return valid;
    }
}

internal sealed class UnevaluatedMembersKeyword(SchemaNode node) : Keyword("unevaluatedProperties")
{
    public SchemaNode Node { get; } = node;

    public override bool IsLast => true;

    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (value.ObjectOrNull is not { } instance) return true;
        var members = instance.Members;
        var valid = true;
        for (var i = 0; i < members.Length; i++)
        {
            if (seen!.Has(i)) continue;
            valid &= run.Below(Name, default, Node, members[i].Value, members[i].Key);
            if (!valid && run.IsQuiet) return false;
            seen.Mark(i);
        }
        return valid;
    }
}
