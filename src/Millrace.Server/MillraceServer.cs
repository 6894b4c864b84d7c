using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Millrace.Platform;
using Millrace.Storage;
using Millrace.Storage.Sqlite;

namespace Millrace.Server;

/// <summary>The embedded shape: one process, one file, all roles. Started in order, stopped in the reverse order.</summary>
public sealed class MillraceServer : IAsyncDisposable
{
    private const long BodyBytesMax = 16 << 20;

    private readonly SqliteDatabase _database;
    private readonly WebApplication _app;

    private MillraceServer(SqliteDatabase database, WebApplication app)
    {
        _database = database;
        _app = app;
    }

    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <param name="adapt">Changes services before they are built; for tests.</param>
    public static async Task<MillraceServer> StartAsync(ServerSettings settings, Action<IServiceCollection>? adapt = null, CancellationToken cancel = default)
    {
        var database = SqliteDatabase.Open(settings.DatabasePath);
        WebApplication? app = null;
        try
        {
            await database.MigrateAsync(cancel);
            app = Build(settings, database, adapt);
            await app.StartAsync(cancel);
            return new MillraceServer(database, app);
        }
        catch
        {
            if (app is not null) await app.DisposeAsync();
            await database.DisposeAsync();
            throw;
        }
    }

    public Task WaitForShutdownAsync() => _app.WaitForShutdownAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _database.DisposeAsync();
    }

    private static WebApplication Build(ServerSettings settings, SqliteDatabase database, Action<IServiceCollection>? adapt)
    {
        // No configuration files and no other sources: every setting is one of ours, so none changes an answer unseen.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Millrace.Server", EnvironmentName = Environments.Production });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, settings.Port);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyBytesMax;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            kestrel.Limits.MaxRequestLineSize = 8 * 1024;
            kestrel.Limits.MaxConcurrentConnections = 2000;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        });
        builder.Logging.AddSimpleConsole(o => (o.SingleLine, o.TimestampFormat, o.UseUtcTimestamp) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ ", true));
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning);
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(10));
        builder.Services.AddSingleton<Database>(database);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddPlatform();
        adapt?.Invoke(builder.Services);
        var app = builder.Build();
        app.MapPlatform(settings.Web);
        return app;
    }
}
