using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Millrace.Connectors.Http;
using Millrace.Connectors.Tls;

namespace Millrace.Connectors.AsyncApi;

/// <summary>Publish and subscribe of Redis (RESP 2). Who is not connected gets nothing: what is published meanwhile is lost, as Redis means it.</summary>
internal sealed class RedisBroker(AsyncApiSettings settings, Trust trust) : Broker
{
    public override bool HasHeaders => false;

    public override async Task PublishAsync(BrokerPlace place, BrokerMessage message, Redaction redaction, Deadline deadline)
    {
        try
        {
            await using var stream = await OpenAsync(place, redaction, deadline.Token);
            await SendAsync(stream, ["PUBLISH"u8.ToArray(), Encoding.UTF8.GetBytes(place.Address), message.Payload], deadline.Token);
            await ReplyAsync(stream, place, redaction, deadline.Token);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw Lost(place, e, redaction);
        }
    }

    public override async IAsyncEnumerable<BrokerMessage> ConsumeAsync(BrokerPlace place, Redaction redaction, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var stream = await OpenAsync(place, redaction, cancel);
        await SendAsync(stream, [(place.Address.AsSpan().ContainsAny("*?[") ? "PSUBSCRIBE"u8 : "SUBSCRIBE"u8).ToArray(), Encoding.UTF8.GetBytes(place.Address)], cancel);
        while (true)
        {
            object? reply;
            try
            {
                reply = await ReplyAsync(stream, place, redaction, cancel);
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                throw Lost(place, e, redaction);
            }
            if (reply is object?[] parts && parts[0] is byte[] kind && Encoding.UTF8.GetString(kind) is "message" or "pmessage" && reply is object?[] all && all[^1] is byte[] payload)
                yield return new BrokerMessage(payload, "", []);
        }
    }

    private async Task<Stream> OpenAsync(BrokerPlace place, Redaction redaction, CancellationToken cancel)
    {
        var client = new TcpClient();
        try
        {
            await client.ConnectAsync(place.Server.Host, place.PortOr(6379, 6379), cancel);
            Stream stream = client.GetStream();
            if (place.IsSecure)
            {
                var secure = new SslStream(stream);
                await secure.AuthenticateAsClientAsync(trust.OptionsFor(place.Certificate, place.Server.Host), cancel);
                stream = secure;
            }
            stream = new BufferedStream(stream);
            if (place.Pair is { } pair)
            {
                await SendAsync(stream, ["AUTH"u8.ToArray(), .. pair.Username.Length > 0 ? [(ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(pair.Username)] : Array.Empty<ReadOnlyMemory<byte>>(), Encoding.UTF8.GetBytes(pair.Password)], cancel);
                await ReplyAsync(stream, place, redaction, cancel);
            }
            return stream;
        }
        catch (Exception e)
        {
            client.Dispose();
            throw e is SocketException or IOException or System.Security.Authentication.AuthenticationException ? Lost(place, e, redaction) : e;
        }
    }

    private static async Task SendAsync(Stream stream, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancel)
    {
        using var command = new MemoryStream();
        command.Write(Encoding.ASCII.GetBytes($"*{parts.Count}\r\n"));
        foreach (var part in parts)
        {
            command.Write(Encoding.ASCII.GetBytes($"${part.Length}\r\n"));
            command.Write(part.Span);
            command.Write("\r\n"u8);
        }
        await stream.WriteAsync(command.GetBuffer().AsMemory(0, (int)command.Length), cancel);
        await stream.FlushAsync(cancel);
    }

    /// <returns>Bytes, a number, a list of those, or null.</returns>
    private async Task<object?> ReplyAsync(Stream stream, BrokerPlace place, Redaction redaction, CancellationToken cancel)
    {
        var line = await LineAsync(stream, place, cancel);
        switch (line[0])
        {
            case '-': throw Refusal.Communication(line.StartsWith("-NOAUTH", StringComparison.Ordinal) || line.StartsWith("-WRONGPASS", StringComparison.Ordinal) ? 401 : 502, "Redis refused", $"{place}: {redaction.Clean(line[1..])}");
            case ':': return long.Parse(line[1..], CultureInfo.InvariantCulture);
            case '$':
                var length = int.Parse(line[1..], CultureInfo.InvariantCulture);
                if (length < 0) return null;
                if (length > settings.MessageBytesMax) throw TooLarge(place, settings.MessageBytesMax);
                var bytes = new byte[length + 2];
                await stream.ReadExactlyAsync(bytes, cancel);
                return bytes[..length];
            case '*':
                var parts = new object?[Math.Clamp(int.Parse(line[1..], CultureInfo.InvariantCulture), 0, 16)];
                for (var i = 0; i < parts.Length; i++) parts[i] = await ReplyAsync(stream, place, redaction, cancel);
                return parts;
            default: return Encoding.UTF8.GetBytes(line[1..]);
        }
    }

    private static async Task<string> LineAsync(Stream stream, BrokerPlace place, CancellationToken cancel)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (line.Length < 1024)
        {
            if (await stream.ReadAsync(one, cancel) == 0) throw Ended(place);
            if (one[0] == '\n' && line.Length > 1 && line[^1] == '\r') return line.ToString(0, line.Length - 1);
            line.Append((char)one[0]);
        }
        throw Refusal.Communication(502, "Response invalid", $"{place}: what answers there is no Redis.");
    }
}
