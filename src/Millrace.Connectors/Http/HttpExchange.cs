namespace Millrace.Connectors.Http;

/// <summary>An answer whose content is read while it comes; disposing it ends the request.</summary>
/// <param name="head">Status and headers; content only when it is no success, cut.</param>
internal sealed class HttpExchange(HttpAnswer head, HttpResponseMessage response, Stream body) : IDisposable
{
    public HttpAnswer Head => head;

    public Stream Body => body;

    public string? Header(string name) =>
        head.Headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    public void Dispose() => response.Dispose();
}
