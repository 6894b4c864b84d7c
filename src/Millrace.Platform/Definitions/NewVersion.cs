using System.Text;
using Millrace.Engine.Events;
using Millrace.Engine.Scheduling;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Platform.Definitions;

/// <summary>A version that is to be kept: what was compiled of it, and its text.</summary>
internal sealed record NewVersion(Workflow Workflow, DefinitionVersion Definition, byte[] Source, string Words, IReadOnlyCollection<Imported> Imports)
{
    public DefinitionName Name => new(Definition.Namespace, Definition.Name, Definition.Version);

    public static NewVersion Of(Workflow workflow, string source, IReadOnlyList<Diagnostic> findings, IReadOnlyCollection<Imported> imports, DateTimeOffset now) => new(
        workflow,
        new DefinitionVersion(
            workflow.Id.Namespace, workflow.Id.Name, workflow.Id.Version, workflow.Title, workflow.Summary, workflow.Hash,
            Micros.ToTime(Micros.Of(now)), workflow.Tags.IsNull ? (Json?)null : workflow.Tags, findings, workflow.InputSchema?.Source, workflow.Secrets),
        Encoding.UTF8.GetBytes(source), DefinitionWords.Of(source), imports);

    /// <summary>Keeps it, and lets schedules and events follow it when it is the latest.</summary>
    /// <returns>What is kept under its name, which may have another text, and whether it is new.</returns>
    public (DefinitionVersion Kept, bool Created) Write(DbUnit unit, Tenant tenant)
    {
        DefinitionStore.Lock(unit, tenant, Definition.Namespace, Definition.Name);
        if (!DefinitionStore.Insert(unit, tenant, Definition, Source, Words)) return (DefinitionStore.Find(unit, tenant, Name)!, false);
        ImportStore.Insert(unit, tenant, Definition.Hash, Imports);
        if (DefinitionStore.Find(unit, tenant, Name with { Version = null })!.Version != Definition.Version) return (Definition, true);
        ScheduleControl.Follow(unit, tenant, Workflow, Micros.Of(Definition.CreatedAt));
        TriggerStore.Follow(unit, tenant, Workflow, Micros.Of(Definition.CreatedAt));
        return (Definition, true);
    }
}
