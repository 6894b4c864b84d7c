using Millrace.Connectors.Http.Authentication;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Http;

/// <summary>Reads a resource that a task names by <c>{name?, endpoint}</c> (dsl-reference.md, External Resource): by http or https, of those that the workspace keeps (<c>resource:///name</c>), or where that is allowed a file.</summary>
internal static class ExternalResource
{
    /// <summary>The endpoint with its URI template expanded, and how to authenticate there.</summary>
    /// <param name="files">Whether it may be a file of this machine; null: it is no document, but a place that is spoken to.</param>
    public static (Uri Address, AuthenticationPolicy? Policy) Locate(Arguments resource, Json? input, FunctionContext context, Redaction redaction, bool? files = null)
    {
        if (resource["endpoint"].StringOrNull is { } text)
        {
            var pointer = resource.PointerTo("endpoint");
            return (HttpAddress.Parse(UriTemplate.Expand(text, input, pointer), pointer, files), null);
        }
        var endpoint = resource.Member("endpoint");
        var uri = UriTemplate.Expand(endpoint.Text("uri"), input, endpoint.PointerTo("uri"));
        var policy = endpoint.MemberOrNull("authentication") is { } authentication ? AuthenticationPolicy.Read(authentication, input, context, redaction) : null;
        return (HttpAddress.Parse(uri, endpoint.PointerTo("uri"), files), policy);
    }

    /// <exception cref="Refusal">It cannot be read: a communication error, or an authentication error.</exception>
    public static Task<HttpAnswer> FetchAsync(Uri address, AuthenticationPolicy? policy, HttpSender sender, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        var call = new HttpCall
        {
            Method = HttpMethod.Get,
            Uri = address,
            Headers = [new("Accept", "application/json, application/yaml, text/*;q=0.9, */*;q=0.8"), new("User-Agent", "Millrace")],
            Redirect = true,
        };
        if (ResourceAddress.Is(address)) return StoredAsync(call, sender.Stored, context, cancel);
        if (address.IsFile) return ReadAsync(call, sender.Settings, cancel);
        return sender.SendAsync(call, policy, context, redaction, cancel);
    }

    private static async Task<HttpAnswer> StoredAsync(HttpCall call, StoredResources? stored, FunctionContext context, CancellationToken cancel)
    {
        var name = ResourceAddress.NameOf(call.Uri);
        if (stored is null) throw Refusal.Configuration("Resource not found", $"No resources are kept here, so there is no '{name}'.");
        return await stored(context.Organisation, context.Workspace, name, cancel) is { } content
            ? new HttpAnswer { Request = call, Status = 200, Reason = "OK", Headers = [], Content = content }
            : throw Refusal.Configuration("Resource not found", $"The workspace keeps no resource '{name}'.");
    }

    private static async Task<HttpAnswer> ReadAsync(HttpCall call, HttpSettings settings, CancellationToken cancel)
    {
        try
        {
            var content = await LocalFile.ReadAsync(call.Uri, (int)settings.ResponseBytesMax, cancel);
            if (content.Length <= settings.ResponseBytesMax) return new HttpAnswer { Request = call, Status = 200, Reason = "OK", Headers = [], Content = content };
            throw Refusal.Configuration("Resource too large", $"{call.Uri} has more than {settings.ResponseBytesMax} bytes.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refusal.Configuration("Resource not found", $"{call.Uri}: {LocalFile.Why(e)}");
        }
    }
}
