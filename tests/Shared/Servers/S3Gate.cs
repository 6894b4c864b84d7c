using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Millrace.Storage.Blobs;

namespace Millrace.Tests.Servers;

/// <summary>
/// Stands before an <see cref="S3Server"/> and does what that leaves out: verifies signatures and checksums, aborts uploads.
/// It writes down every request, and lets a test refuse or cut off some.
/// </summary>
public sealed class S3Gate : IAsyncLifetime
{
    private const string UpstreamKey = $"AWS4-HMAC-SHA256 Credential={S3Server.Key}/20300101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

    private readonly HttpClient _upstream = new();
    private readonly SemaphoreSlim _uploads = new(1);
    private S3Server _server = null!;
    private WebApplication _front = null!;

    public string AccessKey { get; } = Convert.ToHexString(RandomNumberGenerator.GetBytes(10));
    public string SecretKey { get; } = Convert.ToHexString(RandomNumberGenerator.GetBytes(20));
    public Uri Address { get; private set; } = null!;

    /// <summary>Method and target of everything that came.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>Happens first when a request comes.</summary>
    public Func<string, Task> Before { get; set; } = _ => Task.CompletedTask;

    /// <summary>Refuses a request with a status, before anything is done.</summary>
    public Func<string, int?> Refuse { get; set; } = _ => null;

    /// <summary>Cuts the connection when so many bytes of the answer were sent.</summary>
    public Func<string, long?> CutAfter { get; set; } = _ => null;

    public IEnumerable<string> Uploads => Directory.Exists(_server.UploadsFolder) ? Directory.EnumerateDirectories(_server.UploadsFolder) : [];

    public async ValueTask InitializeAsync()
    {
        _server = await S3Server.StartAsync();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(k => k.Limits.MaxRequestBodySize = null);
        _front = builder.Build();
        _front.Run(AnswerAsync);
        await _front.StartAsync();
        Address = new Uri(_front.Urls.Single());
    }

    public async ValueTask DisposeAsync()
    {
        await _front.DisposeAsync();
        await _server.DisposeAsync();
        _upstream.Dispose();
        _uploads.Dispose();
    }

    /// <summary>A store under a prefix of its own, and a gate that lets everything pass.</summary>
    public S3Options NewOptions() => S3Options.Parse(NewPlace(), AccessKey, SecretKey);

    /// <summary>The same as the setting of a server.</summary>
    public string NewPlace()
    {
        (Before, Refuse, CutAfter) = (_ => Task.CompletedTask, _ => null, _ => null);
        Requests.Clear();
        return $"s3://{S3Server.Bucket}/{Guid.NewGuid():N}/a b?endpoint={Address}&region=eu-test-1&pathStyle=true";
    }

    /// <summary>Puts an object behind the store's back.</summary>
    public async Task OverwriteAsync(string key, byte[] content)
    {
        using var request = Upstream(HttpMethod.Put, $"/{S3Server.Bucket}/{Uri.EscapeDataString(key)}");
        request.Content = new ByteArrayContent(content);
        using var response = await _upstream.SendAsync(request);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Everything that is under a prefix.</summary>
    public async Task<IReadOnlyList<string>> KeysAsync(string prefix)
    {
        using var request = Upstream(HttpMethod.Get, $"/{S3Server.Bucket}?list-type=2&prefix={Uri.EscapeDataString(prefix)}");
        using var response = await _upstream.SendAsync(request);
        var text = await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
        return [.. System.Xml.Linq.XDocument.Parse(text).Descendants().Where(e => e.Name.LocalName == "Key").Select(e => e.Value)];
    }

    private HttpRequestMessage Upstream(HttpMethod method, string target)
    {
        var request = new HttpRequestMessage(method, new Uri(_server.Address, target));
        request.Headers.TryAddWithoutValidation("Authorization", UpstreamKey);
        request.Headers.TryAddWithoutValidation("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        request.Headers.TryAddWithoutValidation("x-amz-date", TimeProvider.System.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture));
        return request;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var target = $"{context.Request.Method} {S3Signature.RawTarget(context.Request)}";
        Requests.Enqueue(target);
        await Before(target);
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        if (Refuse(target) is { } status) await ErrorAsync(context, status, "InternalError");
        else if (S3Signature.Refusal(context.Request, AccessKey, SecretKey) is { } refusal) await ErrorAsync(context, 403, refusal);
        else if (IsOtherThanSaid(context.Request, body.ToArray())) await ErrorAsync(context, 400, "XAmzContentSHA256Mismatch");
        else if (context.Request.Query["uploadId"] is [{ } upload]) await UploadAsync(context, upload, body.ToArray(), CutAfter(target));
        else await ForwardAsync(context, body.ToArray(), CutAfter(target));
    }

    private static bool IsOtherThanSaid(HttpRequest request, byte[] body)
    {
        var hash = SHA256.HashData(body);
        var said = request.Headers["x-amz-content-sha256"].ToString();
        var checksum = request.Query["x-amz-checksum-sha256"].ToString();
        return (said.Length > 0 && said != Convert.ToHexStringLower(hash)) || (checksum.Length > 0 && checksum != Convert.ToBase64String(hash));
    }

    /// <summary>One request on uploads after the other, so that no part comes after the end.</summary>
    private async Task UploadAsync(HttpContext context, string upload, byte[] body, long? cutAfter)
    {
        await _uploads.WaitAsync();
        try
        {
            var folder = Path.Combine(_server.UploadsFolder, upload);
            if (!Directory.Exists(folder))
            {
                await ErrorAsync(context, 404, "NoSuchUpload");
            }
            else if (context.Request.Method == "DELETE")
            {
                Directory.Delete(folder, recursive: true);
                context.Response.StatusCode = 204;
            }
            else
            {
                await ForwardAsync(context, body, cutAfter);
            }
        }
        finally
        {
            _uploads.Release();
        }
    }

    private async Task ForwardAsync(HttpContext context, byte[] body, long? cutAfter)
    {
        var parameters = S3Signature.Parameters(context.Request).Where(p => !p.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase));
        using var request = Upstream(new HttpMethod(context.Request.Method), $"{S3Signature.RawTarget(context.Request).Split('?')[0]}?{string.Join('&', parameters)}");
        if (body.Length > 0 || context.Request.Method is "PUT" or "POST") request.Content = new ByteArrayContent(body);
        foreach (var name in new[] { "Range", "If-Match" })
            if (context.Request.Headers[name] is [{ } value]) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _upstream.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        context.Response.StatusCode = (int)response.StatusCode;
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers).Where(h => h.Key is not ("Transfer-Encoding" or "Connection" or "Keep-Alive")))
            context.Response.Headers[name] = values.ToArray();
        if (context.Request.Method == "HEAD") return;
        var answer = await response.Content.ReadAsByteArrayAsync();
        await context.Response.Body.WriteAsync(cutAfter is { } cut && cut < answer.Length ? answer.AsMemory(0, (int)cut) : answer);
        if (cutAfter < answer.Length)
        {
            await context.Response.Body.FlushAsync();
            context.Abort();
        }
    }

    private static async Task ErrorAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/xml";
        if (context.Request.Method != "HEAD") await context.Response.WriteAsync($"<Error><Code>{code}</Code><Message>Refused.</Message></Error>");
    }
}
