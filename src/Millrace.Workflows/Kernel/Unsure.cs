using System.Globalization;
using System.Text;
using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>
/// Effects that ended without a result inside a try that retries. Nobody knows what became of them outside: a request of a worker that
/// was taken for dead may still be on its way. So the next attempt does the same effect, on the same input, under the same key, and it counts once;
/// an effect that completed is done anew under a key of its own.
/// </summary>
internal static class Unsure
{
    /// <summary>Effects that one try remembers. Beyond it a repeated effect has a new key.</summary>
    private const int Most = 1000;

    /// <summary>The effect ended without a result.</summary>
    public static void Remember(Step step, Json context)
    {
        for (var around = step.Parent; around?.Node is not null; around = around.Parent)
        {
            if (around.Node.Body is not TryBody { Catch.Retry: not null } || around.InCatch) continue;
            var known = around.Unsure ??= new Dictionary<string, UnsureEffect>(StringComparer.Ordinal);
            if (known.Count < Most) known.TryAdd(PlaceOf(step, around), new UnsureEffect(step.Effect, step.Input, context));
        }
    }

    /// <returns>The step by whose number the effect's key is made: the first that tried it, or this one.</returns>
    public static int EffectOf(Step step, Json context)
    {
        for (var around = step.Parent; around?.Node is not null; around = around.Parent)
            if (around.Unsure is { Count: > 0 } known && known.Remove(PlaceOf(step, around), out var effect) && effect.Input.Equals(step.Input) && effect.Context.Equals(context)) return effect.Step;
        return step.Id;
    }

    private static string PlaceOf(Step step, Step within)
    {
        var place = new StringBuilder();
        for (var one = step; one != within; one = one.Parent!) place.Append(CultureInfo.InvariantCulture, $"{one.Node.Index}.{one.Iteration} ");
        return place.ToString();
    }
}

/// <param name="Step">The one that tried it first.</param>
/// <param name="Context">The workflow's context then.</param>
internal sealed record UnsureEffect(int Step, Json Input, Json Context);
