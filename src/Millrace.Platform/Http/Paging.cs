using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace Millrace.Platform.Http;

/// <summary>One page of a list.</summary>
/// <param name="Next">Cursor of the page after it; null on the last.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Next);

/// <summary>A list that has no pages because its length is bounded by what it describes.</summary>
public sealed record ItemList<T>(IReadOnlyList<T> Items);

internal static class Page
{
    /// <summary>Makes a page of at most <paramref name="limit"/> items from up to one more than that.</summary>
    public static Page<T> Of<T>(IReadOnlyList<T> found, int limit, Func<T, string> cursor) => found.Count <= limit
        ? new Page<T>(found, null)
        : new Page<T>([.. found.Take(limit)], cursor(found[limit - 1]));
}

/// <summary>
/// The position after which a page begins. Opaque to clients: parts of the last item's key, with a tag that says which
/// list it belongs to, so that a cursor of another list is refused and not misread.
/// </summary>
internal static class Cursor
{
    public const int LengthMax = 1024;

    private const char Separator = '\u001F';

    public static string Of(string list, params ReadOnlySpan<string> parts) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{list}{Separator}{string.Join(Separator, parts!)}"));

    /// <returns>Null when the request has none.</returns>
    /// <exception cref="Problem">The cursor is none of this list's.</exception>
    public static string[]? Parse(string? cursor, string list, int parts)
    {
        if (cursor is null) return null;
        try
        {
            if (cursor.Length is > 0 and <= LengthMax)
            {
                var found = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor)).Split(Separator);
                if (found.Length == parts + 1 && found[0] == list) return found[1..];
            }
        }
        catch (FormatException)
        {
            // Not even the outer form is right; the answer is the same.
        }
        throw Wrong();
    }

    public static long ParseNumber(string part) =>
        long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Wrong();

    public static Guid ParseId(string part) => Guid.TryParseExact(part, "D", out var id) ? id : throw Wrong();

    private static Problem Wrong() => Problem.Parameter("cursor", "This is no cursor of this list.", "the value of \"next\" of the page before");
}

/// <summary>A request's query, read strictly: parameters that nobody asked for are refused, so that a typing error does not silently widen a list.</summary>
internal sealed class QueryReader(HttpRequest request)
{
    public const int LimitMax = 200;
    public const int LimitDefault = 50;

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public string? Cursor => Text("cursor", Http.Cursor.LengthMax);

    public int Limit => (int)(Number("limit", 1, LimitMax) ?? LimitDefault);

    public string? Text(string name, int lengthMax)
    {
        _known.Add(name);
        if (!request.Query.TryGetValue(name, out var values)) return null;
        if (values.Count > 1) throw Problem.Parameter(name, "It is given more than once.");
        var text = values.ToString();
        if (text.Length == 0) throw Problem.Parameter(name, "It is empty.");
        return text.Length <= lengthMax ? text : throw Problem.Parameter(name, $"It has {text.Length} characters; at most {lengthMax} are taken.");
    }

    public long? Number(string name, long min, long max)
    {
        if (Text(name, 20) is not { } text) return null;
        var expected = $"a whole number from {min} to {max}";
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) throw Problem.Parameter(name, $"'{text}' is no whole number.", expected);
        return number >= min && number <= max ? number : throw Problem.Parameter(name, $"{number} is out of range.", expected);
    }

    public Guid? Id(string name)
    {
        if (Text(name, 100) is not { } text) return null;
        return Guid.TryParseExact(text, "D", out var id) ? id : throw Problem.Parameter(name, $"'{text}' is no id.", "a UUID");
    }

    /// <summary>Null when it is absent.</summary>
    public bool? Flag(string name) => Text(name, 10) switch
    {
        null => null,
        "true" => true,
        "false" => false,
        var text => throw Problem.Parameter(name, $"'{text}' is neither.", "true or false"),
    };

    /// <summary>A parameter that may be repeated, each time one of the enumeration's names in camelCase.</summary>
    public IReadOnlyList<T> Many<T>(string name) where T : struct, Enum
    {
        _known.Add(name);
        if (!request.Query.TryGetValue(name, out var values)) return [];
        var names = Enum.GetNames<T>().Select(n => char.ToLowerInvariant(n[0]) + n[1..]).ToArray();
        return [.. values.Select(v => Array.IndexOf(names, v) is >= 0 and var at
            ? Enum.GetValues<T>()[at]
            : throw Problem.Parameter(name, $"'{v}' is not known.", $"one of {string.Join(", ", names)}")).Distinct()];
    }

    /// <exception cref="Problem">The query has a parameter that was not read.</exception>
    public void NoMore()
    {
        foreach (var key in request.Query.Keys)
            if (!_known.Contains(key)) throw Problem.Parameter(key, $"The route takes no parameter '{key}'.", _known.Count == 0 ? "no parameters" : $"one of {string.Join(", ", _known)}");
    }
}
