using System.Buffers;
using Millrace.Jq;
using Millrace.Workflows.Schema.Patterns;

namespace Millrace.Workflows.Graph;

/// <summary>
/// What a value of an event must be (dsl-reference.md, Event Filter): an expression is asked with the value as its input, and says true or
/// gives the value wanted; a text is equal, or a regular expression that fits the whole value; an object wants its members and lets others
/// be; an array wants its items, each in its place.
/// </summary>
public abstract class ValueFilter
{
    /// <summary>What makes a text a regular expression; a dot alone does not.</summary>
    private static readonly SearchValues<char> PatternChars = SearchValues.Create(@"^$*+?()[]{}|\");

    /// <summary>The only text that fits, when there is only one.</summary>
    public virtual string? Constant => null;

    /// <summary>Whether it has something to say to a value that is not there.</summary>
    public virtual bool TakesAbsent => false;

    /// <exception cref="JqException">An expression raised an error.</exception>
    /// <exception cref="JqLimitException">A limit was reached.</exception>
    public abstract bool Fits(Json value, IVariables variables);

    /// <param name="noPattern">Called for a text that looks like a regular expression and is none: it is compared as it stands.</param>
    internal static ValueFilter Of(Template template, Action<string, string> noPattern) => template switch
    {
        Template.Constant constant => Of(constant.ConstantValue!.Value, noPattern),
        Template.Items items => new Items([.. items.All.Select(i => Of(i, noPattern))]),
        Template.Members members => new Members([.. members.All.Select(m => KeyValuePair.Create(m.Key, Of(m.Value, noPattern)))]),
        _ => new Asked(template, isWhole: template is Template.Whole),
    };

    private static ValueFilter Of(Json constant, Action<string, string> noPattern)
    {
        switch (constant.Kind)
        {
            case JsonKind.String when constant.AsString().AsSpan().ContainsAny(PatternChars):
                var text = constant.AsString();
                try
                {
                    return new Pattern(text, EcmaPattern.Parse($"^(?:{text})$"));
                }
                catch (EcmaPatternException e)
                {
                    noPattern(text, e.Message);
                    return new Same(constant);
                }
            case JsonKind.Array: return new Items([.. constant.AsArray().Select(i => Of(i, noPattern))]);
            case JsonKind.Object: return new Members([.. constant.AsObject().Select(m => KeyValuePair.Create(m.Key, Of(m.Value, noPattern)))]);
            default: return new Same(constant);
        }
    }

    private sealed class Same(Json wanted) : ValueFilter
    {
        public override string? Constant => wanted.StringOrNull;
        public override bool Fits(Json value, IVariables variables) => value == wanted;
    }

    private sealed class Pattern(string text, EcmaPattern pattern) : ValueFilter
    {
        public override bool Fits(Json value, IVariables variables) =>
            value.StringOrNull is { } given && (given == text || pattern.TryMatch(given) == true);
    }

    private sealed class Asked(Template template, bool isWhole) : ValueFilter
    {
        public override bool TakesAbsent => isWhole;

        public override bool Fits(Json value, IVariables variables)
        {
            var answer = template.Evaluate(value, variables);
            return answer.IsBoolean ? answer.IsTruthy : !answer.IsNull && answer == value;
        }
    }

    private sealed class Items(ValueFilter[] items) : ValueFilter
    {
        public override bool Fits(Json value, IVariables variables)
        {
            if (value.ArrayOrNull is not { } given || given.Count != items.Length) return false;
            for (var i = 0; i < items.Length; i++)
                if (!items[i].Fits(given[i], variables)) return false;
            return true;
        }
    }

    private sealed class Members(KeyValuePair<string, ValueFilter>[] members) : ValueFilter
    {
        public override bool Fits(Json value, IVariables variables)
        {
            if (value.ObjectOrNull is not { } given) return false;
            foreach (var (key, wanted) in members)
            {
                if (given.TryGet(key, out var member) ? !wanted.Fits(member, variables) : !(wanted.TakesAbsent && wanted.Fits(Json.Null, variables))) return false;
            }
            return true;
        }
    }
}
