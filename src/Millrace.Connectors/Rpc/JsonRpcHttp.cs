using System.Text;
using Millrace.Connectors.Http;
using Millrace.Jq;

namespace Millrace.Connectors.Rpc;

/// <summary>Reads what is answered to a JSON-RPC request by HTTP.</summary>
internal static class JsonRpcHttp
{
    /// <summary>The whole content as one message.</summary>
    /// <exception cref="Refusal">It is too large, or no JSON object.</exception>
    public static async Task<Json> WholeAsync(HttpExchange exchange, RpcSettings settings, string whose, Redaction redaction, CancellationToken cancel)
    {
        using var buffer = new MemoryStream();
        var block = new byte[32 << 10];
        try
        {
            for (int read; (read = await exchange.Body.ReadAsync(block, cancel)) > 0;)
            {
                if (buffer.Length + read > settings.MessageBytesMax)
                    throw Refusal.Communication(502, "Response too large", $"{whose} answered with more than {settings.MessageBytesMax} bytes.");
                buffer.Write(block, 0, read);
            }
        }
        catch (IOException e)
        {
            throw HttpFailure.Of(e, exchange.Head.Request, redaction);
        }
        return JsonRpc.Parse(buffer.GetBuffer().AsSpan(0, (int)buffer.Length), whose);
    }

    public static Json Parse(StreamEvent found, string whose) => JsonRpc.Parse(Encoding.UTF8.GetBytes(found.Data), whose);
}
