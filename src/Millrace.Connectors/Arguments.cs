using System.Diagnostics.CodeAnalysis;
using Millrace.Jq;

namespace Millrace.Connectors;

/// <summary>
/// Reads one object of a function's arguments. Whatever is wrong is refused with the JSON pointer into the arguments;
/// the found value itself is never repeated, it may be a secret.
/// </summary>
internal readonly struct Arguments
{
    public Arguments(Json value, string pointer = "")
    {
        Pointer = pointer;
        if (!value.IsObject) throw Wrong(pointer, "an object", value);
        Value = value;
    }

    public Json Value { get; }

    /// <summary>JSON pointer of this object within the arguments.</summary>
    public string Pointer { get; }

    public Json this[string key] => Value[key];

    /// <summary>The task's input, where the loader adds it for URI templates.</summary>
    public Json? Input => Value.AsObject().TryGet("input", out var input) ? input : default(Json?);

    public bool Has(string key) => !Value[key].IsNull;

    public string PointerTo(string key) => Workflows.Graph.Pointer.Of(Pointer, key);

    public string Text(string key) => TextOrNull(key) ?? throw Missing(key);

    public string? TextOrNull(string key) => Value[key] switch
    {
        { IsNull: true } => null,
        { StringOrNull: { } text } => text,
        var other => throw Wrong(PointerTo(key), "a string", other),
    };

    public bool Flag(string key, bool otherwise = false) => Value[key] switch
    {
        { IsNull: true } => otherwise,
        { IsBoolean: true } flag => flag.IsTruthy,
        var other => throw Wrong(PointerTo(key), "true or false", other),
    };

    /// <summary>One of a closed set of words.</summary>
    public string Choice(string key, string otherwise, params ReadOnlySpan<string> words)
    {
        var found = TextOrNull(key) ?? otherwise;
        foreach (var word in words)
            if (string.Equals(word, found, StringComparison.Ordinal)) return word;
        throw Invalid(key, $"has to be one of {string.Join(", ", words)}.");
    }

    public Arguments Member(string key) => MemberOrNull(key) ?? throw Missing(key);

    public Arguments? MemberOrNull(string key) => Has(key) ? new Arguments(Value[key], PointerTo(key)) : null;

    public JsonObject MapOrEmpty(string key) => Has(key) ? new Arguments(Value[key], PointerTo(key)).Value.AsObject() : JsonObject.Empty;

    /// <summary>A list of strings; numbers and booleans count as their text.</summary>
    public IReadOnlyList<string> TextsOrEmpty(string key)
    {
        if (!Has(key)) return [];
        var list = Value[key].ArrayOrNull ?? throw Wrong(PointerTo(key), "a list of strings", Value[key]);
        var texts = new string[list.Count];
        for (var i = 0; i < texts.Length; i++)
            texts[i] = TryScalarText(list[i], out var text) ? text : throw Wrong($"{PointerTo(key)}/{i}", "a string", list[i]);
        return texts;
    }

    public Refusal Missing(string key) => Refusal.Configuration("Argument missing", $"The argument {PointerTo(key)} is missing.");

    public Refusal Invalid(string key, string why) => Refusal.Configuration("Argument invalid", $"The argument {PointerTo(key)} {why}");

    /// <summary>The text of a string, number or boolean as it stands in URIs, headers and environment variables.</summary>
    public static bool TryScalarText(Json value, [NotNullWhen(true)] out string? text)
    {
        text = value.Kind switch
        {
            JsonKind.String => value.AsString(),
            JsonKind.Number or JsonKind.True or JsonKind.False => value.ToString(),
            _ => null,
        };
        return text is not null;
    }

    public static Refusal Wrong(string pointer, string expected, Json found) => Refusal.Configuration("Argument invalid",
        $"The argument {(pointer.Length == 0 ? "object" : pointer)} has to be {expected}, found {found.Kind.ToString().ToLowerInvariant()}.");
}
