using System.Collections.Frozen;

namespace Millrace.Engine.Functions;

/// <summary>The functions documents can call, by reference (<see cref="FunctionDescriptor.Reference"/>).</summary>
public sealed class FunctionRegistry
{
    private readonly FrozenDictionary<string, IFunction> _functions;

    /// <exception cref="ArgumentException">Two functions have the same reference.</exception>
    public FunctionRegistry(IEnumerable<IFunction> functions) =>
        _functions = functions.ToDictionary(f => f.Descriptor.Reference, StringComparer.Ordinal).ToFrozenDictionary(StringComparer.Ordinal);

    public IFunction? Find(string reference) => _functions.GetValueOrDefault(reference);

    public IReadOnlyList<FunctionDescriptor> All => [.. _functions.Values.Select(f => f.Descriptor).OrderBy(d => d.Reference, StringComparer.Ordinal)];
}
