using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>A value of the document together with its JSON pointer.</summary>
internal readonly record struct Cursor(Json Value, string Pointer)
{
    public Cursor this[string key] => new(Value[key], Graph.Pointer.Of(Pointer, key));
    public Cursor this[int index] => new(Value[index], Graph.Pointer.Of(Pointer, index));

    public bool Is(JsonKind kind) => Value.Kind == kind;
    public bool IsAbsent => Value.IsNull;
    public string? Text => Value.StringOrNull;

    public IEnumerable<Cursor> Items
    {
        get
        {
            for (var i = 0; i < (Value.ArrayOrNull?.Count ?? 0); i++) yield return this[i];
        }
    }

    public IEnumerable<(string Key, Cursor Value)> Members
    {
        get
        {
            foreach (var (key, value) in Value.ObjectOrNull ?? JsonObject.Empty) yield return (key, new(value, Graph.Pointer.Of(Pointer, key)));
        }
    }

    /// <summary>The named things of a list whose items have one member each; items of another form are left out.</summary>
    public IEnumerable<(string Name, Cursor Value)> Named
    {
        get
        {
            foreach (var item in Items)
                foreach (var member in item.Members.Take(1))
                    yield return member;
        }
    }
}
