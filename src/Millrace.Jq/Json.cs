using System.Diagnostics.CodeAnalysis;

namespace Millrace.Jq;

/// <summary>The six types of RFC 8259, with the two booleans told apart, in the order in which jq sorts them.</summary>
public enum JsonKind : byte { Null, False, True, Number, String, Array, Object }

/// <summary>
/// One immutable JSON value (RFC 8259) of 16 bytes; <c>default</c> is <c>null</c>. It is the value type of the whole
/// house: what jq reads and writes, what flows between tasks, what the journal keeps.
/// </summary>
[SuppressMessage("Design", "CA1036:Override methods on comparable types", Justification = "jq defines an order, not C# operators.")]
public readonly partial struct Json : IEquatable<Json>, IComparable<Json>
{
    private sealed class Tag(JsonKind kind)
    {
        public readonly JsonKind Kind = kind;
    }

    private static readonly Tag FalseTag = new(JsonKind.False);
    private static readonly Tag TrueTag = new(JsonKind.True);
    private static readonly Tag NumberTag = new(JsonKind.Number);

    private readonly object? _value;
    private readonly double _number;

    private Json(object? value, double number = 0)
    {
        _value = value;
        _number = number;
    }

    public static Json Null => default;
    public static Json True => new(TrueTag);
    public static Json False => new(FalseTag);
    public static Json EmptyObject => new(JsonObject.Empty);
    public static Json EmptyArray => new(JsonArray.Empty);

    public static Json Of(bool value) => new(value ? TrueTag : FalseTag);
    public static Json Of(double value) => new(NumberTag, value);
    public static Json Of(string? value) => new(value);
    public static Json Of(JsonArray value) => new(value);
    public static Json Of(JsonObject value) => new(value);

    /// <summary>A number whose literal text has more digits than a double keeps; the text is printed back unchanged.</summary>
    internal static Json OfLiteral(NumberLiteral literal) => new(literal, literal.Value);

    public static Json Array(params ReadOnlySpan<Json> items) => new(JsonArray.Of(items));
    public static Json Object(params ReadOnlySpan<KeyValuePair<string, Json>> members) => new(JsonObject.Of(members));
    public static Json Object(string key, Json value) => Object(new KeyValuePair<string, Json>(key, value));
    public static Json Object(string k1, Json v1, string k2, Json v2) =>
        Object(new KeyValuePair<string, Json>(k1, v1), new KeyValuePair<string, Json>(k2, v2));

    public static implicit operator Json(string? value) => Of(value);
    public static implicit operator Json(bool value) => Of(value);
    public static implicit operator Json(double value) => Of(value);
    public static implicit operator Json(long value) => Of(value);
    public static implicit operator Json(int value) => Of((double)value);
    public static implicit operator Json(JsonArray value) => Of(value);
    public static implicit operator Json(JsonObject value) => Of(value);

    /// <summary>An integer; beyond 2^53 its digits are kept as a literal.</summary>
    public static Json Of(long value) =>
        value is >= -(1L << 53) and <= 1L << 53 ? Of((double)value) : OfLiteral(NumberLiteral.Of(value));

    public JsonKind Kind => _value switch
    {
        null => JsonKind.Null,
        Tag tag => tag.Kind,
        string => JsonKind.String,
        JsonObject => JsonKind.Object,
        JsonArray => JsonKind.Array,
        _ => JsonKind.Number,
    };

    public bool IsNull => _value is null;
    public bool IsString => _value is string;
    public bool IsNumber => ReferenceEquals(_value, NumberTag) || _value is NumberLiteral;
    public bool IsArray => _value is JsonArray;
    public bool IsObject => _value is JsonObject;
    public bool IsBoolean => ReferenceEquals(_value, TrueTag) || ReferenceEquals(_value, FalseTag);

    /// <summary>jq's truth: everything but <c>null</c> and <c>false</c>.</summary>
    public bool IsTruthy => _value is not null && !ReferenceEquals(_value, FalseTag);

    /// <exception cref="InvalidOperationException">The value is of another kind.</exception>
    public string AsString() => _value as string ?? throw Wrong("a string");

    /// <exception cref="InvalidOperationException">The value is of another kind.</exception>
    public double AsNumber() => IsNumber ? _number : throw Wrong("a number");

    /// <exception cref="InvalidOperationException">The value is of another kind.</exception>
    public bool AsBoolean() => IsBoolean ? IsTruthy : throw Wrong("a boolean");

    /// <exception cref="InvalidOperationException">The value is of another kind.</exception>
    public JsonArray AsArray() => _value as JsonArray ?? throw Wrong("an array");

    /// <exception cref="InvalidOperationException">The value is of another kind.</exception>
    public JsonObject AsObject() => _value as JsonObject ?? throw Wrong("an object");

    internal NumberLiteral? Literal => _value as NumberLiteral;

    /// <summary>Something of the evaluation kept where a value is kept; never seen outside.</summary>
    internal static Json OfInternal(object value) => new(value);

    internal object? Internal => _value;

    /// <summary>No value at all: an error, no output, or a break on its way; see <see cref="Evaluation.Signal"/>.</summary>
    internal bool IsSignal => _value is Evaluation.Signal;

    public string? StringOrNull => _value as string;
    public JsonArray? ArrayOrNull => _value as JsonArray;
    public JsonObject? ObjectOrNull => _value as JsonObject;

    /// <summary>The member of that name, or <c>null</c> when this is no object or has no such member.</summary>
    public Json this[string key] => _value is JsonObject o && o.TryGet(key, out var found) ? found : default;

    /// <summary>The item at that index, or <c>null</c> when this is no array or the index lies outside.</summary>
    public Json this[int index] => _value is JsonArray a && (uint)index < (uint)a.Count ? a[index] : default;

    /// <summary>True when both are the same boxed value; a cheap hint, false says nothing.</summary>
    public bool SameReference(Json other) => ReferenceEquals(_value, other._value) && _number.Equals(other._number);

    /// <summary>Equal as jq's <c>==</c> has it.</summary>
    /// <exception cref="JqException">The values nest deeper than 10,000 levels.</exception>
    public bool Equals(Json other) => AreEqual(null, this, other, 0);
    public override bool Equals(object? obj) => obj is Json other && Equals(other);
    public static bool operator ==(Json left, Json right) => left.Equals(right);
    public static bool operator !=(Json left, Json right) => !left.Equals(right);

    public override int GetHashCode() => Kind switch
    {
        JsonKind.Number => _number.GetHashCode(),
        JsonKind.String => AsString().GetHashCode(StringComparison.Ordinal),
        JsonKind.Array => HashCode.Combine(JsonKind.Array, AsArray().Count),
        JsonKind.Object => HashCode.Combine(JsonKind.Object, AsObject().Count),
        var kind => kind.GetHashCode(),
    };

    /// <summary>Compact JSON text.</summary>
    public override string ToString() => JsonText.ToText(this);

    private InvalidOperationException Wrong(string expected) => new($"Expected {expected}, found {Kind}.");
}

/// <summary>A number whose decimal text says more than its double; see jq 1.8's <c>have_decnum</c>.</summary>
internal sealed class NumberLiteral(string text, double value)
{
    public string Text { get; } = text;
    public double Value { get; } = value;

    public Text.Decimal Decimal => Jq.Text.Decimal.Parse(Text)!.Value;

    public static NumberLiteral Of(long value) =>
        new(value.ToString(System.Globalization.CultureInfo.InvariantCulture), value);

    public NumberLiteral Negated() => new(Text[0] == '-' ? Text[1..] : "-" + Text, -Value);
}
