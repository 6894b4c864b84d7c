using Millrace.Connectors.Processes;
using Millrace.Connectors.Rpc;
using Millrace.Jq;

namespace Millrace.Connectors.Mcp;

/// <summary>A server that is a process: one message a line (MCP, Transports, stdio).</summary>
internal sealed class McpStdio(ProcessTalk talk, RpcSettings settings, string program) : IMcpWire
{
    private const int ErrorCharsMax = 1000;

    private readonly LineReader _lines = new(talk.Output, settings.MessageBytesMax, settings.CallBytesMax, program);

    public async Task<Json> AskAsync(Json request, Func<Json, Json?> other, CancellationToken cancel)
    {
        await TellAsync(request, cancel);
        while (await _lines.NextAsync(cancel) is { } line)
        {
            // Not every server keeps its log out of the standard output, though it should.
            if (!line.Span.TrimStart(" \t"u8).StartsWith("{"u8)) continue;
            var message = JsonRpc.Parse(line.Span, program);
            if (message["method"].IsNull && message["id"] == request["id"]) return message;
            if (other(message) is { } reply) await TellAsync(reply, cancel);
        }
        throw Ended();
    }

    public async Task TellAsync(Json notification, CancellationToken cancel)
    {
        try
        {
            await talk.Input.WriteAsync(JsonText.ToUtf8(notification), cancel);
            await talk.Input.WriteAsync("\n"u8.ToArray(), cancel);
            await talk.Input.FlushAsync(cancel);
        }
        catch (IOException)
        {
            throw Ended();
        }
    }

    public void Agree(string protocolVersion)
    {
        // Messages say nothing of it here.
    }

    private Refusal Ended()
    {
        var errors = talk.Errors().Trim();
        if (errors.Length > ErrorCharsMax) errors = $"…{errors[^ErrorCharsMax..]}";
        return Refusal.Communication(502, "MCP server ended", $"{program} ended before it answered. {(errors.Length == 0 ? "It wrote nothing to standard error." : errors)}");
    }
}
