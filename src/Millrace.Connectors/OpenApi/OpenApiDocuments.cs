using System.Text;
using Millrace.Connectors.Http;
using Millrace.Connectors.Http.Authentication;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.OpenApi;

/// <summary>Reads and keeps parsed documents.</summary>
internal sealed class OpenApiDocuments(HttpSender sender, OpenApiSettings settings)
{
    private readonly KeptResources<OpenApiDocument> _kept = new(settings.DocumentsMax, settings.DocumentLifetime);

    /// <param name="resource">The task's <c>document</c>.</param>
    /// <exception cref="Refusal">The document cannot be read, or is none.</exception>
    public Task<OpenApiDocument> FindAsync(Arguments resource, Json? input, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        var (address, policy) = ExternalResource.Locate(resource, input, context, redaction, sender.ReadsFiles);
        return _kept.FindAsync(address, policy, context, () => ReadAsync(address, policy, context, redaction, cancel));
    }

    private async Task<OpenApiDocument> ReadAsync(Uri address, AuthenticationPolicy? policy, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        var answer = await ExternalResource.FetchAsync(address, policy, sender, context, redaction, cancel);
        var name = redaction.Clean(address);
        if (answer.Content.Length > settings.DocumentBytesMax)
            throw OpenApiDocument.Invalid(name, $"it has {answer.Content.Length} bytes, the limit is {settings.DocumentBytesMax}");
        return OpenApiDocument.Parse(Encoding.UTF8.GetString(answer.Content.Span), answer.Request.Uri, name);
    }
}
