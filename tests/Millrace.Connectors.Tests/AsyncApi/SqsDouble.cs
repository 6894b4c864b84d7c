using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Millrace.Jq;
using Millrace.Tests.Doubles;

namespace Millrace.Connectors.Tests.AsyncApi;

/// <summary>
/// Queues that speak SQS's JSON protocol (AWS JSON 1.0): requests are signed with the one key (Signature Version 4), a request for messages waits, and what was received is
/// hidden until it is deleted or its time is over.
/// </summary>
internal sealed class SqsDouble : ServiceDouble
{
    public const string Key = "AKIAMILLRACE";
    public const string Secret = "pass-4711";

    private static readonly TimeSpan Hidden = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, List<Kept>> _queues = new(StringComparer.Ordinal);

    public static async Task<SqsDouble> StartAsync(params string[] queues)
    {
        var service = new SqsDouble();
        foreach (var queue in queues) service._queues[queue] = [];
        await service.RunAsync();
        return service;
    }

    protected override void Map(WebApplication app) => app.MapPost("/{**path}", AnswerAsync);

    private async Task AnswerAsync(HttpContext http)
    {
        using var read = new MemoryStream();
        await http.Request.Body.CopyToAsync(read, http.RequestAborted);
        if (Refused(http.Request, read.ToArray()) is { } code)
        {
            await WriteAsync(http, 403, code, Json.Object("__type", $"com.amazon.coral.service#{code}", "message", "The security token included in the request is invalid."));
            return;
        }
        var request = JsonText.Parse(read.ToArray());
        var name = request["QueueName"].StringOrNull ?? new Uri(request["QueueUrl"].AsString()).Segments[^1];
        if (!_queues.TryGetValue(name, out var queue))
        {
            await WriteAsync(http, 400, "AWS.SimpleQueueService.NonExistentQueue", Json.Object("__type", "com.amazonaws.sqs#QueueDoesNotExist", "message", "The specified queue does not exist."));
            return;
        }
        await WriteAsync(http, 200, null, http.Request.Headers["X-Amz-Target"].ToString() switch
        {
            "AmazonSQS.GetQueueUrl" => Json.Object("QueueUrl", $"{Base}000000000000/{name}"),
            "AmazonSQS.SendMessage" => Send(queue, request),
            "AmazonSQS.ReceiveMessage" => await ReceiveAsync(queue, request, http.RequestAborted),
            "AmazonSQS.DeleteMessage" => Delete(queue, request["ReceiptHandle"].AsString()),
            var other => throw new InvalidOperationException(other),
        });
    }

    private static Json Send(List<Kept> queue, Json request)
    {
        var kept = new Kept(Guid.NewGuid().ToString(), request["MessageBody"].AsString(), request["MessageAttributes"].ObjectOrNull ?? JsonObject.Empty);
        lock (queue) queue.Add(kept);
        return Json.Object([new("MessageId", kept.Id), new("MD5OfMessageBody", kept.BodyHash), .. kept.Attributes.Count > 0 ? [KeyValuePair.Create<string, Json>("MD5OfMessageAttributes", kept.AttributesHash)] : Array.Empty<KeyValuePair<string, Json>>()]);
    }

    private static async Task<Json> ReceiveAsync(List<Kept> queue, Json request, CancellationToken left)
    {
        var began = Stopwatch.GetTimestamp();
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        do
        {
            lock (queue)
            {
                if (queue.Find(k => k.HiddenSince is not { } since || Stopwatch.GetElapsedTime(since) > Hidden) is not { } next) continue;
                next.HiddenSince = Stopwatch.GetTimestamp();
                next.Receipt = Guid.NewGuid().ToString();
                return Json.Object("Messages", Json.Array(Json.Object([new("MessageId", next.Id), new("ReceiptHandle", next.Receipt), new("Body", next.Body), new("MD5OfBody", next.BodyHash),
                    new("MessageAttributes", next.Attributes), new("MD5OfMessageAttributes", next.AttributesHash)])));
            }
        }
        while (Stopwatch.GetElapsedTime(began).TotalSeconds < request["WaitTimeSeconds"].AsNumber() && await pulse.WaitForNextTickAsync(left));
        return Json.EmptyObject;
    }

    private static Json Delete(List<Kept> queue, string receipt)
    {
        lock (queue) queue.RemoveAll(k => k.Receipt == receipt);
        return Json.EmptyObject;
    }

    private static async Task WriteAsync(HttpContext http, int status, string? code, Json answer)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/x-amz-json-1.0";
        if (code is not null) http.Response.Headers["x-amzn-query-error"] = $"{code};Sender";
        await http.Response.Body.WriteAsync(JsonText.ToUtf8(answer), http.RequestAborted);
    }

    /// <returns>Why the request's signature is nobody's; null when it is the key's.</returns>
    private static string? Refused(HttpRequest request, byte[] body)
    {
        var parts = request.Headers.Authorization.ToString().Split([' ', ','], StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(p => p.Split('=', 2)).ToDictionary(p => p[0], p => p[1]);
        var scope = parts["Credential"].Split('/');
        if (scope[0] != Key) return "InvalidClientTokenId";
        var headers = string.Concat(parts["SignedHeaders"].Split(';').Select(h => $"{h}:{request.Headers[h].ToString().Trim()}\n"));
        var canonical = $"{request.Method}\n{request.Path}\n\n{headers}\n{parts["SignedHeaders"]}\n{Hex(SHA256.HashData(body))}";
        var text = $"AWS4-HMAC-SHA256\n{request.Headers["X-Amz-Date"]}\n{string.Join('/', scope[1..])}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = scope[1..].Aggregate(Encoding.UTF8.GetBytes($"AWS4{Secret}"), Signed);
        return Hex(Signed(key, text)) == parts["Signature"] ? null : "SignatureDoesNotMatch";
    }

    private static byte[] Signed(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    [SuppressMessage("Security", "CA5351", Justification = "It is what the protocol sends along.")]
    private sealed record Kept(string Id, string Body, JsonObject Attributes)
    {
        public long? HiddenSince { get; set; }

        public string? Receipt { get; set; }

        public string BodyHash => Hex(MD5.HashData(Encoding.UTF8.GetBytes(Body)));

        /// <summary>Of names, types and values, each behind its length, in the order of the names (SQS Developer Guide, message metadata).</summary>
        public string AttributesHash
        {
            get
            {
                using var all = new MemoryStream();
                foreach (var (name, value) in Attributes.OrderBy(a => a.Key, StringComparer.Ordinal))
                {
                    Write(all, name);
                    Write(all, value["DataType"].AsString());
                    all.WriteByte(1);
                    Write(all, value["StringValue"].AsString());
                }
                return Hex(MD5.HashData(all.ToArray()));
            }
        }

        private static void Write(MemoryStream to, string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            to.Write(length);
            to.Write(bytes);
        }
    }
}
