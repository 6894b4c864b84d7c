using System.Net.Security;
using System.Net.Sockets;
using Amqp;
using Millrace.Connectors.Tls;

namespace Millrace.Connectors.AsyncApi;

/// <summary>
/// The bytes of one connection of AMQP 1.0. The library would put together a message of any length before anybody sees it, so what may come without being asked for has a limit.
/// </summary>
internal sealed class Amqp1Transport : TransportProvider, IAsyncTransport
{
    private const int HeaderBytes = 4;

    private readonly BrokerPlace _place;
    private readonly Trust _trust;
    private readonly long _bytesMax;
    private readonly CancellationToken _cancel;
    private readonly TcpClient _client = new() { NoDelay = true };
    private Stream _stream = Stream.Null;
    private long _left;

    /// <param name="cancel">Ends the opening, not what is opened.</param>
    public Amqp1Transport(BrokerPlace place, Trust trust, AsyncApiSettings settings, CancellationToken cancel)
    {
        (_place, _trust, _bytesMax, _cancel) = (place, trust, 2L * settings.MessageBytesMax + (1 << 20), cancel);
        _client.SendTimeout = (int)settings.TimeLimit.TotalMilliseconds;
        AddressSchemes = [Scheme];
        Grant();
    }

    public static string Scheme => "AMQP";

    /// <summary>One more message may come.</summary>
    public void Grant() => Interlocked.Exchange(ref _left, _bytesMax);

    public override async Task<IAsyncTransport> CreateAsync(Address address)
    {
        await _client.ConnectAsync(address.Host, address.Port, _cancel);
        _stream = _client.GetStream();
        if (!_place.IsSecure) return this;
        var secure = new SslStream(_stream);
        _stream = secure;
        await secure.AuthenticateAsClientAsync(_trust.OptionsFor(_place.Certificate, address.Host), _cancel);
        return this;
    }

    public async Task<int> ReceiveAsync(byte[] buffer, int offset, int count)
    {
        var read = await _stream.ReadAsync(buffer.AsMemory(offset, count));
        if (read == 0) throw new IOException("The connection was closed.");
        // Of a frame that only says that somebody is there, no read is longer: it may come at any time.
        if (count > HeaderBytes && Interlocked.Add(ref _left, -read) < 0) throw new IOException($"More than {_bytesMax} bytes came for one message.");
        return read;
    }

    public async Task SendAsync(IList<ByteBuffer> bufferList, int listSize)
    {
        foreach (var part in bufferList) await _stream.WriteAsync(part.Buffer.AsMemory(part.Offset, part.Length));
    }

    /// <summary>While the two sides get to know each other: a few bytes.</summary>
    public void Send(ByteBuffer buffer) => _stream.Write(buffer.Buffer, buffer.Offset, buffer.Length);

    public int Receive(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public void SetConnection(Connection connection)
    {
    }

    public void Close()
    {
        _stream.Dispose();
        _client.Dispose();
    }

    public override void Dispose()
    {
        base.Dispose();
        Close();
    }
}
