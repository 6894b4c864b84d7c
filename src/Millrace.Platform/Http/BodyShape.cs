using System.Globalization;
using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Platform.Http;

/// <summary>Reads the members of a body's object one by one, collecting what is wrong; what nobody asked for is refused by name.</summary>
internal sealed class BodyShape
{
    private readonly JsonObject _object;
    private readonly string _pointer;
    private readonly List<ProblemError> _errors;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public BodyShape(Json body) : this(body, "", [])
    {
    }

    private BodyShape(Json value, string pointer, List<ProblemError> errors)
    {
        (_pointer, _errors) = (pointer, errors);
        _object = value.ObjectOrNull ?? JsonObject.Empty;
        if (!value.IsObject) Add(pointer, $"Expected an object, found {Name(value)}.", "an object");
    }

    public string RequiredText(string name, int lengthMax) => Text(name, lengthMax, required: true) ?? "";

    public string? OptionalText(string name, int lengthMax) => Text(name, lengthMax, required: false);

    public int RequiredWhole(string name, int min, int max)
    {
        _known.Add(name);
        var expected = $"a whole number from {min} to {max}";
        if (!_object.TryGet(name, out var value)) Add($"{_pointer}/{name}", $"'{name}' is missing.", expected);
        else if (!value.IsNumber || Math.Floor(value.AsNumber()) != value.AsNumber() || value.AsNumber() < min || value.AsNumber() > max)
            Add($"{_pointer}/{name}", value.IsNumber ? $"{value} is not allowed here." : $"Expected a number, found {Name(value)}.", expected);
        else return (int)value.AsNumber();
        return min;
    }

    public BodyShape Object(string name)
    {
        _known.Add(name);
        if (_object.TryGet(name, out var value)) return new BodyShape(value, $"{_pointer}/{name}", _errors);
        if (IsObject) Add($"{_pointer}/{name}", $"'{name}' is missing.", "an object");
        return new BodyShape(Json.EmptyObject, $"{_pointer}/{name}", []);
    }

    public Json? Any(string name)
    {
        _known.Add(name);
        return _object.TryGet(name, out var value) ? value : (Json?)null;
    }

    /// <summary>Null when it is absent.</summary>
    public BodyShape? OptionalObject(string name)
    {
        _known.Add(name);
        return _object.TryGet(name, out var value) ? new BodyShape(value, $"{_pointer}/{name}", _errors) : null;
    }

    public long? OptionalWhole(string name, long min, long max)
    {
        _known.Add(name);
        if (!_object.TryGet(name, out var value)) return null;
        if (value.IsNumber && value.AsNumber() is var number && Math.Floor(number) == number && number >= min && number <= max) return (long)number;
        Add($"{_pointer}/{name}", $"{(value.IsNumber ? value.ToString() : Name(value))} is out of range.", string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}"));
        return null;
    }

    /// <summary>True or false; null when it is absent.</summary>
    public bool? OptionalFlag(string name)
    {
        if (Any(name) is not { } value) return null;
        if (value.Kind is JsonKind.True or JsonKind.False) return value.IsTruthy;
        Refuse(name, "Expected true or false.", "true or false");
        return null;
    }

    /// <summary>An array of strings; null when it is absent.</summary>
    public IReadOnlyList<string>? OptionalTexts(string name, int countMax, int lengthMax)
    {
        _known.Add(name);
        if (!_object.TryGet(name, out var value)) return null;
        var expected = string.Create(CultureInfo.InvariantCulture, $"an array of at most {countMax} strings of at most {lengthMax} characters");
        if (value.ArrayOrNull is { } items && items.Count <= countMax && items.All(i => i.StringOrNull is { } text && text.Length <= lengthMax)) return [.. items.Select(i => i.AsString())];
        Add($"{_pointer}/{name}", "This is no such list.", expected);
        return null;
    }

    /// <summary>Refuses a member that has been read, for what it says.</summary>
    public void Refuse(string name, string message, string? expected = null) => Add(name.Length == 0 ? _pointer : $"{_pointer}/{name}", message, expected);

    /// <summary>Ends the reading of this object.</summary>
    public void NoMore()
    {
        foreach (var (key, _) in _object.Members)
            if (!_known.Contains(key)) Add($"{_pointer}/{Pointer.Escape(key)}", $"'{key}' is not known here.", _known.Count == 0 ? "no members" : $"one of {string.Join(", ", _known)}");
    }

    /// <exception cref="Problem">400 with every error found.</exception>
    public void ThrowIfWrong()
    {
        if (_errors.Count > 0) throw Problem.Body400(_errors);
    }

    private bool IsObject => _errors.All(e => e.Pointer != _pointer);

    private string? Text(string name, int lengthMax, bool required)
    {
        _known.Add(name);
        var pointer = $"{_pointer}/{name}";
        if (!_object.TryGet(name, out var value))
        {
            if (required && IsObject) Add(pointer, $"'{name}' is missing.", "a string");
            return null;
        }
        if (value.StringOrNull is not { } text) Add(pointer, $"Expected a string, found {Name(value)}.", "a string");
        else if (text.Length > lengthMax) Add(pointer, $"The text has {text.Length} characters; at most {lengthMax} are taken.", null);
        else return text;
        return null;
    }

    private void Add(string pointer, string message, string? expected) =>
        _errors.Add(new ProblemError { Code = "request.body", Message = message, Pointer = pointer, Expected = expected });

    private static string Name(Json value) => value.Kind switch
    {
        JsonKind.Null => "null",
        JsonKind.True or JsonKind.False => "a boolean",
        JsonKind.Number => "a number",
        JsonKind.String => "a string",
        JsonKind.Array => "an array",
        _ => "an object",
    };
}
