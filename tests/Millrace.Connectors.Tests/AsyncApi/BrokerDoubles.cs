using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Millrace.Tests.Doubles;
using Millrace.Tests.Servers;
using MQTTnet.Server;

namespace Millrace.Connectors.Tests.AsyncApi;

/// <summary>Serves documents, takes messages by http, and speaks WebSocket: what is sent to <c>/chat</c> is kept, what is said to <see cref="Say"/> goes to who is connected.</summary>
internal sealed class DocumentDouble : ServiceDouble
{
    private readonly Channel<string> _said = Channel.CreateUnbounded<string>();
    private readonly Channel<string> _heard = Channel.CreateUnbounded<string>();
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Func<string, string> _document = _ => "";

    public static async Task<DocumentDouble> StartAsync(Func<DocumentDouble, string, string> document)
    {
        var service = new DocumentDouble();
        service._document = path => document(service, path);
        await service.RunAsync();
        return service;
    }

    public void Say(string message) => _said.Writer.TryWrite(message);

    /// <summary>Resolves when one who was connected to <c>/chat</c> is not any more.</summary>
    public Task LeftAsync() => _left.Task.WaitAsync(Calling.Patience);

    public async Task<string> HeardAsync() => await _heard.Reader.ReadAsync().AsTask().WaitAsync(Calling.Patience);

    protected override void Map(WebApplication app)
    {
        app.UseWebSockets();
        app.MapGet("/docs/{name}", (string name) => Results.Text(_document(name)));
        app.MapPost("/base/greetings", () => Results.Accepted());
        app.Map("/base/chat", async (HttpContext http) =>
        {
            using var socket = await http.WebSockets.AcceptWebSocketAsync();
            using var over = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            var hearing = HearAsync(socket);
            while (await Task.WhenAny(hearing, _said.Reader.WaitToReadAsync(over.Token).AsTask()) != hearing)
                if (_said.Reader.TryRead(out var message)) await socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, http.RequestAborted);
            await over.CancelAsync();
            _left.TrySetResult();
        });
        app.Map("/base/hear", async (HttpContext http) =>
        {
            using var socket = await http.WebSockets.AcceptWebSocketAsync();
            await HearAsync(socket);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, http.RequestAborted);
        });
    }

    private async Task HearAsync(WebSocket socket)
    {
        var bytes = new byte[1000];
        while (await socket.ReceiveAsync(bytes, Stopping) is { MessageType: not WebSocketMessageType.Close } read) _heard.Writer.TryWrite(Encoding.UTF8.GetString(bytes, 0, read.Count));
    }
}

/// <summary>A broker of MQTT in this process.</summary>
internal sealed class MqttDouble : IAsyncDisposable
{
    private readonly MqttServer _server;

    private MqttDouble(MqttServer server, int port) => (_server, Port) = (server, port);

    public int Port { get; }

    public static async Task<MqttDouble> StartAsync()
    {
        var port = LoopbackPort.Free();
        var options = new MqttServerOptionsBuilder().WithDefaultEndpoint().WithDefaultEndpointBoundIPAddress(System.Net.IPAddress.Loopback)
            .WithDefaultEndpointBoundIPV6Address(System.Net.IPAddress.None).WithDefaultEndpointPort(port).WithPersistentSessions().Build();
        var server = new MqttServerFactory().CreateMqttServer(options);
        await server.StartAsync();
        return new MqttDouble(server, port);
    }

    /// <summary>Resolves when somebody has subscribed.</summary>
    public Task Subscribed()
    {
        var done = new TaskCompletionSource();
        _server.ClientSubscribedTopicAsync += _ =>
        {
            done.TrySetResult();
            return Task.CompletedTask;
        };
        return done.Task.WaitAsync(Calling.Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync();
        _server.Dispose();
    }
}

/// <summary>The real redis-server on a free port.</summary>
internal sealed class RedisDouble : IAsyncDisposable
{
    private readonly Process _process;

    private RedisDouble(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    public static async Task<RedisDouble> StartAsync(string password)
    {
        var port = LoopbackPort.Free();
        var process = Process.Start(new ProcessStartInfo("redis-server", ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--requirepass", password]) { RedirectStandardOutput = true })!;
        using var limit = new CancellationTokenSource(Calling.Patience);
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            if (line.Contains("Ready to accept", StringComparison.Ordinal)) return new RedisDouble(process, port);
        throw new InvalidOperationException("redis-server did not start.");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
