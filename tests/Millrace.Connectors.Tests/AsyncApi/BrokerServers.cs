using System.Diagnostics;
using Confluent.Kafka;
using Millrace.Tests.Servers;

namespace Millrace.Connectors.Tests.AsyncApi;

/// <summary>The real nats-server on a free port.</summary>
internal sealed class NatsServer : IAsyncDisposable
{
    private readonly Process _process;

    private NatsServer(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    public static async Task<NatsServer> StartAsync(params string[] options)
    {
        var port = LoopbackPort.Free();
        var process = Process.Start(new ProcessStartInfo("/usr/sbin/nats-server", ["--addr", "127.0.0.1", "--port", $"{port}", .. options]) { RedirectStandardError = true })!;
        using var limit = new CancellationTokenSource(Calling.Patience);
        while (await process.StandardError.ReadLineAsync(limit.Token) is { } line)
            if (line.Contains("Server is ready", StringComparison.Ordinal)) return new NatsServer(process, port);
        throw new InvalidOperationException("nats-server did not start.");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}

/// <summary>The real rabbitmq-server on free ports, with the user <c>guest</c>; it speaks AMQP 1.0 as well. It takes seconds to start, so a class shares one.</summary>
public sealed class RabbitServer : IAsyncLifetime
{
    private const string Program = "/usr/lib/rabbitmq/bin/rabbitmq-server";

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-rabbit-").FullName;
    private readonly string _names = $"{LoopbackPort.Free()}";
    private Process? _process;

    public int Port { get; } = LoopbackPort.Free();

    public async ValueTask InitializeAsync()
    {
        var start = new ProcessStartInfo(Program) { RedirectStandardOutput = true };
        foreach (var (name, value) in new Dictionary<string, string>
        {
            ["HOME"] = _folder,
            ["RABBITMQ_NODENAME"] = $"millrace-{_names}@localhost",
            ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_NODE_PORT"] = $"{Port}",
            ["RABBITMQ_DIST_PORT"] = $"{LoopbackPort.Free()}",
            ["ERL_EPMD_PORT"] = _names,
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_MNESIA_BASE"] = Path.Combine(_folder, "data"),
            ["RABBITMQ_LOG_BASE"] = Path.Combine(_folder, "log"),
            ["RABBITMQ_LOGS"] = "-",
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(_folder, "plugins"),
            ["RABBITMQ_CONFIG_FILE"] = Path.Combine(_folder, "none"),
            ["RABBITMQ_CONF_ENV_FILE"] = Path.Combine(_folder, "none.env"),
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1}",
        }) start.Environment[name] = value;
        await File.WriteAllTextAsync(start.Environment["RABBITMQ_ENABLED_PLUGINS_FILE"]!, "[rabbitmq_amqp1_0].\n");
        _process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(StartLimit);
        while (await _process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (!line.Contains("Server startup complete", StringComparison.Ordinal)) continue;
            // Nobody reads on otherwise, and a full pipe would stop it.
            _ = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            return;
        }
        throw new InvalidOperationException("rabbitmq-server did not start.");
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
        // The register of names outlives the server that started it.
        var stop = new ProcessStartInfo("epmd", ["-port", _names, "-kill"]) { RedirectStandardOutput = true };
        stop.Environment["ERL_EPMD_RELAXED_COMMAND_CHECK"] = "true";
        using var epmd = Process.Start(stop)!;
        await epmd.WaitForExitAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>A cluster of Kafka in this process, that of the library's own tests: it speaks the real protocol on a port of its own.</summary>
internal sealed class KafkaDouble : IDisposable
{
    private readonly IProducer<Null, byte[]> _owner;

    public KafkaDouble()
    {
        var config = new ProducerConfig { BootstrapServers = "127.0.0.1:1" };
        config.Set("test.mock.num.brokers", "1");
        _owner = new ProducerBuilder<Null, byte[]>(config).SetLogHandler(static (_, _) => { }).Build();
        using var admin = new DependentAdminClientBuilder(_owner.Handle).Build();
        Port = admin.GetMetadata(Calling.Patience).Brokers[0].Port;
    }

    public int Port { get; }

    public void Dispose() => _owner.Dispose();
}
