using System.Runtime.CompilerServices;
using System.Text;

namespace Millrace.Cli.Api;

/// <param name="Event">The type; <c>message</c> when the stream names none. A comment, such as a heartbeat, is null.</param>
internal readonly record struct ServerSentEvent(string? Event, string Data, string? Id);

/// <summary>Parses <c>text/event-stream</c> (WHATWG HTML, 9.2). Comments are handed out too: they show that the line is alive.</summary>
internal static class ServerSentEvents
{
    /// <summary>Characters of one message that are read at most.</summary>
    public const int MessageMax = 64 << 20;

    public static async IAsyncEnumerable<ServerSentEvent> ReadAsync(TextReader reader, [EnumeratorCancellation] CancellationToken cancel)
    {
        var data = new StringBuilder();
        var hasData = false;
        string? name = null, id = null;
        while (await reader.ReadLineAsync(cancel) is { } line)
        {
            if (line.Length == 0)
            {
                if (hasData) yield return new ServerSentEvent(name ?? "message", data.ToString(), id);
                data.Clear();
                hasData = false;
                name = null;
                continue;
            }
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon == 0)
            {
                yield return default;
                continue;
            }
            var field = colon < 0 ? line : line[..colon];
            var value = colon < 0 ? "" : line[(line.AsSpan(colon + 1).StartsWith(" ", StringComparison.Ordinal) ? colon + 2 : colon + 1)..];
            switch (field)
            {
                case "event": name = value; break;
                case "id" when !value.Contains('\0'): id = value; break;
                case "data":
                    if (hasData) data.Append('\n');
                    hasData = true;
                    if (data.Append(value).Length > MessageMax) throw new InvalidDataException($"A message of the stream is longer than {MessageMax} characters.");
                    break;
            }
        }
    }
}
