using System.Web;

namespace Millrace.Storage.Blobs;

/// <summary>Where the bucket is, and with which key. No record, so that nobody prints the secret by chance.</summary>
public sealed class S3Options
{
    private const string Form = "A bucket's address looks like s3://bucket[/prefix]?region=us-east-1[&endpoint=https://host:port][&public=https://host:port][&pathStyle=true|false].";
    private const string RegionDefault = "us-east-1";

    public required string Bucket { get; init; }

    /// <summary>Begins every key; empty, or ending in a slash.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>A server compatible with S3; null for Amazon's own in <see cref="Region"/>.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>Where clients reach that server, for addresses that are given to them; null: under <see cref="Endpoint"/>.</summary>
    public Uri? Public { get; init; }

    public string Region { get; init; } = RegionDefault;

    /// <summary>The bucket stands in the path and not in the host's name.</summary>
    public bool PathStyle { get; init; }

    public required string AccessKey { get; init; }
    public required string SecretKey { get; init; }

    /// <summary>For one request, its body included. There are few retries besides.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <param name="url">
    /// <c>s3://bucket[/prefix]?region=…[&amp;endpoint=…][&amp;public=…][&amp;pathStyle=…]</c>. With an endpoint the region is us-east-1 and the style is
    /// that of paths unless said otherwise; without one the region must be said.
    /// </param>
    /// <exception cref="FormatException">Says what is wrong.</exception>
    public static S3Options Parse(string url, string accessKey, string secretKey)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri is not { Scheme: "s3", Host.Length: > 0, UserInfo: "" }) throw new FormatException(Form);
        var query = HttpUtility.ParseQueryString(uri.Query);
        if (query.AllKeys.FirstOrDefault(k => k is not ("endpoint" or "public" or "region" or "pathStyle")) is { } unknown)
            throw new FormatException($"'{unknown}' means nothing in a bucket's address. {Form}");
        var (endpoint, reached) = (EndpointOf(query["endpoint"]), EndpointOf(query["public"]));
        if (reached is not null && endpoint is null) throw new FormatException($"public is for a server that has an endpoint. {Form}");
        if (endpoint is null && query["region"] is null) throw new FormatException($"The region is missing. {Form}");
        var prefix = Uri.UnescapeDataString(uri.AbsolutePath).Trim('/');
        return new S3Options
        {
            Bucket = uri.Host,
            Prefix = prefix.Length > 0 ? prefix + "/" : "",
            Endpoint = endpoint,
            Public = reached,
            Region = query["region"] ?? RegionDefault,
            PathStyle = query["pathStyle"] switch
            {
                null => endpoint is not null,
                "true" => true,
                "false" => false,
                _ => throw new FormatException($"pathStyle is true or false. {Form}"),
            },
            AccessKey = accessKey,
            SecretKey = secretKey,
        };
    }

    private static Uri? EndpointOf(string? text)
    {
        if (text is null) return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var endpoint) && endpoint.Scheme is "http" or "https" && endpoint.PathAndQuery == "/"
            ? endpoint
            : throw new FormatException($"An endpoint is http:// or https:// with a host and nothing after it. {Form}");
    }
}
