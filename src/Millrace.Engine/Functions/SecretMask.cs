using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Engine.Functions;

/// <summary>
/// Takes the values of secrets out of what a function gives back, before it can reach a journal, a log or an event.
/// Only text of four characters and more is looked for: shorter values would blank out ordinary words.
/// </summary>
internal sealed class SecretMask
{
    private const int LengthMin = 4;
    private const string Mask = "***";

    private readonly List<string> _values = [];

    public SecretMask(IEnumerable<Json> secrets)
    {
        foreach (var secret in secrets) Collect(secret);
        _values.Sort((a, b) => b.Length.CompareTo(a.Length));
    }

    public bool IsEmpty => _values.Count == 0;

    public string Apply(string text)
    {
        foreach (var value in _values) text = text.Replace(value, Mask, StringComparison.Ordinal);
        return text;
    }

    /// <summary>How many of the text's last characters could be the beginning of a secret.</summary>
    public int OpenEnd(string text)
    {
        var open = 0;
        foreach (var value in _values)
        {
            for (var length = Math.Min(value.Length - 1, text.Length); length > open; length--)
                if (text.AsSpan().EndsWith(value.AsSpan(0, length))) open = length;
        }

        return open;
    }

    public Json Apply(Json value) => value.Kind switch
    {
        JsonKind.String => Apply(value.AsString()),
        JsonKind.Array => JsonArray.Of(value.AsArray().Select(Apply).ToList()),
        JsonKind.Object => JsonObject.Of(value.AsObject().Select(m => new KeyValuePair<string, Json>(Apply(m.Key), Apply(m.Value))).ToArray()),
        _ => value,
    };

    public WorkflowError Apply(WorkflowError error) => error with
    {
        Title = error.Title is null ? null : Apply(error.Title),
        Detail = error.Detail is null ? null : Apply(error.Detail),
    };

    private void Collect(Json secret)
    {
        switch (secret.Kind)
        {
            case JsonKind.String when secret.AsString().Length >= LengthMin: _values.Add(secret.AsString()); break;
            case JsonKind.Array: foreach (var item in secret.AsArray()) Collect(item); break;
            case JsonKind.Object: foreach (var (_, member) in secret.AsObject()) Collect(member); break;
        }
    }
}
