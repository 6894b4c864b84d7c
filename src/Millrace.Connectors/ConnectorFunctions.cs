using Millrace.Connectors.A2a;
using Millrace.Connectors.AsyncApi;
using Millrace.Connectors.Catalog;
using Millrace.Connectors.Containers;
using Millrace.Connectors.Events;
using Millrace.Connectors.Grpc;
using Millrace.Connectors.Http;
using Millrace.Connectors.Imports;
using Millrace.Connectors.Mcp;
using Millrace.Connectors.OpenApi;
using Millrace.Connectors.Processes;
using Millrace.Engine.Functions;

namespace Millrace.Connectors;

/// <summary>Every function of this project, over shared connections; one instance for a process. Dispose it after the engine has stopped.</summary>
public sealed class ConnectorFunctions : IDisposable
{
    private readonly IReadOnlyList<IDisposable> _shared;

    private ConnectorFunctions(IReadOnlyList<IDisposable> shared, ImportReader imports, IReadOnlyList<IFunction> all)
    {
        _shared = shared;
        Imports = imports;
        All = all;
    }

    /// <summary>http, openapi, grpc, asyncapi, mcp, a2a, shell, script, container, emit, and of the default catalog: artifact, csv, hash, log, uuid, each at 1.0.0.</summary>
    public IReadOnlyList<IFunction> All { get; }

    /// <summary>Reads what definitions are compiled with from elsewhere, over the same connections.</summary>
    public ImportReader Imports { get; }

    /// <param name="outlet">Where emitted events go.</param>
    /// <param name="processes">Where processes run; null: this machine.</param>
    /// <param name="handler">Replaces the sockets of outgoing requests; null: the machine's own.</param>
    /// <param name="stored">Gives what workspaces keep under names; null: they keep nothing.</param>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public static ConnectorFunctions Create(ConnectorSettings settings, EventOutlet outlet, IProcessPort? processes = null, HttpMessageHandler? handler = null, StoredResources? stored = null)
    {
        var pool = new HttpPool(settings.Http, handler);
        // Who may have processes run may read what they could read.
        var sender = new HttpSender(pool, readsFiles: settings.Process.Allowed, stored);
        var process = new ProcessTask(settings.Process, processes ?? new HostProcessPort(settings.Process));
        var grpc = new GrpcChannels(settings.Http, pool.Trust, settings.Grpc, handler);
        return new ConnectorFunctions([pool, grpc], new ImportReader(sender),
        [
            new HttpFunction(sender),
            new OpenApiFunction(sender, settings.OpenApi),
            new ShellFunction(process),
            new ScriptFunction(process, sender),
            new GrpcFunction(sender, grpc, settings.Grpc),
            new McpFunction(process, sender, settings.Rpc),
            new AsyncApiFunction(sender, pool, settings.AsyncApi),
            new A2aFunction(sender, settings.Rpc),
            new ContainerFunction(process, settings.Container, new ContainerProgram(process, settings.Container)),
            new EmitFunction(settings.Events, outlet),
            new ArtifactFunction(settings.Catalog),
            new CsvFunction(settings.Catalog),
            new HashFunction(),
            new LogFunction(),
            new UuidFunction(),
        ]);
    }

    public void Dispose()
    {
        foreach (var part in _shared) part.Dispose();
    }
}
