using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Connectors.OpenApi;

/// <summary>A parsed OpenAPI document, version 2 (Swagger) or 3, with its operations by id.</summary>
internal sealed class OpenApiDocument
{
    private const int ReferenceDepthMax = 32;
    private static readonly string[] Methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

    private readonly Json _root;
    private readonly Uri _address;
    private readonly string _name;
    private readonly Dictionary<string, (string Method, string Path)> _operations = new(StringComparer.Ordinal);

    private OpenApiDocument(Json root, Uri address, string name)
    {
        _root = root;
        _address = address;
        _name = name;
    }

    public bool IsVersion2 { get; private init; }

    /// <param name="address">Where it was read; relative servers are relative to it.</param>
    /// <param name="name">How errors name it.</param>
    public static OpenApiDocument Parse(string text, Uri address, string name)
    {
        var root = ParseText(text, name);
        // Without quotes, as many write it, YAML makes it a number.
        var version2 = root["swagger"] is var swagger && (swagger.StringOrNull == "2.0" || swagger.IsNumber && swagger.AsNumber() == 2);
        if (!version2 && root["openapi"].StringOrNull?.StartsWith("3.", StringComparison.Ordinal) != true)
            throw Invalid(name, "it says neither swagger: \"2.0\" nor openapi: \"3.…\"");
        var document = new OpenApiDocument(root, address, name) { IsVersion2 = version2 };
        foreach (var (path, item) in root["paths"].ObjectOrNull ?? JsonObject.Empty)
            foreach (var method in Methods)
                if (document.Resolve(item)[method]["operationId"].StringOrNull is { } id && !document._operations.TryAdd(id, (method, path)))
                    throw Invalid(name, $"the operationId '{id}' stands more than once");
        return document;
    }

    /// <exception cref="Refusal">The document has no such operation.</exception>
    public OpenApiOperation Operation(string id)
    {
        if (!_operations.TryGetValue(id, out var at))
            throw Refusal.Configuration("Operation unknown", $"The OpenAPI document {_name} has no operation '{id}'.{Similar(id)}");
        var item = Resolve(_root["paths"][at.Path]);
        var operation = item[at.Method];
        var parameters = new Dictionary<(string, string), OpenApiParameter>();
        foreach (var declared in (item["parameters"].ArrayOrNull ?? JsonArray.Empty).Concat(operation["parameters"].ArrayOrNull ?? JsonArray.Empty))
        {
            var parameter = OpenApiParameter.Of(Resolve(declared), IsVersion2);
            parameters[(parameter.In, parameter.Name)] = parameter;
        }
        return new OpenApiOperation
        {
            Id = id,
            Method = at.Method,
            Path = at.Path,
            Base = IsVersion2 ? Base2() : Base3(item, operation),
            Parameters = [.. parameters.Values],
            Body = IsVersion2 ? null : OpenApiBody.Of(Resolve(operation["requestBody"])),
            Consumes = IsVersion2 ? Texts(operation.ObjectOrNull!.Has("consumes") ? operation["consumes"] : _root["consumes"]) : [],
        };
    }

    public static Refusal Invalid(string name, string why) => Refusal.Configuration("OpenAPI document invalid", $"The OpenAPI document {name} cannot be used: {why}.");

    private static Json ParseText(string text, string name)
    {
        try
        {
            return text.AsSpan().TrimStart("\uFEFF \t\r\n").StartsWith("{") ? JsonText.Parse(text.TrimStart('\uFEFF')) : YamlText.Parse(text);
        }
        catch (JsonTextException e)
        {
            throw Invalid(name, $"it is no JSON, at line {e.Line}, column {e.Column}");
        }
        catch (YamlTextException e)
        {
            throw Invalid(name, $"it is no YAML, at line {e.Line}, column {e.Column}");
        }
    }

    /// <summary>Follows references within the document (RFC 6901 in a fragment).</summary>
    private Json Resolve(Json value)
    {
        for (var depth = 0; value["$ref"].StringOrNull is { } reference; depth++)
        {
            if (!reference.StartsWith("#/", StringComparison.Ordinal)) throw Invalid(_name, $"the reference '{reference}' leaves the document");
            if (depth == ReferenceDepthMax) throw Invalid(_name, $"the reference '{reference}' leads in a circle");
            value = _root;
            foreach (var token in reference[2..].Split('/'))
                value = value[Pointer.Unescape(Uri.UnescapeDataString(token))];
            if (value.IsNull) throw Invalid(_name, $"the reference '{reference}' names nothing");
        }
        return value;
    }

    private Uri Base2()
    {
        var schemes = Texts(_root["schemes"]);
        // One that was not read by http says nothing by that of how its server is spoken to.
        var own = IsOfServer ? _address.Scheme : "https";
        var scheme = schemes.Contains("https") ? "https" : schemes.Count == 0 || schemes.Contains(own) ? own : schemes[0];
        return Server($"{scheme}://{_root["host"].StringOrNull ?? _address.Authority}{_root["basePath"].StringOrNull}");
    }

    private Uri Base3(Json item, Json operation)
    {
        var server = operation["servers"][0] is { IsNull: false } own ? own : item["servers"][0] is { IsNull: false } shared ? shared : _root["servers"][0];
        var url = server["url"].StringOrNull ?? "/";
        foreach (var (name, variable) in server["variables"].ObjectOrNull ?? JsonObject.Empty)
            url = url.Replace($"{{{name}}}", variable["default"].StringOrNull, StringComparison.Ordinal);
        return Server(url);
    }

    private Uri Server(string text) =>
        Uri.TryCreate(_address, text, out var uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0
            ? uri
            : throw Invalid(_name, IsOfServer ? "its server is no http or https address" : "it has to name its server by a whole http or https address, since it was not read from one");

    private bool IsOfServer => _address.Scheme is "http" or "https";

    private string Similar(string id)
    {
        var near = _operations.Keys.Where(k => k.Contains(id, StringComparison.OrdinalIgnoreCase) || id.Contains(k, StringComparison.OrdinalIgnoreCase)).Take(3).ToArray();
        return near.Length == 0 ? "" : $" It has {string.Join(", ", near)}.";
    }

    private static List<string> Texts(Json list) => [.. (list.ArrayOrNull ?? JsonArray.Empty).Select(t => t.StringOrNull).OfType<string>()];
}
