using System.Net;

namespace Millrace.Server;

/// <summary>A setting is wrong; the message says which, and what would be right.</summary>
public sealed class SettingsException(string message) : Exception(message);

/// <summary>How the process logs to its standard output: for people, or one JSON object a line.</summary>
public enum LogForm : byte { Text, Json }

/// <summary>What a process does; any number of each may share a database.</summary>
[Flags]
public enum Roles : byte
{
    None = 0,

    /// <summary>Answers HTTP. It holds no run.</summary>
    Api = 1,

    /// <summary>Carries out runs.</summary>
    Worker = 2,

    /// <summary>Starts the runs of schedules, and looks after what nobody holds: runs of workers that died.</summary>
    Scheduler = 4,
    All = Api | Worker | Scheduler,
}

/// <summary>
/// How this process serves. Each setting is an option (<c>--port 8001</c>) or a variable (<c>MILLRACE_PORT</c>; a dash becomes a
/// line below: <c>MILLRACE_LEASE_SECONDS</c>); the option wins.
/// </summary>
/// <param name="Port">TCP port; 0 takes a free one. Default 8000.</param>
/// <param name="Data">Folder of the database, the blobs and the secrets. Default <c>./data</c>.</param>
/// <param name="Web">Folder of the built web app; null serves none. Default <c>./web/dist</c> when it is there.</param>
public sealed record ServerSettings(int Port, string Data, string? Web)
{
    public const int PortDefault = 8000;

    public LogForm Log { get; init; }

    /// <summary><c>all</c>, or some of <c>api</c>, <c>worker</c>, <c>scheduler</c> with commas between.</summary>
    public Roles Roles { get; init; } = Roles.All;

    /// <summary>The address listened on. Others than loopback only with <see cref="OpenNetwork"/>.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    /// <summary>Whoever reaches the port may do everything, and that is wanted.</summary>
    public bool OpenNetwork { get; init; }

    /// <summary><c>postgres://user:password@host:port/name</c>, or a path of the SQLite file; null: <c>millrace.db</c> in the data folder.</summary>
    public string? Database { get; init; }

    /// <summary><c>redis://host:port</c>; null: live events of other processes come through the database, or there are none.</summary>
    public string? Redis { get; init; }

    /// <summary><c>s3://bucket/prefix?endpoint=…</c>, or a folder; null: <c>blobs</c> in the data folder.</summary>
    public string? Blobs { get; init; }

    public string? S3AccessKey { get; init; }
    public string? S3SecretKey { get; init; }

    /// <summary>File of certificates (PEM) that may vouch for servers besides those the system trusts; null: none.</summary>
    public string? Authorities { get; init; }

    /// <summary>Effects at once by lane; null: the engine's defaults.</summary>
    public LaneSettings? Lanes { get; init; }

    /// <summary>For how long a worker's heart may stand still before its runs go to others. 1 to 600.</summary>
    public int LeaseSeconds { get; init; } = 6;

    /// <summary>How long stopping waits for effects under way. 0 to 3,600.</summary>
    public int DrainSeconds { get; init; } = 10;

    /// <summary>How many days events are kept, and one with the same source and id is a duplicate. 1 to 3,650.</summary>
    public int EventDays { get; init; } = 7;

    public bool IsPostgres => Database is { } database && (database.StartsWith("postgres://", StringComparison.Ordinal) || database.StartsWith("postgresql://", StringComparison.Ordinal));
    public string DatabasePath => Database ?? Path.Combine(Data, "millrace.db");
    public string BlobsPath => Blobs ?? Path.Combine(Data, "blobs");
    public string SecretsPath => Path.Combine(Data, "secrets.json");

    /// <exception cref="SettingsException">An option is unknown or has a wrong value.</exception>
    public static ServerSettings Parse(IReadOnlyList<string> args, Func<string, string?> variable) => new SettingsReader(args, variable).Read();

    // Never the record's own text: an address may hold a password.
    public override string ToString() => $"port {Port}, data {Data}";
}

/// <param name="Io">Effects that wait for others, at once.</param>
/// <param name="Cpu">Effects that compute.</param>
/// <param name="Sandbox">Processes.</param>
public sealed record LaneSettings(int Io, int Cpu, int Sandbox);
