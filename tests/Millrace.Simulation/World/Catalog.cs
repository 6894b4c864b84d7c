using Millrace.Engine.Execution;
using Millrace.Platform.Definitions;
using Millrace.Platform.Http;
using Millrace.Simulation.Programs;
using Millrace.Storage;
using Millrace.Testing.Virtual;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.World;

/// <summary>The programs of both workspaces in all their versions, as they were compiled. Which of them are there yet, the database says.</summary>
internal sealed class Catalog
{
    private readonly Dictionary<(Tenant Tenant, string Name, string Version), NewVersion> _all = [];
    private readonly HashSet<string> _renewed = new(StringComparer.Ordinal);

    /// <summary>Programs of which there is a newer version than the first, for all to see.</summary>
    public IReadOnlyCollection<string> Renewed => _renewed;

    /// <summary>With the version that comes after it.</summary>
    public void Add(Tenant tenant, RandomProgram program)
    {
        _all.Add((tenant, program.Name, program.Version), Load(program));
        if (program.Newer is { } newer) Add(tenant, newer);
    }

    public Workflow First(Tenant tenant, string name) => _all[(tenant, name, ProgramRef.First)].Workflow;

    /// <summary>The newest that was pushed and answered; somebody else's may be underway.</summary>
    public Workflow Latest(Tenant tenant, string name) => tenant == Tenant.Default && _renewed.Contains(name) ? _all[(tenant, name, ProgramRef.Second)].Workflow : First(tenant, name);

    /// <summary>The version of that hash, whether it is there yet or not.</summary>
    public Workflow? ByHash(Tenant tenant, string hash) => Of(tenant).Select(v => v.Workflow.ForRun(hash)).FirstOrDefault(w => w is not null);

    /// <summary>The document that a run is of, also one that carries out a part of it.</summary>
    public Workflow? DocumentOf(Tenant tenant, string hash) => ByHash(tenant, Workflow.TextOf(hash));

    /// <summary>As of a process that has just started; it may have compiled all of them or none.</summary>
    public CompiledDefinitions Compiled(Dice dice)
    {
        var compiled = new CompiledDefinitions();
        if (dice.Chance(0.7)) foreach (var (key, version) in _all) compiled.Add(key.Tenant, version.Workflow);
        return compiled;
    }

    /// <summary>Writes the first version of each.</summary>
    public void Insert(DbUnit db, DateTimeOffset now)
    {
        foreach (var (key, version) in _all.Where(v => v.Key.Version == ProgramRef.First)) At(version, now).Write(db, key.Tenant);
    }

    /// <summary>Pushes the newer version, as its route does.</summary>
    /// <returns>False when that is there already.</returns>
    public async Task<bool> PushAsync(DurableEngine engine, string name)
    {
        var version = At(_all[(Tenant.Default, name, ProgramRef.Second)], Micros.ToTime(engine.Worker.Now));
        var (_, created) = await engine.Worker.Database.WriteAsync(db => version.Write(db, Tenant.Default));
        if (created && version.Workflow.Schedule is not null) engine.Schedules.Changed();
        _renewed.Add(name);
        return created;
    }

    private IEnumerable<NewVersion> Of(Tenant tenant) => _all.Where(v => v.Key.Tenant == tenant).Select(v => v.Value);

    private static NewVersion At(NewVersion version, DateTimeOffset now) => version with { Definition = version.Definition with { CreatedAt = now } };

    private static NewVersion Load(RandomProgram program)
    {
        var loaded = WorkflowLoader.Load(program.Text);
        return loaded.IsExecutable
            ? NewVersion.Of(loaded.Workflow!, program.Text, loaded.Diagnostics, [], default)
            : throw new InvalidOperationException($"{string.Join("\n", loaded.Diagnostics)}\n{program.Text}");
    }
}
