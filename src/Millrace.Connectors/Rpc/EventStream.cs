using System.Text;

namespace Millrace.Connectors.Rpc;

/// <param name="Id">Last id the stream has named, for going on from there; null when it named none.</param>
internal readonly record struct StreamEvent(string Data, string? Id);

/// <summary>Reads server-sent events (WHATWG HTML, 9.2.6) that may not be larger than a limit.</summary>
internal static class EventStream
{
    /// <exception cref="Refusal">A limit was exceeded.</exception>
    public static async IAsyncEnumerable<StreamEvent> ReadAsync(Stream stream, RpcSettings settings, string whose, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var lines = new LineReader(stream, settings.MessageBytesMax, settings.CallBytesMax, whose);
        var data = new StringBuilder();
        var any = false;
        string? id = null;
        while (await lines.NextAsync(cancel) is { } bytes)
        {
            var line = Encoding.UTF8.GetString(bytes.Span).TrimStart('\uFEFF');
            if (line.Length == 0)
            {
                if (any) yield return new StreamEvent(data.ToString(), id);
                data.Clear();
                any = false;
                continue;
            }
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var field = colon < 0 ? line : line[..colon];
            var value = colon < 0 ? "" : line[(colon + 1)..];
            if (value.StartsWith(' ')) value = value[1..];
            if (field == "id" && !value.Contains('\0', StringComparison.Ordinal)) id = value;
            if (field != "data") continue;
            if (any) data.Append('\n');
            data.Append(value);
            any = true;
            if (data.Length > settings.MessageBytesMax) throw Refusal.Communication(502, "Response too large", $"{whose} sent an event of more than {settings.MessageBytesMax} bytes.");
        }
    }
}
