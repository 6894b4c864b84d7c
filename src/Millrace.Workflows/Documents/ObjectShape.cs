using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

internal sealed record Field(string Name, Shape Shape, bool Required = false);

/// <summary>An object whose members are known by name.</summary>
/// <param name="noun">What it is, with its article: "a retry policy".</param>
internal sealed class ObjectShape(string noun, params Field[] fields) : Shape(noun)
{
    private readonly List<Action<JsonObject, string, Findings>> _rules = [];
    private bool _open;

    public IEnumerable<string> Names => fields.Select(f => f.Name);

    public override bool Fits(Json value) => value.IsObject;

    /// <summary>Members that are not listed are the author's own.</summary>
    public ObjectShape Open()
    {
        _open = true;
        return this;
    }

    public ObjectShape ExactlyOne(params string[] names) => Rule((value, pointer, findings) =>
    {
        var present = value.Select(m => m.Key).Where(names.Contains).ToList();
        if (present.Count == 0)
            findings.AtKey("workflow.missing_property", pointer, $"{Capital(Expected)} needs one of {string.Join(", ", names)}.", $"one of {string.Join(", ", names)}");
        foreach (var extra in present.Skip(1))
            findings.AtKey("workflow.conflict", Pointer.Of(pointer, extra), $"'{extra}' cannot stand beside '{present[0]}'.", $"one of {string.Join(", ", names)}");
    });

    /// <summary>The first may only stand with the second.</summary>
    public ObjectShape Needs(string name, string other) => Rule((value, pointer, findings) =>
    {
        if (value.Has(name) && !value.Has(other))
            findings.AtKey("workflow.missing_property", Pointer.Of(pointer, name), $"'{name}' needs '{other}' beside it.", other);
    });

    public ObjectShape Rule(Action<JsonObject, string, Findings> rule)
    {
        _rules.Add(rule);
        return this;
    }

    protected override void CheckInside(Json value, string pointer, Findings findings)
    {
        var members = value.AsObject();
        foreach (var (key, member) in members.Members)
        {
            var field = Array.Find(fields, f => f.Name == key);
            var at = Pointer.Of(pointer, key);
            if (field is not null) field.Shape.Check(member, at, findings);
            else if (!_open)
                findings.AtKey("workflow.unknown_property", at, $"{Capital(Expected)} has no property '{TextShape.Shorten(key)}'{Nearest.Hint(key, Names)}", $"one of {string.Join(", ", Names)}");
        }
        foreach (var field in fields)
            if (field.Required && !members.Has(field.Name))
                findings.AtKey("workflow.missing_property", pointer, $"{Capital(Expected)} needs the property '{field.Name}'.", $"{field.Name}: {field.Shape.Expected}");
        foreach (var rule in _rules) rule(members, pointer, findings);
    }

    internal static string Capital(string noun) => char.ToUpperInvariant(noun[0]) + noun[1..];
}

/// <summary>Finds the name that was probably meant.</summary>
internal static class Nearest
{
    private const int LengthMax = 40, CandidatesMax = 200;

    /// <summary>Ends a sentence, with a question where there is one to ask.</summary>
    public static string Hint(string name, IEnumerable<string> names) => To(name, names) is { } near ? $"; did you mean '{near}'?" : ".";

    /// <returns>The candidate with the fewest edits, when those are few for its length; else null.</returns>
    public static string? To(string name, IEnumerable<string> names)
    {
        if (name.Length > LengthMax) return null;
        string? nearest = null;
        var best = name.Length / 3 + 1;
        foreach (var candidate in names.Take(CandidatesMax))
        {
            if (Math.Abs(candidate.Length - name.Length) >= best || candidate.Length > LengthMax) continue;
            var distance = Distance(name.ToLowerInvariant(), candidate.ToLowerInvariant());
            if (distance >= best) continue;
            best = distance;
            nearest = candidate;
        }
        return nearest;
    }

    /// <summary>Edits between two words: insert, delete, replace, swap neighbours (optimal string alignment).</summary>
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        return rows[a.Length, b.Length];
    }
}
