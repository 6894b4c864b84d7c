using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Tests.Chaos;

/// <summary>
/// The wire between one process and one server, as a TCP proxy. Cut, it behaves as a network that drops every packet: what is open
/// stays open and silent, and what is new is never answered. Torn, every connection is reset and new ones are too.
/// </summary>
internal sealed class CuttableLink : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly int _target;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Socket, bool> _open = new();
    private readonly Task _loop;
    private volatile TaskCompletionSource _passes = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _torn;

    /// <param name="near">Where it listens; null: on the loopback address.</param>
    public CuttableLink(int target, IPAddress? near = null)
    {
        _target = target;
        _listener = new TcpListener(near ?? IPAddress.Loopback, 0);
        _passes.SetResult();
        _listener.Start(512);
        _loop = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Cut() => _passes = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Tear()
    {
        _torn = true;
        foreach (var socket in _open.Keys) Reset(socket);
    }

    public void Heal()
    {
        _torn = false;
        _passes.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        foreach (var socket in _open.Keys) Reset(socket);
        Heal();
        await _loop;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var near = await _listener.AcceptSocketAsync(_stop.Token);
                _open[near] = true;
                if (_torn) Reset(near);
                else _ = JoinAsync(near);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task JoinAsync(Socket near)
    {
        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        _open[far] = true;
        try
        {
            await _passes.Task.WaitAsync(_stop.Token);
            await far.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            // Either direction's end ends both: that is how servers here close.
            await Task.WhenAny(PumpAsync(near, far), PumpAsync(far, near));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The server is away: so is the connection.
        }
        Reset(near);
        Reset(far);
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var count)
            {
                await _passes.Task.WaitAsync(_stop.Token);
                for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The other side ends too.
        }
    }

    private void Reset(Socket socket)
    {
        if (!_open.TryRemove(socket, out _)) return;
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }
}
