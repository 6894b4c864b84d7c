using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using Millrace.Connectors.Http;
using Millrace.Connectors.Tls;

namespace Millrace.Connectors.AsyncApi;

/// <summary>One connection for each call; a message is one message of the socket.</summary>
internal sealed class WebSocketBroker(AsyncApiSettings settings, Trust trust) : Broker
{
    public override bool HasHeaders => false;

    public override async Task PublishAsync(BrokerPlace place, BrokerMessage message, Redaction redaction, Deadline deadline)
    {
        using var socket = await OpenAsync(place, redaction, deadline.Token);
        try
        {
            await socket.SendAsync(message.Payload, HttpBody.IsJson(message.ContentType) ? WebSocketMessageType.Text : WebSocketMessageType.Binary, true, deadline.Token);
            // The other side answers the close when it has read what came before it.
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, deadline.Token);
        }
        catch (WebSocketException e)
        {
            throw Lost(place, e, redaction);
        }
    }

    public override async IAsyncEnumerable<BrokerMessage> ConsumeAsync(BrokerPlace place, Redaction redaction, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var socket = await OpenAsync(place, redaction, cancel);
        while (await NextAsync(socket, place, redaction, cancel) is { } message) yield return message;
        throw Ended(place);
    }

    private async Task<BrokerMessage?> NextAsync(ClientWebSocket socket, BrokerPlace place, Redaction redaction, CancellationToken cancel)
    {
        using var buffer = new MemoryStream();
        var block = new byte[16 << 10];
        while (true)
        {
            ValueWebSocketReceiveResult read;
            try
            {
                read = await socket.ReceiveAsync(block.AsMemory(), cancel);
            }
            catch (WebSocketException e)
            {
                throw Lost(place, e, redaction);
            }
            if (read.MessageType == WebSocketMessageType.Close) return null;
            if (buffer.Length + read.Count > settings.MessageBytesMax) throw TooLarge(place, settings.MessageBytesMax);
            buffer.Write(block, 0, read.Count);
            if (read.EndOfMessage) return new BrokerMessage(buffer.ToArray(), "", []);
        }
    }

    private async Task<ClientWebSocket> OpenAsync(BrokerPlace place, Redaction redaction, CancellationToken cancel)
    {
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.RemoteCertificateValidationCallback = trust.Callback;
            if (place.Certificate is { } certificate) socket.Options.ClientCertificates.Add(certificate.Own);
            if (place.Credentials is { } credentials) socket.Options.SetRequestHeader("Authorization", credentials.Authorization);
            var address = place.Address is "" or "/" ? place.Server : new Uri($"{place.Server.AbsoluteUri.TrimEnd('/')}/{place.Address.TrimStart('/')}");
            await socket.ConnectAsync(address, cancel);
            return socket;
        }
        catch (WebSocketException e)
        {
            socket.Dispose();
            throw Lost(place, e, redaction);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
