using System.Collections.Concurrent;
using System.Text;
using Millrace.Connectors.Http;
using Millrace.Connectors.Http.Authentication;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.OpenApi;

/// <summary>Reads and keeps parsed documents, apart for each workspace and for each way to authenticate.</summary>
internal sealed class OpenApiDocuments(HttpSender sender, OpenApiSettings settings)
{
    private readonly ConcurrentDictionary<string, (OpenApiDocument Document, DateTimeOffset Until)> _kept = new(StringComparer.Ordinal);

    /// <param name="resource">The task's <c>document</c>.</param>
    /// <exception cref="Refusal">The document cannot be read, or is none.</exception>
    public async Task<OpenApiDocument> FindAsync(Arguments resource, Json? input, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        var (address, policy) = ExternalResource.Locate(resource, input, context, redaction);
        var key = $"{context.Workspace} {policy?.Identity(context.Workspace)} {address.AbsoluteUri}";
        var now = context.Time.GetUtcNow();
        if (_kept.TryGetValue(key, out var kept) && kept.Until > now) return kept.Document;
        var document = await ReadAsync(address, policy, context, redaction, cancel);
        Keep(key, document, now);
        return document;
    }

    private async Task<OpenApiDocument> ReadAsync(Uri address, AuthenticationPolicy? policy, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        var answer = await ExternalResource.FetchAsync(address, policy, sender, context, redaction, cancel);
        var name = redaction.Clean(address);
        if (answer.Content.Length > settings.DocumentBytesMax)
            throw OpenApiDocument.Invalid(name, $"it has {answer.Content.Length} bytes, the limit is {settings.DocumentBytesMax}");
        return OpenApiDocument.Parse(Encoding.UTF8.GetString(answer.Content.Span), answer.Request.Uri, name);
    }

    private void Keep(string key, OpenApiDocument document, DateTimeOffset now)
    {
        _kept[key] = (document, now + settings.DocumentLifetime);
        if (_kept.Count <= settings.DocumentsMax) return;
        foreach (var (other, _) in _kept.OrderBy(k => k.Value.Until).Take(_kept.Count - settings.DocumentsMax))
            _kept.TryRemove(other, out _);
    }
}
