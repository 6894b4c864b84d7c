namespace Millrace.Testing.Virtual;

/// <summary>All chance of a seed. SplitMix64 (Steele, Lea, Flood 2014): the same on every machine and in every version of .NET.</summary>
public sealed class Dice(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <returns>From 0 to <paramref name="below"/> - 1.</returns>
    public int Below(int below) => (int)(Next() % (uint)below);

    public int Between(int least, int most) => least + Below(most - least + 1);

    public double Fraction() => (Next() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => Fraction() < probability;

    public T Of<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    /// <summary>Mostly short and sometimes long: an exponential span.</summary>
    public TimeSpan Span(TimeSpan mean) => mean * -Math.Log(1 - Fraction());

    /// <summary>Dice of its own for a part, so that what one part rolls does not change another's.</summary>
    public Dice Fork() => new(Next());
}
