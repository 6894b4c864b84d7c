using Millrace.Engine.Execution;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Storage.Bus;
using Millrace.Storage.Postgres;
using Millrace.Storage.Sqlite;

namespace Millrace.Server;

/// <summary>Where this process keeps state, blobs and live events, as the settings say.</summary>
internal sealed class Stores : IAsyncDisposable
{
    private Stores(Database database, BlobStore blobs, EventBus bus) => (Database, Blobs, Bus) = (database, blobs, bus);

    public Database Database { get; }
    public BlobStore Blobs { get; }
    public EventBus Bus { get; }

    /// <summary>Null where this process is the only one.</summary>
    public BusLink? Link { get; private set; }

    public DatabaseVersion Version { get; private set; } = new(0, 0);

    /// <summary>Opens them and migrates the database.</summary>
    public static async Task<Stores> OpenAsync(ServerSettings settings, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            // Reads of a server hold a thread while they wait for it.
            if (settings.IsPostgres) ThreadPool.SetMinThreads(32, 8);
            var bus = new EventBus();
            var blobs = OpenBlobs(settings);
            Database database = settings.IsPostgres
                ? PostgresDatabase.Open(settings.Database!, new PostgresOptions { Time = time, SilenceMs = settings.LeaseSeconds * 1000 })
                : SqliteDatabase.Open(settings.DatabasePath, new SqliteOptions { Time = time });
            var stores = new Stores(database, blobs, bus);
            try
            {
                stores.Version = await database.MigrateAsync(cancel);
                if (settings.IsPostgres) stores.Link = OpenLink(settings, bus);
                return stores;
            }
            catch
            {
                await stores.DisposeAsync();
                throw;
            }
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw new SettingsException(e.Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Link is not null) await Link.DisposeAsync();
        await Database.DisposeAsync();
        (Blobs as IDisposable)?.Dispose();
    }

    private static BlobStore OpenBlobs(ServerSettings settings)
    {
        if (!settings.BlobsPath.StartsWith("s3://", StringComparison.Ordinal)) return new FileBlobStore(settings.BlobsPath, shared: settings.IsPostgres);
        if (settings.S3AccessKey is not { Length: > 0 } access || settings.S3SecretKey is not { Length: > 0 } secret)
            throw new SettingsException("Blobs in a bucket need its key: set MILLRACE_S3_ACCESS_KEY and MILLRACE_S3_SECRET_KEY.");
        return new S3BlobStore(S3Options.Parse(settings.BlobsPath, access, secret));
    }

    /// <summary>Redis when there is one; the database's own notification beside it, for when it is away.</summary>
    private static BusLink OpenLink(ServerSettings settings, EventBus bus)
    {
        void Receive(LinkMessage message) => BusMessages.Receive(bus, message);
        var redis = settings.Redis is { } url ? RedisOptions.Parse(url) : null;
        BusLink link = PostgresLink.Open(settings.Database!, Receive);
        if (redis is not null) link = new FallbackLink(RedisLink.Open(redis, Receive), link);
        bus.Join(link);
        return link;
    }
}
