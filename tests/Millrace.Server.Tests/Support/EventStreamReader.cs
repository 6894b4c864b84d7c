using System.Text;
using Millrace.Jq;

namespace Millrace.Server.Tests.Support;

public sealed record StreamMessage(string Event, string? Id, Json Data);

/// <summary>Reads Server-Sent Events; each message carries only the id it brought itself.</summary>
public sealed class EventStreamReader : IAsyncDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _reader;
    private readonly CancellationTokenSource _patience = new(TestServer.Patience);

    private EventStreamReader(HttpResponseMessage response, StreamReader reader) => (_response, _reader) = (response, reader);

    public static async Task<EventStreamReader> OpenAsync(HttpClient http, string path, string? lastEventId = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null) request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return new EventStreamReader(response, new StreamReader(await response.Content.ReadAsStreamAsync(), Encoding.UTF8));
    }

    public async Task<StreamMessage> ReadAsync() => await NextAsync() ?? throw new EndOfStreamException();

    public async Task<StreamMessage> ReadUntilAsync(Func<StreamMessage, bool> wanted)
    {
        while (true)
            if (await ReadAsync() is var message && wanted(message)) return message;
    }

    /// <summary>All messages until the server closes the stream.</summary>
    public async Task<List<StreamMessage>> ReadToEndAsync()
    {
        var messages = new List<StreamMessage>();
        while (await NextAsync() is { } message) messages.Add(message);
        return messages;
    }

    public ValueTask DisposeAsync()
    {
        _reader.Dispose();
        _response.Dispose();
        _patience.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<StreamMessage?> NextAsync()
    {
        string? name = null, id = null, data = null;
        while (await _reader.ReadLineAsync(_patience.Token) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            else if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
            else if (line.Length == 0 && data is not null) return new StreamMessage(name ?? "message", id, JsonText.Parse(data));
        }
        return null;
    }
}
