namespace Millrace.Simulation.Programs;

internal enum Ending { Value, Error, End, Continue }

/// <param name="Number">The value, where there is one.</param>
/// <param name="Type">The error's type, where there is one.</param>
internal readonly record struct Outcome(Ending Ending, int Number, string? Type)
{
    public static Outcome Value(int number) => new(Ending.Value, number, null);
    public static Outcome Error(string type) => new(Ending.Error, 0, type);

    /// <summary>The whole run ends here, by directive.</summary>
    public static Outcome End(int number) => new(Ending.End, number, null);

    /// <summary>The whole run ends here, and goes on as another one on that number.</summary>
    public static Outcome Continue(int number) => new(Ending.Continue, number, null);

    public override string ToString() => Ending == Ending.Error ? $"error {Type![(Type!.LastIndexOf('/') + 1)..]}" : $"{Ending} {Number}";
}

/// <summary>Every way a task or a run may end. Too many to list are taken for any: then nothing is asserted of the value.</summary>
internal sealed class Outcomes
{
    /// <summary>About half of all numbers. What each of more may become takes minutes to find out, and says little.</summary>
    public const int Most = 500;

    private readonly HashSet<Outcome> _all = [];

    public bool IsAny { get; private set; }

    public IEnumerable<Outcome> All => _all;
    public IEnumerable<int> Values => _all.Where(o => o.Ending == Ending.Value).Select(o => o.Number);
    public bool HasValue => IsAny || _all.Any(o => o.Ending == Ending.Value);
    public bool HasError => IsAny || _all.Any(o => o.Ending == Ending.Error);
    public IEnumerable<Outcome> Errors => _all.Where(o => o.Ending == Ending.Error);
    public IEnumerable<Outcome> Ends => _all.Where(o => o.Ending is Ending.End or Ending.Continue);

    public static Outcomes Of(params IEnumerable<Outcome> outcomes) => new Outcomes().Add(outcomes);

    public static Outcomes Any() => new() { IsAny = true };

    public Outcomes Add(params IEnumerable<Outcome> outcomes)
    {
        _all.UnionWith(outcomes);
        IsAny |= _all.Count > Most;
        return this;
    }

    public Outcomes Add(Outcomes other)
    {
        IsAny |= other.IsAny;
        return Add(other._all);
    }

    public bool Allows(Outcome outcome) => IsAny || _all.Contains(outcome);

    public override string ToString() => IsAny ? "anything" : string.Join(", ", _all.Order(Comparer<Outcome>.Create((a, b) => string.CompareOrdinal(a.ToString(), b.ToString()))).Take(20));
}
