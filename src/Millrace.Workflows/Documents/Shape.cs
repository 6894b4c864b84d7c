using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>
/// What one value of a document may look like. The table in <see cref="Dsl"/> is made of these; each reports everything
/// that is wrong below it.
/// </summary>
/// <param name="expected">In words, for messages: "a string", "a list of tasks".</param>
internal abstract class Shape(string expected)
{
    public virtual string Expected => expected;

    /// <summary>Whether a value of that kind could be meant; how alternatives are told apart.</summary>
    public abstract bool Fits(Json value);

    public void Check(Json value, string pointer, Findings findings)
    {
        if (Fits(value)) CheckInside(value, pointer, findings);
        else findings.AtValue(WrongType, pointer, $"Expected {Expected}, found {Describe(value)}.", Expected);
    }

    protected abstract void CheckInside(Json value, string pointer, Findings findings);

    protected virtual string WrongType => "workflow.wrong_type";

    protected static string Describe(Json value) => value.Kind switch
    {
        JsonKind.Null => "nothing",
        JsonKind.True or JsonKind.False => $"the boolean {value}",
        JsonKind.Number => $"the number {value}",
        JsonKind.String => "a string",
        JsonKind.Array => "a list",
        _ => "an object",
    };
}

internal sealed class AnyShape(string expected = "a value", params JsonKind[] kinds) : Shape(expected)
{
    public override bool Fits(Json value) => kinds.Length == 0 || Array.IndexOf(kinds, value.Kind) >= 0;
    protected override void CheckInside(Json value, string pointer, Findings findings) { }
}

/// <param name="valid">Null: every string is right.</param>
internal sealed class TextShape(string expected = "a string", Func<string, bool>? valid = null) : Shape(expected)
{
    public override bool Fits(Json value) => value.IsString;

    protected override void CheckInside(Json value, string pointer, Findings findings)
    {
        if (valid is not null && !valid(value.AsString()))
            findings.AtValue("workflow.bad_value", pointer, $"Expected {Expected}, found '{Shorten(value.AsString())}'.", Expected);
    }

    internal static string Shorten(string text) => text.Length <= 60 ? text : text[..57] + "...";
}

internal sealed class ChoiceShape(params string[] values) : Shape($"one of {string.Join(", ", values)}")
{
    public override bool Fits(Json value) => value.IsString;

    protected override void CheckInside(Json value, string pointer, Findings findings)
    {
        var text = value.AsString();
        if (values.Contains(text)) return;
        findings.AtValue("workflow.bad_value", pointer, $"'{TextShape.Shorten(text)}' is not allowed here{Nearest.Hint(text, values)}", Expected);
    }
}

internal sealed class WholeShape(double min = -9e15, double max = 9e15) : Shape(min < -8e15 ? "a whole number" : $"a whole number from {min} to {max}")
{
    public override bool Fits(Json value) => value.IsNumber && Math.Floor(value.AsNumber()) == value.AsNumber();

    protected override void CheckInside(Json value, string pointer, Findings findings)
    {
        if (value.AsNumber() < min || value.AsNumber() > max)
            findings.AtValue("workflow.bad_value", pointer, $"{value} lies outside.", Expected);
    }
}

internal sealed class ListShape(string expected, Shape item, int min = 0) : Shape(expected)
{
    public override bool Fits(Json value) => value.IsArray;

    protected override void CheckInside(Json value, string pointer, Findings findings)
    {
        var items = value.AsArray();
        if (items.Count < min) findings.AtKey("workflow.bad_value", pointer, $"Expected {Expected}, found an empty list.", Expected);
        for (var i = 0; i < items.Count; i++) item.Check(items[i], Pointer.Of(pointer, i), findings);
    }
}

/// <summary>An object whose keys the author chooses.</summary>
internal sealed class MapShape(string expected, Shape value, int min = 0) : Shape(expected)
{
    public override bool Fits(Json json) => json.IsObject;

    protected override void CheckInside(Json json, string pointer, Findings findings)
    {
        if (json.AsObject().Count < min) findings.AtKey("workflow.bad_value", pointer, $"Expected {Expected}, found an empty one.", Expected);
        foreach (var (key, member) in json.AsObject().Members) value.Check(member, Pointer.Of(pointer, key), findings);
    }
}

/// <summary>A list of objects with one member each: how the language writes named things in order.</summary>
internal sealed class NamedListShape(string expected, string item, Shape value, int min = 0) : Shape(expected)
{
    public override bool Fits(Json json) => json.IsArray;

    protected override void CheckInside(Json json, string pointer, Findings findings)
    {
        var items = json.AsArray();
        if (items.Count < min) findings.AtKey("workflow.bad_value", pointer, $"Expected {Expected}, found an empty list.", Expected);
        for (var i = 0; i < items.Count; i++)
        {
            var at = Pointer.Of(pointer, i);
            if (items[i].ObjectOrNull is not { Count: > 0 } named)
            {
                findings.AtValue("workflow.wrong_type", at, $"Expected {item} under its name, found {Describe(items[i])}.", $"- name: {item}");
                continue;
            }
            if (named.Count > 1)
            {
                var second = Pointer.Of(at, named.Members[1].Key);
                findings.AtKey("workflow.bad_value", second, $"Each item of the list is {item} under one name; '{named.Members[1].Key}' is a second one. Is its indentation right?", $"- {named.Members[1].Key}: ...");
            }
            foreach (var (key, member) in named.Members) value.Check(member, Pointer.Of(at, key), findings);
        }
    }
}

/// <summary>The first alternative that fits the value's kind decides.</summary>
internal sealed class EitherShape(string expected, params Shape[] shapes) : Shape(expected)
{
    public override bool Fits(Json value) => Array.Exists(shapes, s => s.Fits(value));
    protected override void CheckInside(Json value, string pointer, Findings findings) => Array.Find(shapes, s => s.Fits(value))!.Check(value, pointer, findings);
}

/// <summary>Refers to a shape that is defined later, or inside itself.</summary>
internal sealed class LaterShape(string expected, Func<Shape> shape) : Shape(expected)
{
    public override bool Fits(Json value) => shape().Fits(value);
    protected override void CheckInside(Json value, string pointer, Findings findings) => shape().Check(value, pointer, findings);
}

/// <summary>A duration as <see cref="Duration"/> reads it, or an expression that will give one.</summary>
internal sealed class DurationShape() : Shape("an ISO 8601 duration such as PT1M30S, or an object of days, hours, minutes, seconds, milliseconds")
{
    protected override string WrongType => "workflow.bad_duration";

    public override bool Fits(Json value) => value.IsString || value.IsObject;

    protected override void CheckInside(Json value, string pointer, Findings findings)
    {
        if (value.IsString && Expression.IsEnclosed(value.AsString())) return;
        if (!Duration.TryParse(value, out _, out var reason)) findings.AtValue("workflow.bad_duration", pointer, reason!, Expected);
        else if (value.IsObject)
            foreach (var (key, part) in value.AsObject().Members)
                if (Math.Floor(part.AsNumber()) != part.AsNumber())
                    findings.AtValue("workflow.bad_duration", Pointer.Of(pointer, key), $"{part} is no whole number.", "a whole number");
    }
}
