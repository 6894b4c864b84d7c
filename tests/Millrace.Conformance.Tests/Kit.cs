using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Connectors;
using Millrace.Connectors.Http;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Storage.Bus;
using Millrace.Storage.Sqlite;
using Millrace.Tests.Doubles;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Tests.Kits;

/// <summary>The engine with the real functions; the public services that scenarios name are doubles on this machine.</summary>
internal sealed class Kit : IAsyncDisposable, IDefinitionSource, ISecretSource
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-kit-").FullName;
    private readonly SqliteDatabase _database;
    private readonly PetstoreDouble _petstore;
    private readonly HttpbinDouble _httpbin;
    private readonly ConnectorFunctions _functions;
    private DurableEngine? _engine;
    private Workflow? _workflow;

    private Kit(PetstoreDouble petstore, HttpbinDouble httpbin)
    {
        (_petstore, _httpbin) = (petstore, httpbin);
        _database = SqliteDatabase.Open(Path.Combine(_folder, "millrace.db"));
        var hosts = new Dictionary<string, Uri> { [PetstoreDouble.Host] = petstore.Base, [HttpbinDouble.Host] = httpbin.Base };
        _functions = ConnectorFunctions.Create(
            new ConnectorSettings { Http = new HttpSettings { HostOverrides = hosts } }, (_, _) => ValueTask.CompletedTask);
    }

    public static async Task<Kit> OpenAsync()
    {
        var kit = new Kit(await PetstoreDouble.StartAsync(), await HttpbinDouble.StartAsync());
        await kit._database.MigrateAsync();
        kit._engine = await DurableEngine.OpenAsync(
            new EngineParts(kit._database, new FileBlobStore(Path.Combine(kit._folder, "blobs")), new EventBus(), new FunctionRegistry(kit._functions.All), kit, kit, TimeProvider.System, NullLogger.Instance),
            new EngineSettings());
        return kit;
    }

    public async Task<RunHistory> RunAsync(string definition, Json input)
    {
        var loaded = WorkflowLoader.Load(definition);
        Assert.True(loaded.IsExecutable, string.Join("\n", loaded.Diagnostics));
        _workflow = loaded.Workflow!;
        var started = (StartOutcome.Started)await _engine!.StartAsync(new StartRequest(Tenant.Default, _workflow, input));
        await _engine.EndAsync(Tenant.Default, started.Run).WaitAsync(Patience);
        var history = new RunHistory(_workflow, started.Run);
        foreach (var record in await _engine.Journal.AfterAsync(Tenant.Default, started.Run, -1)) history.Apply(record);
        return history;
    }

    public ValueTask<Workflow?> ByHashAsync(Tenant tenant, string hash) => new(_workflow);
    public ValueTask<Workflow?> FindAsync(Tenant tenant, string @namespace, string name, string version) => new((Workflow?)null);
    public Json? Find(Tenant tenant, string name) => null;

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null) await _engine.DisposeAsync();
        _functions.Dispose();
        await _database.DisposeAsync();
        await _petstore.DisposeAsync();
        await _httpbin.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
