using System.Collections.Concurrent;
using Grpc.Net.Client;
using Millrace.Connectors.Http;
using Millrace.Connectors.Tls;

namespace Millrace.Connectors.Grpc;

/// <summary>Connections to gRPC services, shared by all runs: HTTP/2, with TLS or without as the address says.</summary>
internal sealed class GrpcChannels(HttpSettings http, Trust trust, GrpcSettings settings, HttpMessageHandler? handler = null) : IDisposable
{
    private const int KeptMax = 256;

    /// <summary>By the certificate that their connections are made with; the empty name is that of none.</summary>
    private readonly ConcurrentDictionary<string, HttpMessageHandler> _handlers = new(StringComparer.Ordinal);

    private readonly ConcurrentDictionary<string, GrpcChannel> _channels = new(StringComparer.Ordinal);

    public GrpcChannel To(Uri address, ClientCertificate? certificate)
    {
        // A channel that is dropped here still serves the calls that hold it; the connections belong to the handler, which closes those that are idle.
        if (_channels.Count >= KeptMax) _channels.Clear();
        if (_handlers.Count >= KeptMax) _handlers.Clear();
        var name = certificate?.Identity ?? "";
        return _channels.GetOrAdd($"{address.AbsoluteUri} {name}", _ => GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = _handlers.GetOrAdd(name, _ => handler ?? Sockets(certificate)),
            MaxReceiveMessageSize = settings.MessageBytesMax,
            MaxSendMessageSize = settings.MessageBytesMax,
            ThrowOperationCanceledOnCancellation = true,
        }));
    }

    public void Dispose()
    {
        foreach (var one in _handlers.Values) one.Dispose();
    }

    private SocketsHttpHandler Sockets(ClientCertificate? certificate) => new()
    {
        UseCookies = false,
        ActivityHeadersPropagator = null,
        ConnectTimeout = http.ConnectTimeout,
        PooledConnectionLifetime = http.PooledConnectionLifetime,
        MaxResponseHeadersLength = http.ResponseHeadersKibMax,
        EnableMultipleHttp2Connections = true,
        SslOptions = trust.OptionsFor(certificate),
    };
}
