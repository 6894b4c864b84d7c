using System.Buffers;
using Millrace.Jq;

namespace Millrace.Connectors.Http;

/// <summary>Reads method, headers, query and body from arguments into a call.</summary>
internal static class HttpRequestReader
{
    private const string Token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<char> TokenChars = SearchValues.Create(Token);
    private static readonly string[] OwnHeaders = ["Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "Trailer", "TE"];

    public static HttpOutput OutputFormat(Arguments arguments) => arguments.Choice("output", "content", "raw", "content", "response") switch
    {
        "raw" => HttpOutput.Raw,
        "response" => HttpOutput.Response,
        _ => HttpOutput.Content,
    };

    public static HttpCall Read(Arguments arguments, Uri address, string idempotencyKey)
    {
        var method = arguments.Text("method").ToUpperInvariant();
        if (!IsToken(method) || method == "CONNECT") throw arguments.Invalid("method", "has to be an HTTP method such as GET or POST.");
        var call = new HttpCall
        {
            Method = HttpMethod.Parse(method),
            Uri = WithQuery(address, HttpBody.FormText(arguments.MapOrEmpty("query"), "/query")),
            Headers = HeadersOf(arguments.MapOrEmpty("headers"), "/headers"),
            Redirect = arguments.Flag("redirect"),
        };
        return Complete(WithBody(call, arguments["body"], "/body"), idempotencyKey);
    }

    /// <summary>Adds the headers every call carries unless the author sets them.</summary>
    public static HttpCall Complete(HttpCall call, string idempotencyKey)
    {
        if (!call.HasHeader("Accept")) call = call.With("Accept", "application/json, text/*;q=0.9, */*;q=0.8");
        if (!call.HasHeader("User-Agent")) call = call.With("User-Agent", "Millrace");
        var safe = call.Method.Method is "GET" or "HEAD" or "OPTIONS" or "TRACE";
        return safe || call.HasHeader("Idempotency-Key") ? call : call.With("Idempotency-Key", idempotencyKey);
    }

    public static HttpCall WithBody(HttpCall call, Json body, string pointer)
    {
        if (body.IsNull) return call;
        var given = call.Headers.FirstOrDefault(h => h.Key.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)).Value;
        var (bytes, contentType) = HttpBody.Encode(body, given, pointer);
        return call.Without("Content-Type").With("Content-Type", contentType) with { Body = bytes };
    }

    public static Uri WithQuery(Uri address, string query) =>
        query.Length == 0 ? address : new UriBuilder(address) { Query = address.Query.Length > 1 ? $"{address.Query[1..]}&{query}" : query }.Uri;

    public static List<KeyValuePair<string, string>> HeadersOf(JsonObject headers, string pointer)
    {
        var list = new List<KeyValuePair<string, string>>();
        foreach (var (name, value) in headers)
        {
            if (!IsToken(name)) throw Refusal.Configuration("Argument invalid", $"The argument {pointer} has a header whose name is no token.");
            if (OwnHeaders.Contains(name, StringComparer.OrdinalIgnoreCase))
                throw Refusal.Configuration("Argument invalid", $"The header {pointer}/{name} belongs to the connection and cannot be set.");
            if (value.IsNull) continue;
            foreach (var item in value.ArrayOrNull is { } items ? items.AsEnumerable() : [value])
                list.Add(new(name, HeaderText(item, $"{pointer}/{name}")));
        }
        return list;
    }

    private static string HeaderText(Json value, string pointer)
    {
        if (!Arguments.TryScalarText(value, out var text)) throw Arguments.Wrong(pointer, "a string, number or boolean", value);
        text = text.Trim(' ', '\t');
        return text.Any(c => char.IsControl(c) && c != '\t')
            ? throw Refusal.Configuration("Argument invalid", $"The header {pointer} holds a control character, such as a line break.")
            : text;
    }

    private static bool IsToken(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExcept(TokenChars);
}
