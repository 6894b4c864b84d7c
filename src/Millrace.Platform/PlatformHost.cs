using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Connectors.Events;
using Millrace.Connectors.Http;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Platform.Approvals;
using Millrace.Platform.Artifacts;
using Millrace.Platform.Bulk;
using Millrace.Platform.DeadLetters;
using Millrace.Platform.Definitions;
using Millrace.Platform.Events;
using Millrace.Platform.Forks;
using Millrace.Platform.Holds;
using Millrace.Platform.Http;
using Millrace.Platform.Limits;
using Millrace.Platform.Resources;
using Millrace.Platform.Retention;
using Millrace.Platform.Runs;
using Millrace.Platform.Sinks;
using Millrace.Platform.Schedules;
using Millrace.Platform.Status;
using Millrace.Platform.Streams;
using Millrace.Platform.Uploads;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Storage.Bus;

namespace Millrace.Platform;

/// <summary>Puts the modules together: their services, their routes, and what surrounds every request.</summary>
public static class PlatformHost
{
    /// <summary>
    /// Needs besides: <see cref="Database"/>, <see cref="BlobStore"/>, <see cref="EventBus"/>, <see cref="DurableEngine"/> with its <see cref="JournalReader"/>
    /// and <see cref="FunctionRegistry"/>, the <see cref="CompiledDefinitions"/> the engine was opened with, <see cref="SystemIdentity"/>, <see cref="TimeProvider"/>,
    /// <see cref="Connectors.Imports.ImportReader"/> and <see cref="ISecretSource"/>.
    /// </summary>
    /// <param name="authorities">File of certificates that may vouch for the addresses of sinks besides those the system trusts; null: none.</param>
    public static void AddPlatform(this IServiceCollection services, string? authorities)
    {
        services.AddExceptionHandler<ProblemHandler>();
        services.ConfigureHttpJsonOptions(o => WireJson.Configure(o.SerializerOptions));
        services.AddSingleton(typeof(Tenant), Tenant.Default);
        services.AddSingleton(s => s.GetRequiredService<DurableEngine>().Schedules);
        services.AddSingleton<ImportedSource>();
        services.AddSingleton<PushDefinition>();
        services.AddSingleton<ClientUploads>();
        services.AddSingleton<StartRun>();
        services.AddSingleton<RunForks>();
        services.AddHostedService<BulkLoop>();
        services.AddSingleton(new EventDelivery(new HttpSettings { ResponseTimeout = TimeSpan.FromSeconds(30), ResponseBytesMax = 1 << 20, AuthoritiesFile = authorities }));
        services.AddHostedService<SinkLoop>();
        services.AddSingleton<RunHistories>();
        services.AddSingleton<Broadcasts>();
        services.AddSingleton<EventStream>();
        services.AddOpenApi("v1", ApiDocument.Describe);
    }

    /// <param name="webRoot">Folder of the built web app, or null.</param>
    public static void MapPlatform(this WebApplication app, string? webRoot, PlatformSurface surface)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions { SuppressDiagnosticsCallback = _ => true, ExceptionHandler = _ => Task.CompletedTask });
        app.UseStatusCodePages(ProblemHandler.WriteBareAsync);
        app.Use(SecurityHeaders.SetAsync);
        app.Use(surface.LocalOnly ? LocalOnly.CheckAsync : LocalOnly.CheckOriginAsync);
        app.UseRouting();
        if (!surface.Api)
        {
            app.MapHealth();
            return;
        }

        app.UseWebApp(webRoot);

        app.MapOpenApi("/openapi/{documentName}.json");
        var api = app.MapGroup("/api/v1");
        api.MapDefinitions();
        api.MapResources();
        api.MapSchedules();
        api.MapTriggers();
        api.MapLimits();
        api.MapRetention();
        api.MapDeadLetters();
        var runs = api.MapGroup("/runs").WithTags("Runs");
        runs.MapRuns();
        runs.MapRunDetails();
        runs.MapSpawn();
        runs.MapSignals();
        runs.MapForks();
        runs.MapPast();
        runs.MapDiffs();
        runs.MapBulk();
        runs.MapArtifacts();
        api.MapUploads();
        api.MapApprovals();
        api.MapHolds();
        api.MapEvents();
        api.MapSinks();
        api.MapStreams();
        app.MapHealth();
        api.MapSystem();
    }
}

/// <param name="Api">False for a process that only carries out runs: it answers how it is, and nothing else.</param>
/// <param name="LocalOnly">Whether only requests from this machine are taken.</param>
public sealed record PlatformSurface(bool Api, bool LocalOnly);
