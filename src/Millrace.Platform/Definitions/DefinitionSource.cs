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
        var definition = await database.ReadAsync(db => DefinitionStore.Find(db, tenant, new DefinitionName(@namespace, name, version)));
        return definition is null ? null : await compiled.FindAsync(database, tenant, definition.Hash, default);
    }
}
