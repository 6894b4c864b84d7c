using Millrace.Engine.Execution;
using Millrace.Storage;
using Millrace.Workflows.Graph;

namespace Millrace.Platform.Definitions;

/// <summary>Where the engine finds definitions: the versions that were pushed.</summary>
public sealed class DefinitionSource(Database database, CompiledDefinitions compiled) : IDefinitionSource
{
    public async ValueTask<Workflow?> ByHashAsync(Tenant tenant, string hash) => await compiled.FindAsync(database, tenant, hash, default);

    public async ValueTask<Workflow?> FindAsync(Tenant tenant, string @namespace, string name, string version)
    {
        var one = VersionRange.IsOne(version) ? version : await NewestAsync(tenant, @namespace, name, version);
        if (one is null) return null;
        var definition = await database.ReadAsync(db => DefinitionStore.Find(db, tenant, new DefinitionName(@namespace, name, one)));
        return definition is null ? null : await compiled.FindAsync(database, tenant, definition.Hash, default);
    }

    /// <summary>The newest version in a range; null when there is none, or the text is no range.</summary>
    private async Task<string?> NewestAsync(Tenant tenant, string space, string name, string version)
    {
        const int PageRows = 500;
        if (VersionRange.Parse(version) is not { } range) return null;
        string? after = null;
        while (true)
        {
            var page = await database.ReadAsync(db => DefinitionStore.Versions(db, tenant, space, name, after, PageRows));
            if (page.Find(d => range.Accepts(d.Version)) is { } newest) return newest.Version;
            if (page.Count < PageRows) return null;
            after = page[^1].Version;
        }
    }
}
