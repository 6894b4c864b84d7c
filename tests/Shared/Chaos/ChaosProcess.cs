using System.Diagnostics;
using System.Globalization;
using System.Net;
using Millrace.Tests.Crash;
using Millrace.Tests.Servers;

namespace Millrace.Tests.Chaos;

/// <summary>One process of the cluster on a port of its own, with its wires to PostgreSQL and Redis. Started again whenever it ends, as a service manager does.</summary>
internal sealed class ChaosProcess : IAsyncDisposable
{
    private readonly string _folder;
    private readonly int _port = LoopbackPort.Free();
    private ServerProcess? _process;

    /// <param name="network">The network it is in; null: the machine's.</param>
    public ChaosProcess(string dll, string folder, string role, int number, int postgres, int redis, NetworkNamespace? network = null)
    {
        Network = network;
        var near = IPAddress.Parse(Server);
        (Dll, _folder, Role, Name) = (dll, folder, role, $"{role}-{number}");
        (Postgres, Redis) = (new CuttableLink(postgres, near), new CuttableLink(redis, near));
    }

    /// <summary>The build it is started from the next time.</summary>
    public string Dll { get; set; }

    public string Name { get; }
    public string Role { get; }
    public NetworkNamespace? Network { get; }
    public CuttableLink Postgres { get; }
    public CuttableLink Redis { get; }
    public Uri Address => new($"http://127.0.0.1:{_port}/");
    public int? Id => _process?.Id;
    public bool IsUp => _process is not null;

    /// <summary>What it last said when it ended instead of serving.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Until it serves; it is tried again while its servers are away.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        while (_process is null && !cancel.IsCancellationRequested)
        {
            try
            {
                _process = await ServerProcess.StartAsync(Command(), cancel);
            }
            catch (InvalidOperationException e)
            {
                Refusal = e.Message;
                await Pause.ForAsync(TimeSpan.FromMilliseconds(300), cancel);
            }
        }
    }

    /// <summary>Its own clock is wrong by so much from now on.</summary>
    public void SetClock(TimeSpan off) => File.WriteAllText(Clock, off.TotalSeconds.ToString(CultureInfo.InvariantCulture));

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process) return;
        _process = null;
        await process.KillAsync();
        process.Dispose();
    }

    /// <summary>Asks it to end, and waits until what was under way has.</summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        if (_process is not { } process) return;
        _process = null;
        process.Terminate();
        await process.EndAsync(cancel);
        process.Dispose();
    }

    public void Halt() => _process?.Halt();

    public void Continue() => _process?.Continue();

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await Postgres.DisposeAsync();
        await Redis.DisposeAsync();
    }

    /// <summary>Where it finds its servers.</summary>
    private string Server => Network is null ? "127.0.0.1" : NetworkNamespace.Machine;

    private string Clock => Path.Combine(_folder, $"{Name}.clock");

    private ProcessStartInfo Command()
    {
        string[] arguments =
        [
            Dll, "--role", Role, "--port", _port.ToString(CultureInfo.InvariantCulture), "--data", Path.Combine(_folder, "data"), "--blobs", Path.Combine(_folder, "blobs"),
            "--database", $"postgres://millrace@{Server}:{Postgres.Port}/test1", "--redis", $"redis://{Server}:{Redis.Port}",
            "--lease-seconds", ChaosCluster.LeaseSeconds.ToString(CultureInfo.InvariantCulture),
        ];
        string[] command = Network is null ? ["dotnet", .. arguments] : ["ip", "netns", "exec", Network.Name, "dotnet", .. arguments];
        return new ProcessStartInfo(command[0], command[1..]) { Environment = { ["MILLRACE_TEST_CLOCK_FILE"] = Clock } };
    }
}
