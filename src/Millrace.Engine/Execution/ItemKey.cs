using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>
/// The idempotency key of an effect that is done for an item which a map has named: the same in every run of the same definition for the
/// same item, so what is done again for an item that had failed is done under the key of the first time.
/// </summary>
internal static class ItemKey
{
    /// <returns>Null when the item has no name.</returns>
    public static string? Of(RunActor actor, Step step)
    {
        if (actor.State.Part?.Keys is not { } keys) return null;
        var path = new StringBuilder();
        path.Append(CultureInfo.InvariantCulture, $"{actor.Tenant.Workspace:N}\n{actor.Workflow.Id.Namespace}/{actor.Workflow.Id.Name}\n{keys[step.BatchItem]}");
        foreach (var one in step.Around()) path.Append(CultureInfo.InvariantCulture, $"\n{one.Node.Reference} {(one.Parent!.Parent is null ? 0 : one.Iteration)} {one.Attempt}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path.ToString())).AsSpan(0, 16));
    }
}
