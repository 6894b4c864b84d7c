using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;

namespace Millrace.Engine.Execution;

/// <summary>Where the engine finds compiled definitions; the platform keeps them.</summary>
public interface IDefinitionSource
{
    /// <summary>The version a run is pinned to; null when it is not there.</summary>
    ValueTask<Workflow?> ByHashAsync(Tenant tenant, string hash);

    /// <param name="version">A version, <c>latest</c>, or a <see cref="VersionRange"/>, of which the newest is meant.</param>
    ValueTask<Workflow?> FindAsync(Tenant tenant, string @namespace, string name, string version);
}

/// <summary>Where the engine finds secrets.</summary>
public interface ISecretSource
{
    /// <summary>The secret's value; null when the workspace has none of that name.</summary>
    Json? Find(Tenant tenant, string name);
}

internal static class SecretValues
{
    /// <summary>The values of all of them by name; null when one is missing.</summary>
    public static Json? Values(this ISecretSource secrets, Tenant tenant, IReadOnlyList<string> names)
    {
        var values = new JsonObject.Builder(names.Count);
        foreach (var name in names)
        {
            if (secrets.Find(tenant, name) is not { } value) return null;
            values.Set(name, value);
        }
        return (Json)values.Build();
    }
}

/// <summary>Topics of the event bus.</summary>
public static class Topics
{
    /// <summary>A run's durable records (position: sequence number) and its live output (position 0).</summary>
    public static string Run(Guid run) => $"run:{run:N}";

    /// <summary>Wake-ups for one worker: the id of a run to look after, or nothing when runs are due.</summary>
    public static string Worker(long lease) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"worker:{lease}");

    /// <summary>Records that changed the state of any run of a workspace (position: that of the journal).</summary>
    public static string Workspace(Guid workspace) => $"workspace:{workspace:N}";
}

/// <summary>Output that is shown and not kept.</summary>
public sealed record LiveOutput(int Step, string Channel, Json Data, long At);
