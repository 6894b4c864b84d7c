using System.Text;
using Millrace.Jq;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Documents.DataFlow;

/// <summary>
/// What is known of a value before any run: the types it may have, and what may stand inside it. It errs on the side of
/// allowing: what it rules out is certain.
/// </summary>
internal sealed class Form
{
    public static readonly Form Any = new(JsonTypes.Any);
    public static readonly Form Null = new(JsonTypes.Null);
    public static readonly Form Boolean = new(JsonTypes.Boolean);
    public static readonly Form Number = new(JsonTypes.Number);
    public static readonly Form String = new(JsonTypes.String);

    private readonly Structure? _object;
    private readonly Form? _items;

    private Form(JsonTypes types, Structure? inside = null, Form? items = null)
    {
        Types = types;
        _object = inside;
        _items = items;
    }

    public JsonTypes Types { get; }
    public bool IsAny => Types == JsonTypes.Any && _object is null && _items is null;
    public Form Items => _items ?? Any;

    /// <summary>Names to suggest for a member of an object.</summary>
    public IEnumerable<string> Names => _object?.Names ?? [];

    public bool May(JsonTypes types) => (Types & types) != 0;

    /// <returns>Null when no object of this form has the member; with null among the types where it may be absent.</returns>
    public Form? Member(string name) => _object is null ? Any : _object.Member(name);

    public static Form Array(Form items) => new(JsonTypes.Array, null, items);

    /// <summary>An object with these members and no others.</summary>
    public static Form Object(IEnumerable<KeyValuePair<string, Form>> members) => new(JsonTypes.Object, new Structure.Closed(members));

    public static Form Object(params ReadOnlySpan<(string Name, Form Form)> members)
    {
        var all = new Dictionary<string, Form>(StringComparer.Ordinal);
        foreach (var (name, form) in members) all[name] = form;
        return Object(all);
    }

    /// <summary>Some object.</summary>
    public static Form Open { get; } = new(JsonTypes.Object);

    public static Form Of(Json value) => value.Kind switch
    {
        JsonKind.Null => Null,
        JsonKind.False or JsonKind.True => Boolean,
        JsonKind.Number => Number,
        JsonKind.String => String,
        JsonKind.Array => Array(value.AsArray().Select(Of).Aggregate((Form?)null, (all, one) => all is null ? one : all.Or(one)) ?? Any),
        _ => Object(value.AsObject().Select(m => KeyValuePair.Create(m.Key, Of(m.Value)))),
    };

    /// <summary>A value that a schema has been checked against.</summary>
    public static Form Of(JsonSchema schema) => Structure.OfSchema.At(schema, []) ?? Any;

    internal static Form Described(JsonTypes types, Structure inside, Form? items) =>
        new((types & JsonTypes.Number) != 0 ? types | JsonTypes.Number : types, inside, items);

    /// <summary>One or the other.</summary>
    public Form Or(Form other)
    {
        if (ReferenceEquals(this, other)) return this;
        if (IsAny || other.IsAny) return Any;
        var inside = !May(JsonTypes.Object) ? other._object : !other.May(JsonTypes.Object) ? _object : Structure.Either(_object, other._object);
        var items = !May(JsonTypes.Array) ? other._items : !other.May(JsonTypes.Array) ? _items : _items is null || other._items is null ? null : _items.Or(other._items);
        return new(Types | other.Types, inside, items);
    }

    /// <summary>What <c>+</c> makes of two objects: members of the right stand over those of the left.</summary>
    public Form Over(Form below) => new(JsonTypes.Object, Structure.Over(_object, below._object));

    public Form Without(JsonTypes types) => new(Types & ~types, _object, _items);

    /// <summary>The types in words: "a string or null".</summary>
    public string Words
    {
        get
        {
            (JsonTypes Type, string Word)[] words =
                [(JsonTypes.String, "a string"), (JsonTypes.Number, "a number"), (JsonTypes.Boolean, "a boolean"), (JsonTypes.Array, "an array"), (JsonTypes.Object, "an object"), (JsonTypes.Null, "null")];
            return string.Join(" or ", words.Where(w => May(w.Type)).Select(w => w.Word));
        }
    }

    /// <returns>A text that two forms share when the same is known of them; null when too much is.</returns>
    public string? Signature()
    {
        const int LengthMax = 20_000;
        var text = new StringBuilder();
        return Write(this) ? text.ToString() : null;

        bool Write(Form form)
        {
            if (text.Length > LengthMax) return false;
            text.Append((int)form.Types);
            if (form._object is { } inside)
                foreach (var name in inside.Names.Order(StringComparer.Ordinal))
                    if (!WriteMember(name, inside.Member(name))) return false;
            if (form._items is null) return true;
            text.Append("[]");
            return Write(form._items);
        }

        bool WriteMember(string name, Form? member)
        {
            text.Append('{').Append(name).Append(':');
            var whole = member is null || Write(member);
            text.Append('}');
            return whole;
        }
    }
}
