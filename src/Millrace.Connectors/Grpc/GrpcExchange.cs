using Grpc.Core;
using Grpc.Net.Client;
using Millrace.Jq;

namespace Millrace.Connectors.Grpc;

/// <summary>One call of a method, whatever streams.</summary>
internal sealed class GrpcExchange(GrpcChannel channel, ProtoSchema schema, ProtoMethod method, CallOptions options, GrpcSettings settings)
{
    private static readonly Marshaller<byte[]> AsItIs = Marshallers.Create<byte[]>(static bytes => bytes, static bytes => bytes);

    private readonly List<Json> _answers = [];
    private long _bytes;

    /// <exception cref="RpcException">The call failed.</exception>
    /// <exception cref="Refusal">More came than may come, or what is no message.</exception>
    public async Task<Json> RunAsync(IReadOnlyList<byte[]> requests, Action<Json> shown)
    {
        var invoker = channel.CreateCallInvoker();
        switch (method.ClientStreams, method.ServerStreams)
        {
            case (false, false):
                return Read(await invoker.AsyncUnaryCall(Described(MethodType.Unary), null, options, requests[0]));
            case (true, false):
                using (var call = invoker.AsyncClientStreamingCall(Described(MethodType.ClientStreaming), null, options))
                {
                    await WriteAsync(call.RequestStream, requests);
                    return Read(await call.ResponseAsync);
                }
            case (false, true):
                using (var call = invoker.AsyncServerStreamingCall(Described(MethodType.ServerStreaming), null, options, requests[0]))
                    return await ReadAllAsync(call.ResponseStream, shown);
            default:
                using (var call = invoker.AsyncDuplexStreamingCall(Described(MethodType.DuplexStreaming), null, options))
                {
                    // Both at once: a server may answer each message before it reads the next one.
                    var writing = WriteAsync(call.RequestStream, requests);
                    var answers = await ReadAllAsync(call.ResponseStream, shown);
                    await writing;
                    return answers;
                }
        }
    }

    private static async Task WriteAsync(IClientStreamWriter<byte[]> stream, IReadOnlyList<byte[]> requests)
    {
        try
        {
            foreach (var request in requests) await stream.WriteAsync(request);
            await stream.CompleteAsync();
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException)
        {
            // The server has ended the call without reading everything; how it ended is said by its answer.
        }
    }

    private async Task<Json> ReadAllAsync(IAsyncStreamReader<byte[]> stream, Action<Json> shown)
    {
        while (await stream.MoveNext(options.CancellationToken))
        {
            if (_answers.Count >= settings.MessagesMax)
                throw Refusal.Communication(502, "Response too large", $"{method.Name} gave more than {settings.MessagesMax} messages.");
            _answers.Add(Read(stream.Current));
            shown(_answers[^1]);
        }
        return JsonArray.Of(_answers);
    }

    private Json Read(byte[] answer)
    {
        _bytes += answer.Length;
        if (_bytes > settings.CallBytesMax) throw Refusal.Communication(502, "Response too large", $"{method.Name} gave more than {settings.CallBytesMax} bytes.");
        return ProtoReader.Read(schema, method.Output, answer);
    }

    private Method<byte[], byte[]> Described(MethodType type) => new(type, method.Service, method.Name, AsItIs, AsItIs);
}
