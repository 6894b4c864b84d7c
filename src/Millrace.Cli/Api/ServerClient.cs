using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Millrace.Jq;

namespace Millrace.Cli.Api;

/// <summary>The HTTP API (docs/http.md). Refusals are <see cref="RefusedException"/>, no answer is <see cref="UnreachableException"/>.</summary>
internal sealed class ServerClient(HttpClient http) : IDisposable
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(100);

    public Uri Address => http.BaseAddress!;

    public void Dispose() => http.Dispose();

    public async Task<Json> GetAsync(string path, CancellationToken cancel) =>
        (await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancel)).Body;

    public async Task<Json> PatchAsync(string path, Json body, CancellationToken cancel) => (await SendAsync(With(HttpMethod.Patch, path, body), cancel)).Body;

    public Task<(int Status, Json Body)> PostAsync(string path, Json body, string? idempotencyKey, CancellationToken cancel, string type = "application/json") =>
        SendAsync(HttpMethod.Post, path, body, idempotencyKey, cancel, type);

    public async Task DeleteAsync(string path, CancellationToken cancel) => await SendAsync(new HttpRequestMessage(HttpMethod.Delete, path), cancel);

    public Task<(int Status, Json Body)> PutAsync(string path, Json body, CancellationToken cancel) => SendAsync(HttpMethod.Put, path, body, null, cancel);

    private async Task<(int Status, Json Body)> SendAsync(HttpMethod method, string path, Json body, string? idempotencyKey, CancellationToken cancel, string type = "application/json")
    {
        var request = With(method, path, body, type);
        if (idempotencyKey is not null) request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey);
        return await SendAsync(request, cancel);
    }

    /// <summary>Sends a definition's text as it is.</summary>
    public async Task<(int Status, Json Body)> PostDocumentAsync(string path, string text, CancellationToken cancel) =>
        await SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(text, Encoding.UTF8, "application/yaml") }, cancel);

    /// <summary>Puts a text as it is.</summary>
    public async Task<(int Status, Json Body)> PutTextAsync(string path, string text, string type, CancellationToken cancel) =>
        await SendAsync(new HttpRequestMessage(HttpMethod.Put, path) { Content = new StringContent(text, Encoding.UTF8, type) }, cancel);

    public async Task<byte[]> BytesAsync(string path, CancellationToken cancel)
    {
        using var answer = await AnswerAsync(new HttpRequestMessage(HttpMethod.Get, path), HttpCompletionOption.ResponseContentRead, cancel);
        return await answer.Content.ReadAsByteArrayAsync(cancel);
    }

    /// <summary>Sends content to where the server says, which is not the server itself.</summary>
    /// <returns>The content's name, for the request that uses it.</returns>
    public async Task<Json> UploadAsync(byte[] content, CancellationToken cancel)
    {
        Json name = JsonObject.Empty.With("sha256", Convert.ToHexStringLower(SHA256.HashData(content))).With("size", content.LongLength);
        var (_, offer) = await PostAsync("api/v1/uploads", name, null, cancel);
        var request = new HttpRequestMessage(new HttpMethod(offer["method"].AsString()), new Uri(offer["href"].AsString())) { Content = new ByteArrayContent(content) };
        using var answer = await AnswerAsync(request, HttpCompletionOption.ResponseContentRead, cancel);
        return name;
    }

    /// <summary>A text line by line, as it comes.</summary>
    public async IAsyncEnumerable<string> LinesAsync(string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        using var answer = await AnswerAsync(new HttpRequestMessage(HttpMethod.Get, path), HttpCompletionOption.ResponseHeadersRead, cancel);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancel));
        while (await reader.ReadLineAsync(cancel) is { } line) yield return line;
    }

    /// <summary>All items of a list, page by page, at most <paramref name="itemsMax"/>.</summary>
    public async Task<List<Json>> ListAsync(string path, int itemsMax, CancellationToken cancel)
    {
        var items = new List<Json>();
        var separator = path.Contains('?') ? '&' : '?';
        string? cursor = null;
        do
        {
            var page = await GetAsync($"{path}{separator}limit={Math.Clamp(itemsMax - items.Count, 1, 200)}{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}", cancel);
            items.AddRange(page["items"].ArrayOrNull ?? JsonArray.Empty);
            cursor = page["next"].StringOrNull;
        }
        while (cursor is not null && items.Count < itemsMax);
        return items;
    }

    /// <summary>Opens a stream of Server-Sent Events; the caller disposes the answer.</summary>
    public async Task<HttpResponseMessage> OpenStreamAsync(string path, long? lastEventId, CancellationToken cancel)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastEventId is { } id) request.Headers.TryAddWithoutValidation("Last-Event-ID", id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return await AnswerAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
    }

    /// <summary>Never the whole address: that of an upload holds a signature.</summary>
    private Uri Host(HttpRequestMessage request) => request.RequestUri is { IsAbsoluteUri: true } there && there.Authority != Address.Authority ? new Uri(there.GetLeftPart(UriPartial.Authority)) : Address;

    private static HttpRequestMessage With(HttpMethod method, string path, Json body, string type = "application/json")
    {
        var request = new HttpRequestMessage(method, path) { Content = new ByteArrayContent(JsonText.ToUtf8(body)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return request;
    }

    private async Task<(int Status, Json Body)> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        using var answer = await AnswerAsync(request, HttpCompletionOption.ResponseContentRead, cancel);
        var bytes = await answer.Content.ReadAsByteArrayAsync(cancel);
        try
        {
            return ((int)answer.StatusCode, bytes.Length == 0 ? Json.Null : JsonText.Parse(bytes));
        }
        catch (JsonTextException)
        {
            throw new RefusedException(Problem.Parse((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType, bytes));
        }
    }

    private async Task<HttpResponseMessage> AnswerAsync(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(AnswerTimeout);
        HttpResponseMessage answer;
        try
        {
            answer = await http.SendAsync(request, completion, limit.Token);
        }
        catch (HttpRequestException e)
        {
            throw new UnreachableException(Host(request), e.InnerException?.Message ?? e.Message);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new UnreachableException(Host(request), $"no answer within {AnswerTimeout.TotalSeconds:0} s.");
        }
        if (answer.IsSuccessStatusCode) return answer;
        using (answer)
        {
            var body = await answer.Content.ReadAsByteArrayAsync(cancel);
            throw new RefusedException(Problem.Parse((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType, body));
        }
    }
}
