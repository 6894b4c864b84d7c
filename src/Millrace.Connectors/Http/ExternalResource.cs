using Millrace.Connectors.Http.Authentication;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Http;

/// <summary>Reads a resource that a task names by <c>{name?, endpoint}</c> (dsl-reference.md, External Resource), by http or https.</summary>
internal static class ExternalResource
{
    /// <summary>The endpoint with its URI template expanded, and how to authenticate there.</summary>
    public static (Uri Address, AuthenticationPolicy? Policy) Locate(Arguments resource, Json? input, FunctionContext context, Redaction redaction)
    {
        if (resource["endpoint"].StringOrNull is { } text)
        {
            var pointer = resource.PointerTo("endpoint");
            return (HttpAddress.Parse(UriTemplate.Expand(text, input, pointer), pointer), null);
        }
        var endpoint = resource.Member("endpoint");
        var uri = UriTemplate.Expand(endpoint.Text("uri"), input, endpoint.PointerTo("uri"));
        var policy = endpoint.MemberOrNull("authentication") is { } authentication ? AuthenticationPolicy.Read(authentication, input, context, redaction) : null;
        return (HttpAddress.Parse(uri, endpoint.PointerTo("uri")), policy);
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
        return sender.SendAsync(call, policy, context, redaction, cancel);
    }
}
