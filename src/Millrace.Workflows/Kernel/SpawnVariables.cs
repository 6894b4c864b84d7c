using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>What an expression about one child may read besides what its task may: <c>$item</c> and <c>$index</c>, <c>$items</c> and <c>$offset</c>, <c>$cursor</c>, or <c>$needs</c>.</summary>
internal sealed class SpawnVariables(StepVariables task, string first, Json firstValue, string? second = null, Json secondValue = default) : IVariables
{
    public JqOptions Options => task.Options;

    public Json Get(string name) => name == first ? firstValue : name == second ? secondValue : task.Get(name);
}
