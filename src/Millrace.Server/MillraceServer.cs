using System.Reflection;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Millrace.Connectors;
using Millrace.Connectors.Containers;
using Millrace.Connectors.Events;
using Millrace.Connectors.Http;
using Millrace.Connectors.Processes;
using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Platform;
using Millrace.Platform.Definitions;
using Millrace.Platform.Http;
using Millrace.Platform.Resources;
using Millrace.Platform.Status;
using Millrace.Server.Telemetry;
using Millrace.Storage;

namespace Millrace.Server;

/// <summary>One process of either shape, with the roles its settings give it. Started in order, stopped in the reverse order.</summary>
public sealed class MillraceServer : IAsyncDisposable
{
    private readonly Stack<IAsyncDisposable> _parts = new();
    private WebApplication? _app;

    private MillraceServer()
    {
    }

    public Uri Address => new(Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public IServiceProvider Services => _app!.Services;

    /// <exception cref="SettingsException">A setting or the file of secrets is wrong.</exception>
    /// <exception cref="StorageUnavailableException">The data folder cannot be used.</exception>
    public static async Task<MillraceServer> StartAsync(ServerSettings settings, ServerParts? parts = null, CancellationToken cancel = default)
    {
        var server = new MillraceServer();
        try
        {
            await server.OpenAsync(settings, parts ?? new ServerParts(), cancel);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Says on the standard output, in the log's form, that it serves and where.</summary>
    public void Announce(ServerSettings settings)
    {
        if (settings.Log == LogForm.Text) Console.WriteLine($"millrace serves {Address} with {settings.Data}");
        else Services.GetRequiredService<ILogger<MillraceServer>>().LogInformation("millrace serves {Address} with {Data}", Address, settings.Data);
    }

    /// <summary>Logs a line about the process itself.</summary>
    public void Log(string text) => Services.GetRequiredService<ILogger<MillraceServer>>().LogInformation("{Text}", text);

    public Task WaitForShutdownAsync() => _app!.WaitForShutdownAsync();

    /// <summary>Takes no more requests, ends streams, lets effects under way end or hands them over, and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.StopAsync();
        while (_parts.TryPop(out var part)) await part.DisposeAsync();
    }

    private async Task OpenAsync(ServerSettings settings, ServerParts parts, CancellationToken cancel)
    {
        var secrets = Secrets.Load(settings.SecretsPath, Environment.GetEnvironmentVariables());
        var telemetry = Add(ServerTelemetry.Open(Version));
        var stores = Add(await Stores.OpenAsync(settings, parts.Time, cancel));
        var database = stores.Database;
        var logs = LoggerFactory.Create(b => ServerTelemetry.ConfigureLogs(b, settings.Log, parts.Time));
        _parts.Push(new Disposing(logs));
        if (stores.Version is { } version && version.Applied > version.Known)
        {
            logs.CreateLogger("Millrace.Storage").LogWarning("The database has migrations up to {Applied}, this build knows up to {Known}; the newer ones say that it may work on it.",
                version.Applied, version.Known);
        }
        Add(new QueueWatch(database, parts.Time, logs.CreateLogger("Millrace.Queue"))).Start();
        var events = new TaskCompletionSource<EventLog>(TaskCreationOptions.RunContinuationsAsynchronously);
        var connectors = OpenConnectors(settings, database, events.Task, logs.CreateLogger("Millrace.Events"));
        var functions = new FunctionRegistry([.. connectors.All, .. parts.Functions]);
        var compiled = new CompiledDefinitions();
        var engine = Add(await DurableEngine.OpenAsync(
            new EngineParts(database, stores.Blobs, stores.Bus, functions, new DefinitionSource(database, compiled), secrets, parts.Time, logs.CreateLogger("Millrace.Engine")) { Link = stores.Link },
            parts.Engine ?? EngineOf(settings)));
        events.SetResult(engine.Events);

        var builder = CreateBuilder(settings, parts.Time);
        builder.Services.AddSingleton(database).AddSingleton(stores.Blobs).AddSingleton(stores.Bus)
            .AddSingleton(compiled).AddSingleton(functions).AddSingleton(connectors.Imports).AddSingleton<ISecretSource>(secrets).AddSingleton(engine).AddSingleton(engine.Journal).AddSingleton(parts.Time)
            .AddSingleton(new SystemIdentity(Version, settings.IsPostgres ? "cluster" : "embedded", parts.Time.GetUtcNow()));
        builder.Services.AddPlatform(settings.Authorities);
        _app = Add(builder.Build());
        _app.MapPlatform(settings.Web, new PlatformSurface(Api: settings.Roles.HasFlag(Roles.Api), LocalOnly: !settings.OpenNetwork));
        telemetry.Map(_app);
        try
        {
            await _app.StartAsync(cancel);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new SettingsException($"port {settings.Port} of {settings.Host} is in use by another program; name another with --port, or 0 for a free one.");
        }
    }

    private static EngineSettings EngineOf(ServerSettings settings)
    {
        var engine = new EngineSettings
        {
            Alone = !settings.IsPostgres,
            Works = settings.Roles.HasFlag(Roles.Worker),
            Schedules = settings.Roles.HasFlag(Roles.Scheduler),
            WorkerName = $"{Environment.MachineName}:{Environment.ProcessId}",
            LeaseTime = TimeSpan.FromSeconds(settings.LeaseSeconds),
            EventsKept = TimeSpan.FromDays(settings.EventDays),
            DrainTime = TimeSpan.FromSeconds(settings.DrainSeconds),
        };
        return settings.Lanes is { } lanes ? engine with { IoMax = lanes.Io, CpuMax = lanes.Cpu, SandboxMax = lanes.Sandbox } : engine;
    }

    private static string Version => typeof(MillraceServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    private ConnectorFunctions OpenConnectors(ServerSettings settings, Database database, Task<EventLog> events, ILogger log)
    {
        // Who may push a definition here owns the machine: the server serves nobody else (see LocalOnly). So processes are allowed.
        var connectors = ConnectorFunctions.Create(new ConnectorSettings
        {
            Http = new HttpSettings { AuthoritiesFile = settings.Authorities },
            Process = new ProcessSettings { Allowed = true },
            Container = new ContainerSettings { RunElsewhere = !settings.Roles.HasFlag(Roles.Worker) },
        }, Outlet(events, log), stored: async (organisation, workspace, name, cancel) =>
            await database.ReadAsync(db => ResourceStore.Content(db, new Tenant(organisation, workspace), name), cancel) is { } content ? content : (ReadOnlyMemory<byte>?)null);
        _parts.Push(new Disposing(connectors));
        return connectors;
    }

    /// <summary>Emitted events go where those from outside go. The same event comes again with the same id after a crash, and is a duplicate then.</summary>
    private static EventOutlet Outlet(Task<EventLog> events, ILogger log) => async (emitted, cancel) =>
    {
        await (await events.WaitAsync(cancel)).PublishUntilKeptAsync(new Tenant(emitted.Organisation, emitted.Workspace), emitted.Event, cancel);
        log.LogInformation("Run {Run} emitted {Type} {Id} at step {Step} in workspace {Workspace}",
            emitted.Run, emitted.Event["type"].StringOrNull, emitted.Event["id"].StringOrNull, emitted.Step, emitted.Workspace);
    };

    private static WebApplicationBuilder CreateBuilder(ServerSettings settings, TimeProvider time)
    {
        // No configuration files and no other sources: every setting is one of ours, so none changes an answer unseen.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Millrace.Server", EnvironmentName = Environments.Production });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(settings.Host, settings.Port);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestBody.JsonBytesMax;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            kestrel.Limits.MaxRequestLineSize = 8 * 1024;
            kestrel.Limits.MaxConcurrentConnections = 2000;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        });
        ServerTelemetry.ConfigureLogs(builder.Logging, settings.Log, time);
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(10));
        return builder;
    }

    private T Add<T>(T part) where T : IAsyncDisposable
    {
        _parts.Push(part);
        return part;
    }

    private sealed class Disposing(IDisposable part) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            part.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>What tests put in the place of the machine's own.</summary>
public sealed record ServerParts
{
    public TimeProvider Time { get; init; } = TimeProvider.System;
    /// <summary>Null: as the settings of the server say.</summary>
    public EngineSettings? Engine { get; init; }

    /// <summary>Functions besides the connectors'.</summary>
    public IReadOnlyList<IFunction> Functions { get; init; } = [];
}
