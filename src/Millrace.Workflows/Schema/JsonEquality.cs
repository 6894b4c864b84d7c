using System.Runtime.CompilerServices;
using Millrace.Jq;

namespace Millrace.Workflows.Schema;

/// <summary>Equality of the draft (core §4.2.2): numbers by value, however they are written; objects whatever their order.</summary>
internal sealed class JsonEquality : IEqualityComparer<Json>
{
    public static readonly JsonEquality Instance = new();

    bool IEqualityComparer<Json>.Equals(Json x, Json y) => Same(x, y);

    int IEqualityComparer<Json>.GetHashCode(Json obj) => Hash(obj);

    public static bool Same(Json left, Json right)
    {
        var kind = left.Kind;
        if (kind != right.Kind) return false;
        switch (kind)
        {
            case JsonKind.Number: return ExactNumber.Compare(left, right) == 0;
            case JsonKind.String: return string.Equals(left.AsString(), right.AsString());
            case JsonKind.Array: return SameItems(left.AsArray().Span, right.AsArray().Span);
            case JsonKind.Object: return SameMembers(left.AsObject(), right.AsObject());
            default: return true;
        }
    }

    private static bool SameItems(ReadOnlySpan<Json> left, ReadOnlySpan<Json> right)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (left.Length != right.Length) return false;
        for (var i = 0; i < left.Length; i++)
            if (!Same(left[i], right[i])) return false;
        return true;
    }

    private static bool SameMembers(JsonObject left, JsonObject right)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (left.Count != right.Count) return false;
        foreach (var (key, value) in left.Members)
            if (!right.TryGet(key, out var other) || !Same(value, other)) return false;
        return true;
    }

    private static int Hash(Json value)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (value.Kind)
        {
            case JsonKind.Number:
                // Adding zero makes -0 and 0 one.
                return (value.AsNumber() + 0.0).GetHashCode();
            case JsonKind.String:
                return value.AsString().GetHashCode(StringComparison.Ordinal);
            case JsonKind.Array:
                var items = new HashCode();
                foreach (var item in value.AsArray().Span) items.Add(Hash(item));
                return items.ToHashCode();
            case JsonKind.Object:
                var members = 0;
                foreach (var (key, member) in value.AsObject().Members)
                    members += HashCode.Combine(key.GetHashCode(StringComparison.Ordinal), Hash(member));
                return members;
            default:
                return (int)value.Kind;
        }
    }
}
