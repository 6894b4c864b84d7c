using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;

namespace Millrace.Tests.Crash;

/// <summary>The real server as a process of its own, on a free port of the loopback address.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;
    private readonly Channel<string> _said = Channel.CreateUnbounded<string>();
    private Task _drained = Task.CompletedTask;

    private ServerProcess(Process process) => _process = process;

    public Uri Address { get; private set; } = null!;
    public int Id => _process.Id;

    /// <param name="wrapper">A program and its arguments to start the server under, such as strace.</param>
    public static Task<ServerProcess> StartAsync(string dll, string data, CancellationToken cancel, params string[] wrapper) =>
        StartAsync(dll, data, 0, cancel, wrapper);

    /// <param name="port">0 takes a free one.</param>
    /// <exception cref="InvalidOperationException">It ended instead of serving; holds its exit code and all that it said.</exception>
    public static async Task<ServerProcess> StartAsync(string dll, string data, int port, CancellationToken cancel, params string[] wrapper)
    {
        string[] command = [.. wrapper, "dotnet", dll, "--port", port.ToString(CultureInfo.InvariantCulture), "--data", data];
        return await StartAsync(new ProcessStartInfo(command[0], command[1..]), cancel);
    }

    /// <summary>Starts it by a command that says everything.</summary>
    /// <exception cref="InvalidOperationException">It ended instead of serving; holds its exit code and all that it said.</exception>
    public static async Task<ServerProcess> StartAsync(ProcessStartInfo start, CancellationToken cancel)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        start.Environment["DOTNET_TieredPGO"] = "0";
        var server = new ServerProcess(Process.Start(start)!);
        var said = new List<string>();
        while (await server._process.StandardOutput.ReadLineAsync(cancel) is { } line)
        {
            said.Add(line);
            if (!line.StartsWith("millrace serves ", StringComparison.Ordinal)) continue;
            server.Address = new Uri(line.Split(' ')[2]);
            // What it says later is read, so that its pipes never fill.
            server._drained = Task.WhenAll(server.ListenAsync(), server._process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None));
            return server;
        }
        var errors = await server._process.StandardError.ReadToEndAsync(cancel);
        await server._process.WaitForExitAsync(cancel);
        throw new InvalidOperationException($"The server did not start ({server._process.ExitCode}): {string.Join('\n', said)}\n{errors}");
    }

    /// <summary>Waits until it has said a line that begins so.</summary>
    public async Task SaysAsync(string beginning, CancellationToken cancel)
    {
        while (!(await _said.Reader.ReadAsync(cancel)).StartsWith(beginning, StringComparison.Ordinal)) { }
    }

    /// <summary>Asks it to end, as service managers do.</summary>
    public void Terminate() => Signal("TERM");

    /// <summary>Every thread of it stands still; its connections stay open.</summary>
    public void Halt() => Signal("STOP");

    public void Continue() => Signal("CONT");

    /// <returns>Its exit code.</returns>
    public async Task<int> EndAsync(CancellationToken cancel)
    {
        await _process.WaitForExitAsync(cancel);
        await _drained;
        return _process.ExitCode;
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        await _drained;
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private async Task ListenAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line) _said.Writer.TryWrite(line);
        _said.Writer.Complete();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
