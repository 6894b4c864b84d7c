using System.Diagnostics;

namespace Millrace.Tests.Crash;

/// <summary>The real server as a process of its own, on a free port of the loopback address.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;
    private Task _drained = Task.CompletedTask;

    private ServerProcess(Process process) => _process = process;

    public Uri Address { get; private set; } = null!;
    public int Id => _process.Id;

    /// <param name="wrapper">A program and its arguments to start the server under, such as strace.</param>
    public static async Task<ServerProcess> StartAsync(string dll, string data, CancellationToken cancel, params string[] wrapper)
    {
        string[] command = [.. wrapper, "dotnet", dll, "--port", "0", "--data", data];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_TieredPGO"] = "0";
        var server = new ServerProcess(Process.Start(start)!);
        var said = new List<string>();
        while (await server._process.StandardOutput.ReadLineAsync(cancel) is { } line)
        {
            said.Add(line);
            if (!line.StartsWith("millrace serves ", StringComparison.Ordinal)) continue;
            server.Address = new Uri(line.Split(' ')[2]);
            // What it logs later is read, so that its pipes never fill.
            server._drained = Task.WhenAll(
                server._process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None),
                server._process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None));
            return server;
        }
        throw new InvalidOperationException($"The server did not start: {string.Join('\n', said)}\n{await server._process.StandardError.ReadToEndAsync(cancel)}");
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        await _drained;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
