namespace Millrace.Jq.Evaluation;

internal enum SignalKind { Empty, Error, Break }

/// <summary>
/// What an expression yields instead of a value, carried where a value would be: no output, an error on its way to the
/// nearest <c>try</c>, or a break on its way to its label. Any expression that meets one hands it on.
/// </summary>
internal sealed class Signal(SignalKind kind, Json value = default, LabelSlot? label = null)
{
    public static readonly Json Empty = Json.OfInternal(new Signal(SignalKind.Empty));

    public readonly SignalKind Kind = kind;

    /// <summary>The error's value.</summary>
    public readonly Json Value = value;

    public readonly LabelSlot? Label = label;

    public static Json Error(Json value) => Json.OfInternal(new Signal(SignalKind.Error, value));

    public static Json Break(LabelSlot label) => Json.OfInternal(new Signal(SignalKind.Break, label: label));

    public static Signal Of(Json value) => (Signal)value.Internal!;
}

/// <summary>Where a label's mark is kept, seen from the function the break stands in.</summary>
internal sealed class LabelSlot(object id, int hops, int slot)
{
    public readonly object Id = id;
    public readonly int Hops = hops;
    public readonly int Slot = slot;
}
