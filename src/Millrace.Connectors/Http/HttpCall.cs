using Millrace.Connectors.Tls;

namespace Millrace.Connectors.Http;

/// <summary>The output format of a call (dsl-reference.md, HTTP Call).</summary>
internal enum HttpOutput : byte { Content, Raw, Response }

/// <summary>One request, fully resolved but for its authorization; it can be sent again.</summary>
internal sealed record HttpCall
{
    public required HttpMethod Method { get; init; }

    /// <summary>Absolute, http or https, without credentials.</summary>
    public required Uri Uri { get; init; }

    /// <summary>Valid names and values, content headers included; a name may stand more than once.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    public byte[]? Body { get; init; }

    /// <summary>W3C traceparent that is sent unless the author sets one; apart from the headers, so that no result depends on whether it was traced.</summary>
    public string? TraceParent { get; init; }

    /// <summary>What the connection is made with; it does not follow to another origin.</summary>
    public ClientCertificate? Certificate { get; init; }

    /// <summary>True: redirects are followed, and one that cannot be followed is a result (dsl-reference.md, HTTP Call, redirect).</summary>
    public bool Redirect { get; init; }

    public bool HasHeader(string name) => Headers.Any(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase));

    public HttpCall With(string name, string value) => this with { Headers = [.. Headers, new(name, value)] };

    public HttpCall Without(params IReadOnlyList<string> names) =>
        this with { Headers = [.. Headers.Where(h => !names.Contains(h.Key, StringComparer.OrdinalIgnoreCase))] };
}

/// <summary>What came back, whatever its status; content that is no success is cut at <see cref="HttpPool.ExcerptBytesMax"/>.</summary>
internal sealed record HttpAnswer
{
    /// <summary>The request that got this answer: the last one when redirects were followed.</summary>
    public required HttpCall Request { get; init; }

    public required int Status { get; init; }
    public required string Reason { get; init; }
    public required IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; }
    public string? MediaType { get; init; }
    public string? Charset { get; init; }
    public required ReadOnlyMemory<byte> Content { get; init; }

    public bool IsSuccess => Status is >= 200 and < 300;
    public bool IsRedirect => Status is >= 300 and < 400;
}
