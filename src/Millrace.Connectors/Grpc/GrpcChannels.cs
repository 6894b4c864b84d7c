using System.Collections.Concurrent;
using Grpc.Net.Client;
using Millrace.Connectors.Http;

namespace Millrace.Connectors.Grpc;

/// <summary>Connections to gRPC services, shared by all runs: HTTP/2, with TLS or without as the address says.</summary>
internal sealed class GrpcChannels(HttpSettings http, GrpcSettings settings, HttpMessageHandler? handler = null) : IDisposable
{
    private const int KeptMax = 256;

    private readonly HttpMessageHandler _handler = handler ?? new SocketsHttpHandler
    {
        UseCookies = false,
        ActivityHeadersPropagator = null,
        ConnectTimeout = http.ConnectTimeout,
        PooledConnectionLifetime = http.PooledConnectionLifetime,
        MaxResponseHeadersLength = http.ResponseHeadersKibMax,
        EnableMultipleHttp2Connections = true,
    };

    private readonly ConcurrentDictionary<string, GrpcChannel> _channels = new(StringComparer.Ordinal);

    public GrpcChannel To(Uri address)
    {
        // A channel that is dropped here still serves the calls that hold it; the connections belong to the handler.
        if (_channels.Count >= KeptMax) _channels.Clear();
        return _channels.GetOrAdd(address.AbsoluteUri, _ => GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = _handler,
            MaxReceiveMessageSize = settings.MessageBytesMax,
            MaxSendMessageSize = settings.MessageBytesMax,
            ThrowOperationCanceledOnCancellation = true,
        }));
    }

    public void Dispose() => _handler.Dispose();
}
