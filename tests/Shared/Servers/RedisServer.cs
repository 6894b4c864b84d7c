using System.Diagnostics;
using System.Globalization;

namespace Millrace.Tests.Servers;

/// <summary>A real Redis server on a free port of the loopback address, that keeps nothing. It can be killed, halted and started again.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly string[] _settings;
    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-redis-").FullName;
    private Process? _process;
    private Task _drained = Task.CompletedTask;

    private RedisServer(int port, string[] settings) => (Port, _settings) = (port, settings);

    public int Port { get; }

    /// <param name="settings">Further ones as on the command line, such as <c>--requirepass</c> and a password.</param>
    public static async Task<RedisServer> StartAsync(params string[] settings)
    {
        var server = new RedisServer(LoopbackPort.Free(), settings);
        await server.StartAgainAsync();
        return server;
    }

    public async Task StartAgainAsync()
    {
        var port = Port.ToString(CultureInfo.InvariantCulture);
        string[] arguments = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", _folder, .. _settings];
        _process = Process.Start(new ProcessStartInfo("redis-server", arguments) { RedirectStandardOutput = true })!;
        using var limit = new CancellationTokenSource(StartLimit);
        var said = new List<string>();
        while (await _process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            said.Add(line);
            if (!line.Contains("Ready to accept connections", StringComparison.Ordinal)) continue;
            _drained = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
            return;
        }

        throw new InvalidOperationException($"redis-server did not start: {string.Join('\n', said)}");
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        if (_process is null) return;
        _process.Kill();
        await _process.WaitForExitAsync();
        await _drained;
        _process.Dispose();
        _process = null;
    }

    /// <summary>The process stands still, and its connections stay open.</summary>
    public Task HaltAsync() => RunAsync("kill", "-STOP", _process!.Id.ToString(CultureInfo.InvariantCulture));

    public Task ContinueAsync() => RunAsync("kill", "-CONT", _process!.Id.ToString(CultureInfo.InvariantCulture));

    /// <summary>Sends one command by redis-cli.</summary>
    /// <returns>What it answers.</returns>
    public Task<string> CommandAsync(params string[] command) =>
        RunAsync("redis-cli", ["-p", Port.ToString(CultureInfo.InvariantCulture), .. command]);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? said.Trim() : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {said}");
    }
}
