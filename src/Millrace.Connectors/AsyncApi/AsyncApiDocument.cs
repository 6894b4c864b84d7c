using Millrace.Connectors.OpenApi;
using Millrace.Jq;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Schema;

namespace Millrace.Connectors.AsyncApi;

/// <summary>A parsed AsyncAPI document, version 2 or 3.</summary>
internal sealed class AsyncApiDocument
{
    private const int ReferenceDepthMax = 32;

    private readonly Json _root;
    private readonly string _name;
    private readonly bool _isVersion2;

    private AsyncApiDocument(Json root, string name, bool isVersion2) => (_root, _name, _isVersion2) = (root, name, isVersion2);

    /// <param name="name">How errors name it.</param>
    public static AsyncApiDocument Parse(string text, string name)
    {
        Json root;
        try
        {
            root = text.AsSpan().TrimStart("\uFEFF \t\r\n").StartsWith("{") ? JsonText.Parse(text.TrimStart('\uFEFF')) : YamlText.Parse(text);
        }
        catch (JsonTextException e)
        {
            throw Invalid(name, $"it is no JSON, at line {e.Line}, column {e.Column}");
        }
        catch (YamlTextException e)
        {
            throw Invalid(name, $"it is no YAML, at line {e.Line}, column {e.Column}");
        }
        var version = root["asyncapi"].StringOrNull ?? "";
        return version.StartsWith("2.", StringComparison.Ordinal) || version.StartsWith("3.", StringComparison.Ordinal)
            ? new AsyncApiDocument(root, name, version[0] == '2') : throw Invalid(name, "it says neither asyncapi: 2.… nor asyncapi: 3.…");
    }

    public static Refusal Invalid(string name, string why) => Refusal.Configuration("AsyncAPI document invalid", $"The AsyncAPI document {name} cannot be used: {why}.");

    /// <param name="publishes">Whether the call sends a message; version 2 has an operation for either way.</param>
    public AsyncApiOperation Find(string? channel, string? operation, bool publishes)
    {
        if (_isVersion2 != channel is not null)
            throw Refusal.Configuration("Argument invalid", $"The AsyncAPI document {_name} is of version {(_isVersion2 ? "2: its operations are named by 'channel'" : "3: its operations are named by 'operation'")}.");
        return _isVersion2 ? Version2(channel!, publishes) : Version3(operation!);
    }

    private AsyncApiOperation Version2(string channel, bool publishes)
    {
        var item = Resolve(Member(_root["channels"], channel, "channel"));
        var operation = Resolve(item[publishes ? "publish" : "subscribe"]);
        if (!operation.IsObject) throw Refusal.Configuration("Operation unknown", $"The channel '{channel}' of {_name} has nothing to {(publishes ? "publish" : "subscribe to")}.");
        var message = Resolve(operation["message"]);
        var messages = message["oneOf"].ArrayOrNull is { } several ? several.Select(Resolve).ToList() : message.IsObject ? [message] : [];
        var servers = (item["servers"].ArrayOrNull ?? JsonArray.Empty).Select(s => s.StringOrNull ?? "").ToList();
        return new(Expanded(channel, item["parameters"]), Servers(servers), messages, Resolve(item["bindings"]), Resolve(operation["bindings"]));
    }

    private AsyncApiOperation Version3(string operation)
    {
        var found = Resolve(Member(_root["operations"], operation, "operation"));
        var channel = Resolve(found["channel"]);
        var listed = found["messages"].ArrayOrNull is { } own ? own.ToList() : (channel["messages"].ObjectOrNull ?? JsonObject.Empty).Select(m => m.Value).ToList();
        var servers = (channel["servers"].ArrayOrNull ?? JsonArray.Empty).Select(s => (s["$ref"].StringOrNull ?? "").Split('/')[^1]).ToList();
        var address = channel["address"].StringOrNull ?? throw Invalid(_name, $"the channel of '{operation}' has no address");
        return new(Expanded(address, channel["parameters"]), Servers(servers), [.. listed.Select(Resolve)], Resolve(channel["bindings"]), Resolve(found["bindings"]));
    }

    private List<KeyValuePair<string, Json>> Servers(List<string> names) =>
        [.. (_root["servers"].ObjectOrNull ?? JsonObject.Empty).Where(s => names.Count == 0 || names.Contains(s.Key)).Select(s => KeyValuePair.Create(s.Key, Resolve(s.Value)))];

    private Json Member(Json of, string name, string noun) => of.ObjectOrNull is { } all && all.TryGet(name, out var found) ? found
        : throw Refusal.Configuration("Operation unknown", $"The AsyncAPI document {_name} has no {noun} '{name}'; it has {string.Join(", ", (of.ObjectOrNull ?? JsonObject.Empty).Select(m => m.Key).Take(20))}.");

    private string Expanded(string address, Json parameters)
    {
        foreach (var (name, parameter) in parameters.ObjectOrNull ?? JsonObject.Empty)
        {
            var resolved = Resolve(parameter);
            if ((resolved["default"].StringOrNull ?? resolved["schema"]["default"].StringOrNull) is { } value) address = address.Replace($"{{{name}}}", value, StringComparison.Ordinal);
        }
        return address.Contains('{', StringComparison.Ordinal) ? throw Invalid(_name, $"the address '{address}' has a parameter without a default, and a call has no place to give one") : address;
    }

    /// <summary>Follows references within the document (RFC 6901 in a fragment).</summary>
    public Json Resolve(Json value)
    {
        for (var depth = 0; value["$ref"].StringOrNull is { } reference; depth++)
        {
            if (!reference.StartsWith("#/", StringComparison.Ordinal)) throw Invalid(_name, $"the reference '{reference}' leaves the document");
            if (depth == ReferenceDepthMax) throw Invalid(_name, $"the reference '{reference}' leads in a circle");
            value = _root;
            foreach (var token in reference[2..].Split('/')) value = value[Pointer.Unescape(Uri.UnescapeDataString(token))];
            if (value.IsNull) throw Invalid(_name, $"the reference '{reference}' names nothing");
        }
        return value;
    }

    /// <summary>The schema of a message's payload; null when it has none.</summary>
    public JsonSchema? PayloadSchema(Json message)
    {
        var (schema, format) = (message["payload"], message["schemaFormat"].StringOrNull);
        if (schema["schemaFormat"].StringOrNull is { } own) (schema, format) = (schema["schema"], own);
        if (schema.IsNull) return null;
        if (format is not null && !format.StartsWith("application/vnd.aai.asyncapi", StringComparison.Ordinal) && !format.StartsWith("application/schema+", StringComparison.Ordinal))
            throw Invalid(_name, $"a message's schema is of the format '{format}'; those of AsyncAPI and JSON Schema are known");
        try
        {
            // What the schema refers to is found from its own root.
            return JsonSchema.Compile(Json.Object([new("allOf", Json.Array(schema)), new("components", _root["components"]), new("channels", _root["channels"])]));
        }
        catch (JsonSchemaException e)
        {
            throw Invalid(_name, $"a message's payload has no JSON Schema: {e.Message}");
        }
    }

    public string ContentTypeOf(Json message) => message["contentType"].StringOrNull ?? _root["defaultContentType"].StringOrNull ?? "application/json";
}

/// <param name="Messages">Those it may be; none stands for any.</param>
internal sealed record AsyncApiOperation(string Address, IReadOnlyList<KeyValuePair<string, Json>> Servers, IReadOnlyList<Json> Messages, Json ChannelBindings, Json Bindings)
{
    /// <param name="name">Null: the first one that speaks <paramref name="protocol"/>, or one of <paramref name="spoken"/>.</param>
    public (string Protocol, Uri Address) Server(string? name, string? protocol, JsonObject variables, ICollection<string> spoken)
    {
        var server = Servers.FirstOrDefault(s => name is not null ? s.Key == name : protocol is not null ? Of(s.Value) == protocol : spoken.Contains(Of(s.Value)));
        if (server.Key is null && name is null && protocol is not null) server = Servers.FirstOrDefault(s => Speaks(s.Value, protocol));
        if (server.Key is null)
            throw Refusal.Configuration("Server unknown", Servers.Count == 0 ? "The AsyncAPI document has no server for the operation."
                : $"The operation has no server {(name is not null ? $"'{name}'" : protocol is not null ? $"with the protocol '{protocol}'" : "with a protocol that is spoken here")}; it has {string.Join(", ", Servers.Select(s => $"{s.Key} ({Of(s.Value)})"))}.");
        // A server that does not say which version it is speaks the one that the task asks for.
        var spokenBy = protocol == "mqtt5" && server.Value["protocolVersion"].IsNull ? protocol : Of(server.Value);
        if (!spoken.Contains(spokenBy))
            throw Refusal.Configuration("Protocol unsupported", $"The server '{server.Key}' speaks {spokenBy}; spoken here are {string.Join(", ", spoken)}.");
        var text = server.Value["url"].StringOrNull ?? $"{server.Value["host"].StringOrNull}{server.Value["pathname"].StringOrNull}";
        foreach (var (variable, declared) in server.Value["variables"].ObjectOrNull ?? JsonObject.Empty)
            text = text.Replace($"{{{variable}}}", variables.TryGet(variable, out var given) && Arguments.TryScalarText(given, out var value) ? value : declared["default"].StringOrNull, StringComparison.Ordinal);
        if (!text.Contains("://", StringComparison.Ordinal)) text = $"{SchemeOf(server.Value)}://{text}";
        return Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Host.Length > 0 && address.UserInfo.Length == 0 ? (spokenBy, address)
            : throw Refusal.Configuration("Server invalid", $"The address of the server '{server.Key}' is no URI with a host, or holds credentials.");
    }

    private static string SchemeOf(Json server) => server["protocol"].StringOrNull switch
    {
        "mqtt5" => "mqtt",
        "secure-mqtt" => "mqtts",
        var other => other ?? "",
    };

    private static string Of(Json server) => (server["protocol"].StringOrNull ?? "") switch
    {
        "mqtt" or "mqtts" or "secure-mqtt" when server["protocolVersion"].ToString().Trim('"').StartsWith('5') => "mqtt5",
        var other => other,
    };

    private static bool Speaks(Json server, string protocol) =>
        Of(server) == protocol || Of(server) == $"{protocol}s" || Of(server) == $"{protocol}-secure" || protocol is "mqtt" or "mqtt5" && server["protocol"].StringOrNull is "mqtt" or "mqtts" or "secure-mqtt" or "mqtt5";
}
