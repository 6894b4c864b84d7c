using Millrace.Jq;

namespace Millrace.Workflows.Schema;

/// <summary>Sets of the types a schema speaks of. A number is an integer or has a fraction.</summary>
[Flags]
public enum JsonTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Integer = 4,
    Fraction = 8,
    Number = Integer | Fraction,
    String = 16,
    Array = 32,
    Object = 64,
    Any = Null | Boolean | Number | String | Array | Object,
}

internal static class JsonTypeNames
{
    private static readonly (string Name, JsonTypes Types)[] Names =
    [
        ("null", JsonTypes.Null), ("boolean", JsonTypes.Boolean), ("number", JsonTypes.Number), ("integer", JsonTypes.Integer),
        ("string", JsonTypes.String), ("array", JsonTypes.Array), ("object", JsonTypes.Object),
    ];

    public static IEnumerable<string> All => Names.Select(n => n.Name);

    /// <summary><see cref="JsonTypes.None"/> for a name the draft does not know.</summary>
    public static JsonTypes Parse(string name)
    {
        foreach (var (known, types) in Names)
            if (known == name) return types;
        return JsonTypes.None;
    }

    public static JsonTypes Of(Json value) => value.Kind switch
    {
        JsonKind.Null => JsonTypes.Null,
        JsonKind.False or JsonKind.True => JsonTypes.Boolean,
        JsonKind.Number => ExactNumber.IsInteger(value) ? JsonTypes.Integer : JsonTypes.Fraction,
        JsonKind.String => JsonTypes.String,
        JsonKind.Array => JsonTypes.Array,
        _ => JsonTypes.Object,
    };

    /// <summary>For messages: <c>string or null</c>.</summary>
    public static string Describe(JsonTypes types)
    {
        var parts = new List<string>();
        foreach (var (name, bits) in Names)
        {
            if ((types & bits) != bits || bits == JsonTypes.Integer && parts.Contains("number")) continue;
            parts.Add(name);
        }
        if ((types & JsonTypes.Number) == JsonTypes.Fraction) parts.Add("number");
        return parts.Count == 0 ? "nothing" : string.Join(" or ", parts);
    }
}
