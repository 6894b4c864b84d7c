using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Millrace.Tests.Servers;

/// <summary>
/// A PostgreSQL of the system (Debian's postgresql-15) on a free loopback port, with its data in a temporary folder. Stopped by its
/// process id. As root it runs as the account <c>postgres</c>, since it refuses root.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string User = "millrace";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Lazy<Task<PostgresServer>> One = new(() => StartAsync("synchronous_commit=off", "full_page_writes=off", "autovacuum=off"));

    private readonly string _folder;
    private readonly string[] _settings;
    private int _databases;
    private bool _removed;

    private PostgresServer(string folder, int port, string[] settings)
    {
        _folder = folder;
        Port = port;
        _settings = settings;
    }

    public int Port { get; }

    /// <summary>The one that all tests of a process share, with hundreds of databases and without fsync: what they need of it is its meaning, not its disk.</summary>
    public static Task<PostgresServer> SharedAsync() => One.Value;

    /// <param name="settings">As <c>-c</c> takes them; <c>fsync=off</c> unless another is given.</param>
    public static async Task<PostgresServer> StartAsync(params string[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("millrace-postgres-").FullName;
        if (IsRoot) await RunAsync("chown", "postgres:", folder);
        var server = new PostgresServer(folder, FreePort(), settings);
        await RunAsync([.. AsPostgres, Program("initdb"), "-D", folder, "-U", User, "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8"]);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Remove();
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>A new database.</summary>
    /// <param name="template">The one whose content it begins with, which nobody is connected to; without one it is empty.</param>
    /// <returns>Its URI.</returns>
    public async Task<string> CreateDatabaseAsync(string template = "template1")
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test{Interlocked.Increment(ref _databases)}");
        await using var connection = new NpgsqlConnection(string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={Port};Username={User};Database=postgres;Pooling=false"));
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"create database {name} template {template}", connection);
        await create.ExecuteNonQueryAsync();
        return UriOf(name);
    }

    public string UriOf(string database) => $"postgres://{User}@127.0.0.1:{Port}/{database}";

    /// <summary>Starts it on the data it has; ends when it answers.</summary>
    public async Task StartAgainAsync()
    {
        string[] given = ["fsync=off", "max_connections=400", "shared_buffers=64MB", "listen_addresses=127.0.0.1", "unix_socket_directories=", .. _settings];
        await RunAsync([.. AsPostgres, Program("pg_ctl"), "-D", _folder, "-l", Path.Combine(_folder, "log"), "-w", "-t", "60",
            "-o", $"-p {Port} {string.Join(' ', given.Select(s => $"-c {s}"))}", "start"]);
    }

    /// <param name="mode"><c>fast</c>: connections are broken off; <c>immediate</c>: as a crash.</param>
    public Task StopAsync(string mode = "fast") => RunAsync([.. AsPostgres, Program("pg_ctl"), "-D", _folder, "-w", "-m", mode, "stop"]);

    public ValueTask DisposeAsync()
    {
        Remove();
        return ValueTask.CompletedTask;
    }

    private static bool IsRoot => Environment.UserName == "root";

    private static string[] AsPostgres => IsRoot ? ["runuser", "-u", "postgres", "--"] : [];

    private static string Program(string name) =>
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").Order().Select(d => Path.Combine(d, "bin", name)).LastOrDefault(File.Exists) ?? name
            : name;

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static async Task RunAsync(params string[] command)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/" };
        foreach (var argument in command.Skip(1)) start.ArgumentList.Add(argument);
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{command[0]} did not start.");
        using var limit = new CancellationTokenSource(Patience);
        var said = new List<string>();
        process.OutputDataReceived += (_, line) => Keep(said, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(said, line.Data);
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        // Not the end of its output: a server that it started holds the pipe.
        while (!process.WaitForExit(TimeSpan.FromMilliseconds(20))) limit.Token.ThrowIfCancellationRequested();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', command)} ended with {process.ExitCode}: {string.Join('\n', said)}");
        await Task.CompletedTask;
    }

    private static void Keep(List<string> said, string? line)
    {
        if (line is not null) lock (said) said.Add(line);
    }

    /// <summary>Stops it as a crash would and removes its files, without waiting: those of hundreds of databases take longer than a process that ends has.</summary>
    private void Remove()
    {
        // Asked again when the process ends, which has little time then.
        if (_removed) return;
        _removed = true;
        try
        {
            var id = File.ReadLines(Path.Combine(_folder, "postmaster.pid")).First();
            using var removal = Process.Start("sh", ["-c", "kill -QUIT \"$1\" && while kill -0 \"$1\" 2>/dev/null; do sleep 0.05; done; rm -rf \"$2\"", "sh", id, _folder]);
        }
        catch (IOException)
        {
            // It is not running.
            using var removal = Process.Start("rm", ["-rf", _folder]);
        }
    }
}
