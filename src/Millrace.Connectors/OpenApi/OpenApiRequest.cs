using Millrace.Connectors.Http;
using Millrace.Jq;

namespace Millrace.Connectors.OpenApi;

/// <summary>Puts the task's parameters where the operation wants them (OpenAPI 3.1, Parameter Object; 2.0, Parameter Object).</summary>
internal static class OpenApiRequest
{
    private const string BodyName = "body";

    /// <exception cref="Refusal">A required parameter is missing, or one is given that the operation does not have.</exception>
    public static HttpCall Build(OpenApiOperation operation, JsonObject given)
    {
        Check(operation, given);
        var path = operation.Path;
        var query = new List<string>();
        var headers = new JsonObject.Builder();
        var cookies = new List<string>();
        var form = new JsonObject.Builder();
        foreach (var parameter in operation.Parameters)
        {
            if (!given.TryGet(parameter.Name, out var value) || value.IsNull) continue;
            switch (parameter.In)
            {
                case "path":
                    path = path.Replace($"{{{parameter.Name}}}", PathText(parameter, value), StringComparison.Ordinal);
                    break;
                case "query":
                    query.AddRange(Pairs(parameter, value));
                    break;
                case "cookie":
                    cookies.AddRange(Pairs(parameter, value));
                    break;
                case "header":
                    headers.Set(parameter.Name, string.Join(',', Texts(parameter, value)));
                    break;
                case "formData":
                    form.Set(parameter.Name, parameter.Separator is { } separator && value.IsArray ? string.Join(separator, Texts(parameter, value)) : value);
                    break;
            }
        }
        if (cookies.Count > 0) headers.Set("Cookie", string.Join("; ", cookies));
        var call = new HttpCall
        {
            Method = HttpMethod.Parse(operation.Method.ToUpperInvariant()),
            Uri = HttpRequestReader.WithQuery(new Uri(operation.Base.AbsoluteUri.TrimEnd('/') + path), string.Join('&', query)),
            Headers = HttpRequestReader.HeadersOf(headers.Build(), "/parameters"),
        };
        return WithBody(call, operation, given, form.Build());
    }

    private static HttpCall WithBody(HttpCall call, OpenApiOperation operation, JsonObject given, JsonObject form)
    {
        if (form.Count > 0)
        {
            var multipart = operation.Consumes.Contains(HttpBody.Multipart) && !operation.Consumes.Contains(HttpBody.Form);
            return HttpRequestReader.WithBody(call.With("Content-Type", multipart ? HttpBody.Multipart : HttpBody.Form), form, "/parameters");
        }
        var name = operation.Parameters.FirstOrDefault(p => p.In == "body")?.Name ?? (operation.Body is null ? null : BodyName);
        if (name is null || !given.TryGet(name, out var body)) return call;
        return HttpRequestReader.WithBody(call.With("Content-Type", operation.Body?.MediaType ?? OpenApiBody.Preferred(operation.Consumes)), body, $"/parameters/{name}");
    }

    private static void Check(OpenApiOperation operation, JsonObject given)
    {
        foreach (var parameter in operation.Parameters)
            if (parameter.Required && (!given.TryGet(parameter.Name, out var value) || value.IsNull)) throw Missing(operation, parameter.Name, parameter.In);
        if (operation.Body?.Required == true && !given.Has(BodyName)) throw Missing(operation, BodyName, "body");
        var names = operation.Parameters.Select(p => p.Name).Concat(operation.Body is null ? [] : [BodyName]).Distinct().ToArray();
        foreach (var (name, _) in given)
            if (!names.Contains(name, StringComparer.Ordinal))
                throw Refusal.Configuration("Parameter unknown",
                    $"The operation '{operation.Id}' has no parameter '{name}'; it has {(names.Length == 0 ? "none" : string.Join(", ", names))}.");
    }

    private static Refusal Missing(OpenApiOperation operation, string name, string place) =>
        Refusal.Configuration("Parameter missing", $"The operation '{operation.Id}' requires the parameter '{name}' ({place}).");

    private static string PathText(OpenApiParameter parameter, Json value) =>
        string.Join(',', Texts(parameter, value).Select(Uri.EscapeDataString));

    private static IEnumerable<string> Pairs(OpenApiParameter parameter, Json value)
    {
        var name = Uri.EscapeDataString(parameter.Name);
        if (value.ObjectOrNull is { } members && (parameter.DeepObject || parameter.Separator is null))
            return members.Select(m => $"{(parameter.DeepObject ? $"{name}[{Uri.EscapeDataString(m.Key)}]" : Uri.EscapeDataString(m.Key))}={Escaped(parameter, m.Value)}");
        var texts = Texts(parameter, value).Select(Uri.EscapeDataString);
        return parameter.Separator is { } separator
            ? [$"{name}={string.Join(separator == "," ? "," : Uri.EscapeDataString(separator), texts)}"]
            : texts.Select(t => $"{name}={t}");
    }

    /// <summary>The items of a list; names and values of an object in turn; or the one value.</summary>
    private static IEnumerable<string> Texts(OpenApiParameter parameter, Json value) => value.Kind switch
    {
        JsonKind.Array => value.AsArray().Select(item => Text(parameter, item)),
        JsonKind.Object => value.AsObject().SelectMany(m => new[] { m.Key, Text(parameter, m.Value) }),
        _ => [Text(parameter, value)],
    };

    private static string Escaped(OpenApiParameter parameter, Json value) => Uri.EscapeDataString(Text(parameter, value));

    private static string Text(OpenApiParameter parameter, Json value) =>
        Arguments.TryScalarText(value, out var text) ? text : throw Arguments.Wrong($"/parameters/{parameter.Name}", "a value without lists or objects inside it", value);
}
