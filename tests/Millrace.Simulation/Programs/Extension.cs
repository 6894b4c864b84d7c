using System.Globalization;
using Millrace.Testing.Virtual;

namespace Millrace.Simulation.Programs;

/// <summary>What is done before and after all tasks of a kind. It changes nothing of what they give.</summary>
/// <param name="Before">Tag of the effect before; null: none.</param>
/// <param name="After">Tag of the effect after.</param>
/// <param name="Every">It applies where the number that comes in is a multiple of this; 1: always.</param>
internal sealed record Extension(string Name, string Kind, int? Before, int? After, int Every)
{
    private static readonly string[] Kinds = ["set", "wait", "emit", "listen", "switch", "for", "composite", "try", "run", "call", "raise", "all"];

    public string Text
    {
        get
        {
            List<string> parts = [$"\"extend\": \"{Kind}\""];
            if (Every > 1) parts.Add(Inv($"\"when\": \"${{ ((.n? // 0) % {Every}) == 0 }}\""));
            if (Before is { } before) parts.Add($"\"before\": {List("b", before)}");
            if (After is { } after) parts.Add($"\"after\": {List("a", after)}");
            return $"{{ \"{Name}\": {{ {string.Join(", ", parts)} }} }}";
        }
    }

    public static List<Extension> Roll(Dice dice) => !dice.Chance(0.12) ? [] : [.. Enumerable.Range(0, dice.Between(1, 2)).Select(i =>
    {
        var both = dice.Below(3);
        return new Extension($"ext{i}", dice.Of(Kinds), both == 1 ? null : dice.Below(Node.Modulus), both == 2 ? null : dice.Below(Node.Modulus), dice.Between(1, 3));
    })];

    private string List(string place, int tag) => Inv($$"""[ { "{{Name}}{{place}}": { "call": "count:1.0.0@default", "with": { "n": "${ .n? // 0 }", "tag": {{tag}} } } } ]""");

    private static string Inv(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
