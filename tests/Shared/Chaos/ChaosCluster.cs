using Millrace.Tests.Servers;
using Npgsql;

namespace Millrace.Tests.Chaos;

/// <summary>PostgreSQL with fsync, Redis, two api, three workers and two schedulers on this machine, each process with wires of its own.</summary>
internal sealed class ChaosCluster : IAsyncDisposable
{
    public const int LeaseSeconds = 4;

    private const int Apis = 2, WorkersCount = 3, SchedulersCount = 2;

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly string _folder;
    private readonly string _direct;

    private readonly IReadOnlyList<NetworkNamespace> _networks;

    private ChaosCluster(PostgresServer postgres, RedisServer redis, string dll, string folder, IReadOnlyList<NetworkNamespace> networks)
    {
        _networks = networks;
        (Postgres, Redis, _folder) = (postgres, redis, folder);
        _direct = $"Host=127.0.0.1;Port={postgres.Port};Username=millrace;Database=test1;Pooling=false;Timeout=3;Command Timeout=30";
        ChaosProcess Make(string role, int number, NetworkNamespace? network = null) => new(dll, folder, role, number, postgres.Port, redis.Port, network);
        Schedulers = [.. Enumerable.Range(1, SchedulersCount).Select(n => Make("scheduler", n))];
        Api = [.. Enumerable.Range(1, Apis).Select(n => Make("api", n))];
        Workers = [.. Enumerable.Range(1, WorkersCount).Select(n => Make("worker", n, networks.ElementAtOrDefault(n - 1)))];
    }

    public PostgresServer Postgres { get; }
    public RedisServer Redis { get; }

    /// <summary>Whether workers are in networks of their own, and must find what is outside at <see cref="NetworkNamespace.Machine"/>.</summary>
    public bool IsApart => _networks.Count > 0;

    public ChaosProcess[] Schedulers { get; }
    public ChaosProcess[] Api { get; }
    public ChaosProcess[] Workers { get; }
    public IEnumerable<ChaosProcess> All => [.. Schedulers, .. Workers, .. Api];

    /// <param name="apart">Whether each worker has a network of its own, where the machine lets us.</param>
    public static async Task<ChaosCluster> StartAsync(string dll, bool apart, CancellationToken cancel)
    {
        var postgres = await PostgresServer.StartAsync("fsync=on", "max_wal_size=2GB");
        await postgres.CreateDatabaseAsync();
        var redis = await RedisServer.StartAsync();
        var folder = Directory.CreateTempSubdirectory("millrace-chaos-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "data"));
        var cluster = new ChaosCluster(postgres, redis, dll, folder, apart ? NetworkNamespace.Create(WorkersCount) : []);
        // The first one migrates the database.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(StartLimit);
        await cluster.Schedulers[0].StartAsync(limit.Token);
        await Task.WhenAll(cluster.All.Select(p => p.StartAsync(limit.Token)));
        return cluster;
    }

    /// <summary>Asks the database itself, past all wires.</summary>
    public async Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> map, CancellationToken cancel, params object[] values)
    {
        await using var connection = new NpgsqlConnection(_direct);
        await connection.OpenAsync(cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancel)) rows.Add(map(reader));
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in All.Reverse()) await process.DisposeAsync();
        foreach (var network in _networks) await network.DisposeAsync();
        await Redis.DisposeAsync();
        await Postgres.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
